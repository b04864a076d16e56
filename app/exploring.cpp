/// How `explore` and the engine of that name of `check` explore.
#include "app/exploring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "app/arguments.hpp"
#include "harness/shrink.hpp"
#include "spec/derive.hpp"

namespace forkproof::app {

namespace {

using harness::Exploration;

constexpr std::uint64_t kTasksMax = 16, kPagesMax = 16;

std::uint64_t read_bounded(const std::string& option, const std::string& text, std::uint64_t least,
                           std::uint64_t most) {
  const std::uint64_t n = read_number(option, text);
  if (n < least || n > most)
    throw Failure{kBadInput,
                  fmt::format("{} {}: expected a number from {} to {}", option, text, least, most)};
  return n;
}

harness::OpSet read_ops(std::string_view text) {
  harness::OpSet ops;
  while (true) {
    const std::string_view name = text.substr(0, text.find(','));
    const auto index = op_index(name);
    if (!index || is_by_world(default_op(*index)))
      throw Failure{kBadInput,
                    fmt::format("--ops {}: expected names of ops of tasks, with commas between "
                                "them; see forkproof spec --ops",
                                name)};
    ops.set(*index);
    if (name.size() == text.size()) return ops;
    text.remove_prefix(name.size() + 1);
  }
}

harness::Bounds read_bounds(const ExploreOptions& o) {
  harness::Bounds bounds;
  const std::vector<Profile> profiles = read_profiles(o.profile);
  if (profiles.size() != 1) throw Failure{kBadInput, "--profile both: expected one"};
  bounds.world.profile = profiles[0];
  bounds.world.kthreads = o.kthreads;
  bounds.tasks = read_bounded("--tasks", o.tasks, 1, kTasksMax);
  bounds.pages = read_bounded("--pages", o.pages, 0, kPagesMax);
  bounds.ops = read_ops(o.ops);
  if (!o.pid_max.empty())
    bounds.world.pid_max = static_cast<std::int32_t>(
        read_bounded("--pid-max", o.pid_max, kPidMaxMin, kPidMaxLimit));
  if (!o.pid_cursor.empty())
    bounds.cursor = static_cast<std::int32_t>(read_bounded(
        "--pid-cursor", o.pid_cursor, 1, static_cast<std::uint64_t>(bounds.world.pid_max)));
  return bounds;
}

harness::ExploreLimits read_limits(const ExploreOptions& o) {
  harness::ExploreLimits limits;
  if (!o.depth.empty()) limits.depth = read_number("--depth", o.depth);
  if (!o.seconds.empty())
    limits.time = std::chrono::seconds(read_bounded("--seconds", o.seconds, 1, 31'536'000));
  limits.memory = read_bounded("--memory", o.memory, 1, 1 << 20) << 20;
  limits.jobs = o.jobs.empty() ? std::max(1u, std::thread::hardware_concurrency())
                               : read_bounded("--jobs", o.jobs, 1, 1024);
  limits.symmetry = o.symmetry;
  limits.witnesses = !o.emit.empty();
  if (!o.project.empty() && o.project != "family")
    throw Failure{kBadInput, fmt::format("--project {}: expected family", o.project)};
  if (o.merge && o.project.empty()) throw Failure{kBadInput, "--merge: --project says of what"};
  limits.families = !o.project.empty();
  limits.merge_families = o.merge;
  limits.faults = o.faults;
  if (o.faults && o.system != "impl" && o.system != "canary")
    throw Failure{kCannotRun, fmt::format("--faults: system {} has no steps that could be made to "
                                          "fail; impl and canary have",
                                          o.system)};
  return limits;
}

/// What decides which states there are, besides the bounds.
std::string other_options(const ExploreOptions& o) {
  std::string options;
  if (o.kthreads) options += " --kthreads";
  if (o.symmetry) options += " --symmetry";
  if (o.merge) options += " --project family --merge";
  if (!o.pid_max.empty()) options += " --pid-max " + o.pid_max;
  if (!o.pid_cursor.empty()) options += " --pid-cursor " + o.pid_cursor;
  if (o.faults) options += " --faults";
  return options;
}

}  // namespace

Exploration explore(const ExploreOptions& o, const harness::ExploreWatch& watch) {
  auto found = harness::explore(o.system, read_bounds(o), read_limits(o), watch);
  if (found) return std::move(*found);
  open(o.system);  // says so if there is no such system
  throw Failure{kCannotRun, fmt::format("system {} cannot be copied, and so not be explored",
                                        o.system)};
}

harness::Case case_of(const ExploreOptions& o, const Exploration& e) {
  harness::Case c;
  c.engine = "explore";
  c.system = o.system;
  c.name = o.ops;
  c.seconds = e.seconds;
  if (e.violation) {
    const auto checker = open(o.system);
    c.violation = e.violation;
    if (!harness::is_of_failed_step(e.violation->id))
      c.violation =
          harness::minimize(*e.violation, [&](const Script& s) { return checker->run(s); });
    c.reproduce = fmt::format(
        "forkproof explore --system {} --profile {} --tasks {} --pages {} --ops {}{} --depth {}",
        o.system, o.profile, o.tasks, o.pages, o.ops, other_options(o),
        e.violation->trace.steps.size());
  }
  return c;
}

std::string extent(const Exploration& e) {
  if (e.violation) return "a violation ended it";
  if (e.fixpoint) return "complete: more steps lead nowhere new";
  if (e.stopped.empty()) return fmt::format("complete: all traces of {} steps", e.depth);
  return fmt::format("INCOMPLETE: {}; all traces of {} steps were tried, longer ones in part",
                     e.stopped, e.depth);
}

}  // namespace forkproof::app
