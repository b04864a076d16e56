/// `forkproof check`: holds a system to the spec, by the litmus traces, by a matrix of clones,
/// by all traces up to a bound and by random ones.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <random>
#include <thread>

#include "app/arguments.hpp"
#include "app/exploring.hpp"
#include "app/interrupt.hpp"
#include "app/output.hpp"
#include "app/reporting.hpp"
#include "harness/matrix.hpp"
#include "harness/explore/domain.hpp"
#include "harness/system_fault.hpp"
#include "harness/trace_file.hpp"
#include "spec/derive.hpp"

namespace forkproof::app {

namespace {

constexpr const char* kKernel = "linux";
constexpr const char* kDefaultTime = "30s";
constexpr double kEnoughSeconds = 5;   // a shorter campaign may well miss a rule
constexpr const char* kTasksExplored = "3";  // the bound of the engine, which ends in seconds
constexpr const char* kDepthExplored = "8";
constexpr std::size_t kFewRules = 12;  // so many ids are printed, no more

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
  add_errors(listing.errors, results);
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
  if (engines.explore)
    print_ids("invariants that were never put to the test", r.coverage.untested());
  if (!engines.random || r.seconds < kEnoughSeconds) return;
  print_ids("warning: rules that never acted", r.coverage.uncovered());
  print_ids("warning: states that were never seen", r.coverage.missing());
}

std::optional<std::uint64_t> read_combination(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const std::uint64_t number = read_number("--combination", text);
  if (number >= harness::matrix_size())
    throw Failure{kBadInput, fmt::format("--combination {}: there are 0 to {}", text,
                                         harness::matrix_size() - 1)};
  return number;
}

/// What is asked for, as it was read.
struct Request {
  const CheckOptions& options;
  Engines engines;
  std::vector<Profile> profiles;
  harness::Campaign campaign;
  harness::Matrix matrix;
};

Request read(const CheckOptions& o) {
  Request r{o, read_engines(o.engines), read_profiles(o.profile), {}, {}};
  r.campaign.uniform = r.engines.uniform;
  r.campaign.seed = read_or_draw_seed(o.seed);
  if (!o.traces.empty()) r.campaign.traces = read_number("--traces", o.traces);
  if (!o.time.empty() || o.traces.empty())
    r.campaign.time = read_time(o.time.empty() ? kDefaultTime : o.time);
  if (!o.jobs.empty() && read_number("--jobs", o.jobs) == 0)
    throw Failure{kBadInput, "--jobs 0: expected at least one process"};
  r.matrix.only = read_combination(o.combination);
  return r;
}

/// A campaign on the kernel takes every processor; others are fast, and counts that are the same
/// each time are worth more.
std::size_t jobs(const Request& r, const std::string& system) {
  if (r.engines.uniform) return 1;
  if (!r.options.jobs.empty()) return read_number("--jobs", r.options.jobs);
  return system == kKernel ? std::max(1u, std::thread::hardware_concurrency()) : 1;
}

/// Why the running kernel cannot be held to any of the profiles; empty if it can.
std::string why_no_kernel(const std::vector<Profile>& profiles) {
  const harness::Opened kernel = harness::open_system(kKernel);
  if (!kernel.checker) return kernel.reason;
  std::string why;
  for (const Profile p : profiles)
    if (why = kernel.checker->refuses(p); why.empty()) return {};
  return fmt::format("{}: {}", kKernel, why);
}

/// The systems that are to be checked: the one that is named, else ours and, where it can be had,
/// the running kernel. The reason why it cannot is put into `left_out`.
std::vector<std::string> systems(const Request& r, std::vector<std::string>& left_out) {
  if (!r.options.system.empty()) return {r.options.system};
  if (!r.engines.traces()) return {"impl"};
  const std::string why = why_no_kernel(r.profiles);
  if (why.empty()) return {"impl", kKernel};
  left_out.push_back(why);
  return {"impl"};
}

/// Takes the profiles out that the system cannot be held to.
std::vector<Profile> possible(const harness::Checker& checker, std::vector<Profile> profiles,
                              harness::Results& results) {
  std::string why;
  std::erase_if(profiles, [&](Profile p) {
    const std::string reason = checker.refuses(p);
    if (!reason.empty()) why = reason;
    return !reason.empty();
  });
  if (profiles.empty()) throw Failure{kCannotRun, why};
  if (!why.empty()) results.left_out.push_back(fmt::format("{}: {}", results.system, why));
  return profiles;
}

/// What cannot be had in the midst of a campaign is no fault of the one who asked.
std::unique_ptr<harness::Checker> open_in_campaign(const std::string& system) {
  try {
    return open(system);
  } catch (const Failure& f) {
    throw harness::SystemFault(f.message);
  }
}

/// Everything up to a small bound, in each profile, until a violation. `forkproof explore` has the
/// bounds as options.
void explore_all(const Request& r, const std::string& system, const std::vector<Profile>& profiles,
                 harness::Results& results, const harness::Watch& go_on) {
  if (system == kKernel) {
    const std::string why = "linux cannot be copied, and so not be explored";
    if (!r.engines.traces()) throw Failure{kCannotRun, why};
    results.left_out.push_back("explore: " + why);
    return;
  }
  results.explored.emplace();
  for (const Profile p : profiles) {
    if (interrupted() || results.violations() > 0) return;
    ExploreOptions o;
    o.system = system;
    o.profile = *name_of(kProfiles, static_cast<std::uint64_t>(p));
    o.tasks = kTasksExplored;
    o.depth = kDepthExplored;
    o.ops = harness::kCoreOps;
    o.symmetry = true;
    const harness::Exploration e =
        explore(o, [&](const harness::Exploration&) { return go_on(results); });
    results.explored->add({e.states, e.transitions, e.depth, e.stopped});
    results.ops += e.transitions;
    results.seconds += e.seconds;
    results.coverage.add(e.coverage);
    results.cases.push_back(case_of(o, e));
  }
}

harness::Results check_system(const Request& r, const std::string& system,
                              const harness::Watch& go_on) {
  harness::Results results;
  results.engine = r.options.engines;
  results.system = system;
  results.profile = r.options.profile;
  if (r.engines.random) results.seed = r.campaign.seed;
  auto checker = open(system);
  results.abilities = checker->abilities();
  const std::vector<Profile> profiles = possible(*checker, r.profiles, results);
  if (r.engines.random && !r.options.report.json) fmt::print("seed {}\n", r.campaign.seed);
  if (r.engines.prove) {
    const std::string why = system == "impl" ? prove_all(results) : "prove: is about impl only";
    const bool alone = !r.engines.traces() && !r.engines.explore;
    if (!why.empty() && alone) throw Failure{kCannotRun, why};
    if (!why.empty()) results.left_out.push_back(why);
    if (alone || results.violations() > 0) return results;
  }
  if (r.engines.replay) replay_corpus(*checker, r.options, results, go_on);
  if (r.engines.matrix && !interrupted()) {
    harness::Matrix matrix = r.matrix;
    matrix.profiles = profiles;
    harness::run_matrix(*checker, matrix, results, go_on);
  }
  if (r.engines.explore && !interrupted()) explore_all(r, system, profiles, results, go_on);
  if (!r.engines.random || interrupted() || results.violations() > 0) return results;

  harness::Campaign campaign = r.campaign;
  campaign.profiles = profiles;
  const std::size_t processes = jobs(r, system);
  if (processes == 1) {
    harness::run_campaign(*checker, campaign, results, go_on);
  } else {
    checker.reset();  // each process opens its own
    harness::run_campaign([&] { return open_in_campaign(system); }, processes, campaign, results,
                          go_on);
  }
  return results;
}

void print(const Request& r, const harness::Results& results) {
  print_cases(results);
  for (const std::string& reason : results.left_out) fmt::print("left out: {}\n", reason);
  if (r.engines.traces() || r.engines.explore) print_coverage(results, r.engines);
  print_totals(results);
}

}  // namespace

int check(const CheckOptions& o) {
  const Request request = read(o);
  if (!o.report.junit.empty()) expect_writable(o.report.junit);
  std::vector<std::string> left_out;
  const std::vector<std::string> all = systems(request, left_out);
  watch_for_interrupt();
  std::vector<harness::Results> parts;
  for (const std::string& system : all) {
    if (!parts.empty() && (interrupted() || parts.back().violations() > 0)) break;
    {
      Progress progress;
      parts.push_back(check_system(request, system, watch(progress)));
    }
    if (parts.size() == 1) std::ranges::move(left_out, std::back_inserter(parts.front().left_out));
    if (!o.report.json) print(request, parts.back());
  }
  if (!o.report.json && interrupted()) fmt::print("interrupted: what was found until then\n");
  const harness::Results results = harness::merged(std::move(parts));
  if (o.report.json)
    for (const harness::Case& c : results.cases)
      if (!c.error.empty()) fmt::print(stderr, "{}\n", c.error);
  return conclude(results, o.report);
}

}  // namespace forkproof::app
