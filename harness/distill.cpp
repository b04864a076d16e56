/// Small traces that between them use the whole rule book.
#include "harness/distill.hpp"

#include <algorithm>

#include "harness/generate.hpp"
#include "harness/lockstep.hpp"
#include "harness/model_system.hpp"
#include "harness/shrink.hpp"

namespace forkproof::harness {

namespace {

constexpr std::size_t kIdleMax = 3000;  // random traces without a new rule, before pairs count

Rules as_set(const std::vector<RuleId>& rules) {
  Rules set;
  for (const RuleId r : rules) set.set(r.n);
  return set;
}

bool has_all(const Rules& rules, const Rules& wanted) { return (wanted & ~rules).none(); }

}  // namespace

Rules rules_of(const Script& script) {
  ModelSystem system;
  Lockstep<ModelSystem> lockstep(system);
  lockstep.run(script);
  return lockstep.coverage().rules;
}

Script least_with(const Script& script, const Rules& wanted) {
  const auto run = [&](const Script& s) -> std::optional<Violation> {
    if (s.steps.empty() || !has_all(rules_of(s), wanted)) return std::nullopt;
    Violation v;
    v.step = s.steps.size() - 1;
    v.trace = s;
    return v;
  };
  return minimize(run(script).value(), run).trace;
}

std::optional<Distilled> Distiller::next(std::size_t tries) {
  for (; tries > 0; --tries) {
    const Script random = without_expectations(
        generate(seed_++, profile_, {.kthreads = false, .brief = true}));
    const std::optional<std::vector<RuleId>> wanted = wanted_of(rules_of(random));
    if (idle_ < kIdleMax) idle_ = wanted ? 0 : idle_ + 1;
    if (!wanted) continue;
    Script least = least_with(random, as_set(*wanted));
    if (is_new(rules_of(least))) return Distilled{std::move(least), *wanted};
  }
  return std::nullopt;
}

/// What is new in a trace: a rule, or else a pair of rules.
std::optional<std::vector<RuleId>> Distiller::wanted_of(const Rules& rules) const {
  std::vector<RuleId> acted;
  for (std::uint16_t n = 0; n < kRules.size(); ++n) {
    if (rules[n] && !covered_[n]) return std::vector{RuleId{n}};
    if (rules[n]) acted.push_back({n});
  }
  if (idle_ < kIdleMax) return std::nullopt;  // single rules first
  for (std::size_t i = 0; i < acted.size(); ++i)
    for (std::size_t j = i + 1; j < acted.size(); ++j) {
      const std::vector<RuleId> pair{acted[i], acted[j]};
      if (std::ranges::none_of(seen_, [&](const Rules& s) { return has_all(s, as_set(pair)); }))
        return pair;
    }
  return std::nullopt;
}

bool Distiller::is_new(const Rules& rules) {
  if (std::ranges::find(seen_, rules) != seen_.end()) return false;
  seen_.push_back(rules);
  covered_ |= rules;
  return true;
}

}  // namespace forkproof::harness
