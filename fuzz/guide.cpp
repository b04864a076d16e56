/// What steers a fuzzer besides the edges of the code.
#include "fuzz/guide.hpp"

#include <fmt/format.h>

#include <array>
#include <bitset>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace forkproof::fuzz {

namespace {

constexpr std::size_t kErrnoEnd = static_cast<std::size_t>(Errno::inval) + 1;
constexpr std::size_t kKinds = static_cast<std::size_t>(Outcome::Kind::change);
constexpr std::size_t kOutcomes = kKinds + kChanges.size() + kErrnoEnd;
constexpr std::size_t kPairs = kOps * kOutcomes;
constexpr std::size_t kStates = std::size_t{1} << 12;
constexpr std::size_t kSize = kRules.size() + kPairs + kStates;

/// libFuzzer finds them by the name of the section, and clears them before each input.
[[gnu::section("__libfuzzer_extra_counters")]] std::array<std::uint8_t, kSize> all_counters;

std::uint64_t hash;

struct Sources {
  bool rules, outcomes, states;
};

Sources read_sources() {
  const char* const set = std::getenv("FORKPROOF_GUIDE");
  if (set == nullptr) return {true, true, true};
  const auto names = [&](const char* source) { return std::strstr(set, source) != nullptr; };
  return {names("rules"), names("outcomes"), names("states")};
}

const Sources kSources = read_sources();

constexpr std::uint64_t mixed(std::uint64_t h, std::uint64_t value) {
  h = (h ^ value) * 0x9E3779B97F4A7C15;
  return h ^ (h >> 29);
}

std::size_t place_of(const Outcome& o) {
  if (o.kind == Outcome::Kind::error)
    return kKinds + kChanges.size() + static_cast<std::size_t>(o.error);
  if (o.kind == Outcome::Kind::change) return kKinds + static_cast<std::size_t>(o.change);
  return static_cast<std::size_t>(o.kind);
}

void add(std::uint64_t& h, const Outcome& o) {
  h = mixed(h, place_of(o));
  h = mixed(h, static_cast<std::uint64_t>(o.code));
  h = mixed(h, static_cast<std::uint64_t>(o.who.n));
  h = mixed(h, static_cast<std::uint64_t>(o.value));
}

/// Bits of a number below 64, from questions of few answers.
class Kind {
 public:
  void ask(bool answer) { bits_ = bits_ << 1 | (answer ? 1U : 0U); }
  void is(unsigned one_of_eight) { bits_ = bits_ << 3 | one_of_eight; }
  std::uint64_t bits() const { return bits_; }

 private:
  std::uint64_t bits_ = 1;
};

void ask_of_process(const spec::World& world, const spec::Process& p, Kind& kind) {
  kind.ask(p.threads.size() > 1);
  kind.ask(p.group_exit || p.execing);
  kind.ask(p.stopping_threads > 0);
  kind.ask(p.stop_complete);
  kind.ask(p.continued);
  const spec::Number* const group = world.numbers.find(p.pgid.n);
  kind.ask(group != nullptr && !group->task);  // the number is pinned by the group alone
}

std::size_t read_wanted() {
  const char* const set = std::getenv("FORKPROOF_RULES_WANTED");
  return set == nullptr ? 0 : std::strtoul(set, nullptr, 10);
}

/// Tells when all the rules that are wanted have acted, by any input.
void watch_rules(std::span<const RuleId> fired) {
  using Clock = std::chrono::steady_clock;
  static const std::size_t wanted = read_wanted();
  static const Clock::time_point start = Clock::now();
  static std::bitset<kRules.size()> acted;
  if (wanted == 0) return;
  for (const RuleId rule : fired) acted.set(rule.n);
  if (acted.count() < wanted) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  fmt::print(stderr, "stat::rules: {} after {:.2f} s\n", acted.count(), seconds);
  std::_Exit(0);
}

}  // namespace

std::uint64_t kind_of_task(const spec::World& world, spec::TaskId id) {
  const spec::Task& t = world.tasks[id];
  Kind kind;
  kind.is(static_cast<unsigned>(t.call.kind));
  kind.ask(t.zombie);
  kind.ask(t.stopped);
  kind.ask(world.is_leader(id));
  kind.ask(t.adopted_at != 0);
  kind.ask(!t.pending.empty());
  kind.ask(static_cast<bool>(t.vfork_parent));
  kind.ask(t.children.size() > 1);
  kind.ask(!t.news.empty());
  ask_of_process(world, world.process_of(t), kind);
  return kind.bits();
}

void begin_guide() {
  all_counters.fill(0);
  hash = 1;
}

void guide_by(const spec::Model& model, const Op& op) {
  const Effects& said = model.effects();
  add(hash, said.outcome);
  for (const Returned& r : said.returned) add(hash, r.outcome);
  if (kSources.rules)
    for (const RuleId rule : model.fired()) all_counters[rule.n] = 1;
  if (kSources.outcomes)
    all_counters[kRules.size() + op.index() * kOutcomes + place_of(said.outcome)] = 1;
  watch_rules(model.fired());
  for (const spec::TaskId id : model.touched()) {
    const std::uint64_t state = mixed(1, kind_of_task(model.world(), id));
    hash = mixed(hash, state);
    if (kSources.states) all_counters[kRules.size() + kPairs + (state >> 20) % kStates] = 1;
  }
}

std::span<const std::uint8_t> counters() { return all_counters; }

std::span<const std::uint8_t> lasting_counters() {
  return counters().first(kRules.size() + kPairs);
}

std::uint64_t guide_hash() { return hash; }

}  // namespace forkproof::fuzz
