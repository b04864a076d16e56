/// `forkproof check`: holds a system to the spec, by the litmus traces and by random ones.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <random>

#include "app/arguments.hpp"
#include "app/interrupt.hpp"
#include "app/output.hpp"
#include "app/reporting.hpp"
#include "harness/trace_file.hpp"

namespace forkproof::app {

namespace {

constexpr const char* kDefaultTime = "30s";
constexpr double kEnoughSeconds = 5;     // a shorter campaign may well miss a rule
constexpr std::size_t kFewRules = 12;    // so many ids are printed, no more

std::uint64_t read_or_draw_seed(const std::string& text) {
  if (!text.empty()) return read_number("--seed", text);
  return std::random_device{}();  // 32 bits: easier to copy, and enough
}

/// The traces to replay: those that are named, else the litmus traces that this build knows of.
std::vector<std::string> corpus(const std::vector<std::string>& named) {
  if (!named.empty()) return named;
  std::error_code error;
  if (std::filesystem::is_directory(FORKPROOF_CORPUS, error)) return {FORKPROOF_CORPUS};
  fmt::print(stderr, "replay is left out: there is no folder {}; name one as PATH\n",
             FORKPROOF_CORPUS);
  return {};
}

void replay_corpus(harness::Checker& checker, const CheckOptions& o, harness::Results& results,
                   const harness::Watch& go_on) {
  const harness::Listing listing = harness::list_traces(corpus(o.paths));
  for (const std::string& error : listing.errors)
    results.cases.push_back({.engine = "replay", .name = error.substr(0, error.rfind(':')),
                             .seconds = 0, .violation = {}, .error = error, .skipped = {},
                             .reproduce = {}});
  harness::replay(checker, listing.files, results, go_on);
}

void print_ids(const char* what, const std::vector<std::string_view>& ids) {
  if (ids.empty()) return;
  fmt::print("{}: {}", what, ids.size());
  if (ids.size() <= kFewRules) fmt::print(" ({})", fmt::join(ids, " "));
  fmt::print("\n");
}

void print_coverage(const harness::Results& r, const Engines& engines) {
  fmt::print("rules covered: {}/{}\n", r.coverage.rules.count(), kRules.size());
  if (!engines.random || r.seconds < kEnoughSeconds) return;
  print_ids("warning: rules that never acted", r.coverage.uncovered());
  print_ids("warning: states that were never seen", r.coverage.missing());
}

/// Takes the profiles out that the system cannot be held to. Answers why, if there are any.
std::string leave_out(const harness::Checker& checker, std::vector<Profile>& profiles,
                      harness::Campaign& campaign) {
  std::string why;
  std::erase_if(profiles, [&](Profile p) {
    const std::string reason = checker.refuses(p);
    if (!reason.empty()) why = reason;
    return !reason.empty();
  });
  if (profiles.empty()) throw Failure{kCannotRun, why};
  campaign.profiles = profiles;
  return why;
}

}  // namespace

int check(const CheckOptions& o) {
  const Engines engines = read_engines(o.engines);
  std::vector<Profile> profiles = read_profiles(o.profile);
  harness::Campaign campaign{.seed = read_or_draw_seed(o.seed), .profiles = profiles,
                             .time = {}, .traces = {}};
  if (!o.traces.empty()) campaign.traces = read_number("--traces", o.traces);
  if (!o.time.empty() || o.traces.empty())
    campaign.time = read_time(o.time.empty() ? kDefaultTime : o.time);
  if (!o.report.junit.empty()) expect_writable(o.report.junit);
  const auto checker = open(o.system);
  const std::string left_out = leave_out(*checker, profiles, campaign);

  harness::Results results;
  results.engine = o.engines;
  results.system = o.system;
  results.profile = o.profile;
  if (engines.random) results.seed = campaign.seed;
  if (engines.random && !o.report.json) fmt::print("seed {}\n", campaign.seed);
  if (engines.random && !left_out.empty() && !o.report.json)
    fmt::print(stderr, "left out: {}\n", left_out);
  watch_for_interrupt();
  {
    Progress progress;
    const harness::Watch go_on = watch(progress);
    if (engines.replay) replay_corpus(*checker, o, results, go_on);
    if (engines.random && !interrupted() && results.violations() == 0)
      harness::run_campaign(*checker, campaign, results, go_on);
  }
  if (!o.report.json) {
    print_cases(results);
    if (interrupted()) fmt::print("interrupted: what was found until then\n");
    print_coverage(results, engines);
    print_totals(results);
  } else {
    for (const harness::Case& c : results.cases)
      if (!c.error.empty()) fmt::print(stderr, "{}\n", c.error);
  }
  return conclude(results, o.report);
}

}  // namespace forkproof::app
