/// `forkproof explore`: every trace up to a bound.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/arguments.hpp"
#include "app/commands.hpp"
#include "app/interrupt.hpp"
#include "app/output.hpp"
#include "app/reporting.hpp"
#include "harness/explore/explore.hpp"
#include "harness/shrink.hpp"
#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof::app {

namespace {

using harness::Exploration;
namespace fs = std::filesystem;

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
  return limits;
}

/// What decides which states there are, besides the bounds.
std::string other_options(const ExploreOptions& o) {
  std::string options;
  if (o.symmetry) options += " --symmetry";
  if (o.merge) options += " --project family --merge";
  if (!o.pid_max.empty()) options += " --pid-max " + o.pid_max;
  if (!o.pid_cursor.empty()) options += " --pid-cursor " + o.pid_cursor;
  return options;
}

harness::Results results_of(const ExploreOptions& o, const Exploration& e) {
  harness::Results r;
  r.engine = "explore";
  r.system = o.system;
  r.profile = o.profile;
  r.ops = e.transitions;
  r.seconds = e.seconds;
  r.coverage = e.coverage;
  harness::Case c;
  c.engine = "explore";
  c.system = o.system;
  c.name = fmt::format("explore {}", o.ops);
  c.seconds = e.seconds;
  if (e.violation) {
    const auto checker = open(o.system);
    c.violation = harness::minimize(*e.violation, [&](const Script& s) { return checker->run(s); });
    c.reproduce = fmt::format(
        "forkproof explore --system {} --profile {} --tasks {} --pages {} --ops {}{} --depth {}",
        o.system, o.profile, o.tasks, o.pages, o.ops, other_options(o),
        e.violation->trace.steps.size());
  }
  r.cases.push_back(std::move(c));
  return r;
}

/// What was covered: of the bounds, or of what was left of them.
std::string extent(const Exploration& e) {
  if (e.violation) return "a violation ended it";
  if (e.fixpoint) return "complete: more steps lead nowhere new";
  if (e.stopped.empty()) return fmt::format("complete: all traces of {} steps", e.depth);
  return fmt::format("INCOMPLETE: {}; all traces of {} steps were tried, longer ones in part",
                     e.stopped, e.depth);
}

void print(const ExploreOptions& o, const Exploration& e, const harness::Results& results) {
  print_cases(results);
  for (std::size_t i = 0; i < e.levels.size(); ++i)
    fmt::print("after {} steps: {} new states\n", i, e.levels[i]);
  const auto missing = e.coverage.missing();
  fmt::print("rules covered: {}/{}\nstates of `sometimes` that were not reached: {}\n",
             e.coverage.rules.count(), kRules.size(),
             missing.empty() ? "none" : fmt::format("{}", fmt::join(missing, " ")));
  const auto seconds = std::max(e.seconds, 1e-6);
  fmt::print("{} states, {} transitions in {:.2f} s ({:.0f} and {:.0f} a second) on {}\n", e.states,
             e.transitions, e.seconds, static_cast<double>(e.states) / seconds,
             static_cast<double>(e.transitions) / seconds, o.system);
  if (!o.project.empty()) fmt::print("{} families\n", e.families);
  fmt::print("{} bytes a state to know them, {} to find them; two taken for one: p < {:.0e}\n",
             e.states == 0 ? 0 : (e.visited_bytes + e.states - 1) / e.states,
             e.states == 0 ? 0 : (e.path_bytes + e.states - 1) / e.states, e.collision);
  fmt::print("{}\n{}\n", extent(e), e.violation ? "1 violation" : "no violation");
}

void print_json(const Exploration& e, const harness::Results& results) {
  auto object = nlohmann::ordered_json::parse(harness::to_json(results));
  object["states"] = e.states;
  object["transitions"] = e.transitions;
  if (e.families != 0) object["families"] = e.families;
  object["depth"] = e.depth;
  object["levels"] = e.levels;
  object["fixpoint"] = e.fixpoint;
  object["stopped"] = e.stopped;
  object["collision"] = e.collision;
  fmt::print("{}\n", object.dump(2));
}

std::string file_name(const harness::Witness& w) {
  return fmt::format("{}+{}.trace", w.rule.rule().id, w.outcome);
}

/// The traces, with what the system does in them.
void emit(const ExploreOptions& o, const Exploration& e) {
  const auto checker = open(o.system);
  for (const harness::Witness& w : e.witnesses) {
    Script script = checker->record(w.script).script;
    script.head = {fmt::format(" {}: {}", w.rule.rule().id, w.rule.rule().says)};
    write_file((fs::path(o.emit) / file_name(w)).string(), print(script));
  }
}

}  // namespace

int explore(const ExploreOptions& o) {
  const harness::Bounds bounds = read_bounds(o);
  const harness::ExploreLimits limits = read_limits(o);
  if (!o.emit.empty()) expect_empty(o.emit);
  watch_for_interrupt();
  Progress progress;
  const auto found = harness::explore(o.system, bounds, limits, [&](const Exploration& e) {
    progress.show(fmt::format("{} states, {} steps deep, {:.0f} s", e.states, e.depth, e.seconds));
    return !interrupted();
  });
  if (!found) {
    open(o.system);  // says so if there is no such system
    throw Failure{kCannotRun, fmt::format("system {} cannot be copied, and so not be explored",
                                          o.system)};
  }
  const harness::Results results = results_of(o, *found);
  if (o.json)
    print_json(*found, results);
  else
    print(o, *found, results);
  if (!o.emit.empty()) emit(o, *found);
  return found->violation ? kViolated : kHolds;
}

}  // namespace forkproof::app
