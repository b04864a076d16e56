/// The engines `random` and `replay`: many traces on one system.
#include "harness/campaign.hpp"

#include <fmt/format.h>

#include "harness/least.hpp"
#include "harness/trace_file.hpp"

namespace forkproof::harness {

namespace {

std::string quoted(const std::string& path) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-:=,@%";
  if (!path.empty() && path.find_first_not_of(kPlain) == path.npos) return path;
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

}  // namespace

Profile profile_of(const Campaign& campaign, std::uint64_t k) {
  return campaign.profiles[k % campaign.profiles.size()];
}

Case case_of(const Campaign& campaign, const std::string& system) {
  Case c;
  c.engine = campaign.uniform ? "uniform" : "random";
  c.system = system;
  c.name = fmt::format("seed {}", campaign.seed);
  return c;
}

void explain(Checker& checker, const Campaign& campaign, std::uint64_t k, Violation violation,
             const std::string& system, Case& c) {
  if (violation.kind != Violation::Kind::unknown && !campaign.uniform)
    violation = least_like(checker, campaign, k, std::move(violation));
  c.violation = std::move(violation);
  c.reproduce = fmt::format(
      "forkproof check --engine {} --system {} --profile {} --seed {} --traces 1",
      c.engine, quoted(system),
      *name_of(kProfiles, static_cast<std::uint64_t>(profile_of(campaign, k))), campaign.seed + k);
}

void run_campaign(Checker& checker, const Campaign& campaign, Results& results,
                  const Watch& watch) {
  const Clock::time_point start = Clock::now();
  const double before = results.seconds;
  Case c = case_of(campaign, results.system);

  for (std::uint64_t k = 0; watch(results); ++k) {
    if (campaign.traces && k >= *campaign.traces) break;
    if (campaign.time && Clock::now() - start >= *campaign.time) break;
    std::optional<Violation> violation =
        campaign.uniform
            ? checker.run_uniform(campaign.seed + k, profile_of(campaign, k), results.ops)
            : checker.run_random(campaign.seed + k, profile_of(campaign, k), results.ops);
    results.seconds = before + seconds_since(start);
    if (is_beyond(violation)) {
      ++results.beyond[violation->observed];
      continue;
    }
    ++results.traces;
    if (!violation) continue;

    c.found_after = seconds_since(start);
    results.coverage.add(checker.coverage());  // of the campaign, and not of the shrinking
    explain(checker, campaign, k, std::move(*violation), results.system, c);
    break;
  }
  if (!c.violation) results.coverage.add(checker.coverage());
  c.seconds = seconds_since(start);
  results.seconds = before + c.seconds;
  results.cases.push_back(std::move(c));
}

void replay(Checker& checker, std::span<const std::string> files, Results& results,
            const Watch& watch) {
  const double before = results.seconds;
  const Clock::time_point start = Clock::now();
  for (const std::string& path : files) {
    if (!watch(results)) break;
    const Clock::time_point began = Clock::now();
    Case c;
    c.engine = "replay";
    c.system = results.system;
    c.name = path;
    TraceFile file = load(path);
    if (file.error) {
      c.error = *file.error;
    } else if (c.skipped = checker.refuses(file.script.world.profile); c.skipped.empty()) {
      c.violation = checker.run(file.script);
      if (is_beyond(c.violation)) {
        c.skipped = c.violation->observed;
        c.violation.reset();
        results.cases.push_back(std::move(c));
        continue;
      }
      ++results.traces;
      results.ops += c.violation ? std::min(c.violation->step + 1, file.script.steps.size())
                                 : file.script.steps.size();
    }
    if (c.violation) c.found_after = seconds_since(start);
    if (c.violation) {
      const std::string what = fmt::format("{} --system {}", quoted(path), quoted(results.system));
      c.reproduce = fmt::format("forkproof replay {}", what);
      if (c.violation->kind != Violation::Kind::unknown)
        c.minimize = fmt::format("forkproof minimize {} -o -", what);
    }
    c.seconds = seconds_since(began);
    results.seconds = before + seconds_since(start);
    results.cases.push_back(std::move(c));
  }
  results.coverage.add(checker.coverage());
}

}  // namespace forkproof::harness
