/// The engines `random` and `replay`: many traces on one system.
#include "harness/campaign.hpp"

#include <fmt/format.h>

#include "harness/shrink.hpp"
#include "harness/trace_file.hpp"

namespace forkproof::harness {

namespace {

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string quoted(const std::string& path) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-:=,@%";
  if (!path.empty() && path.find_first_not_of(kPlain) == path.npos) return path;
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

}  // namespace

void run_campaign(Checker& checker, const Campaign& campaign, Results& results,
                  const Watch& watch) {
  const Clock::time_point start = Clock::now();
  const double before = results.seconds;
  Case c{.engine = "random", .name = fmt::format("seed {}", campaign.seed), .seconds = 0,
         .violation = std::nullopt, .error = {}, .skipped = {}, .reproduce = {}};

  for (std::uint64_t k = 0; watch(results); ++k) {
    if (campaign.traces && k >= *campaign.traces) break;
    if (campaign.time && Clock::now() - start >= *campaign.time) break;
    const Profile profile = campaign.profiles[k % campaign.profiles.size()];
    const std::uint64_t seed = campaign.seed + k;
    c.violation = checker.run_random(seed, profile, results.ops);
    ++results.traces;
    results.seconds = before + seconds_since(start);
    if (!c.violation) continue;

    results.coverage.add(checker.coverage());  // of the campaign, and not of the shrinking
    if (c.violation->kind != Violation::Kind::unknown)
      c.violation = minimize(*c.violation, [&](const Script& s) { return checker.run(s); });
    c.reproduce = fmt::format(
        "forkproof check --engine random --system {} --profile {} --seed {} --traces 1",
        quoted(results.system), *name_of(kProfiles, static_cast<std::uint64_t>(profile)), seed);
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
    Case c{.engine = "replay", .name = path, .seconds = 0, .violation = std::nullopt, .error = {},
           .skipped = {}, .reproduce = {}};
    TraceFile file = load(path);
    if (file.error) {
      c.error = *file.error;
    } else if (c.skipped = checker.refuses(file.script.world.profile); c.skipped.empty()) {
      c.violation = checker.run(file.script);
      ++results.traces;
      results.ops += c.violation ? std::min(c.violation->step + 1, file.script.steps.size())
                                 : file.script.steps.size();
    }
    if (c.violation)
      c.reproduce = fmt::format("forkproof replay {} --system {}", quoted(path),
                                quoted(results.system));
    c.seconds = seconds_since(began);
    results.seconds = before + seconds_since(start);
    results.cases.push_back(std::move(c));
  }
  results.coverage.add(checker.coverage());
}

}  // namespace forkproof::harness
