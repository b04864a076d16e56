/// `forkproof explore`: every trace up to a bound.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "app/commands.hpp"
#include "app/exploring.hpp"
#include "app/interrupt.hpp"
#include "app/output.hpp"
#include "app/reporting.hpp"
#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof::app {

namespace {

using harness::Exploration;
namespace fs = std::filesystem;

harness::Results results_of(const ExploreOptions& o, const Exploration& e) {
  harness::Results r;
  r.engine = "explore";
  r.system = o.system;
  r.profile = o.profile;
  r.ops = e.transitions;
  r.seconds = e.seconds;
  r.coverage = e.coverage;
  r.cases.push_back(case_of(o, e));
  return r;
}

const impl::LifeStep& step_at(std::size_t i) {
  return impl::table_of(static_cast<impl::CopyStep>(i));
}

/// `dup_task_struct 12, copy_mm 3`: where failures were asked for, and how often.
std::string where_failed(const harness::FaultCounts& counts) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < counts.steps.size(); ++i)
    if (const impl::LifeStep& step = step_at(i); step.no_room != Errno::ok)
      parts.push_back(fmt::format("{} {}", step.name, counts.steps[i]));
  return fmt::format("{}", fmt::join(parts, ", "));
}

void print(const ExploreOptions& o, const Exploration& e, const harness::Results& results) {
  print_cases(results);
  for (std::size_t i = 0; i < e.levels.size(); ++i)
    fmt::print("after {} steps: {} new states\n", i, e.levels[i]);
  const auto listed = [](const std::vector<std::string_view>& ids) {
    return ids.empty() ? "none" : fmt::format("{}", fmt::join(ids, " "));
  };
  fmt::print("rules covered: {}/{}\nstates of `sometimes` that were not reached: {}\n"
             "invariants that were never put to the test: {}\n",
             e.coverage.rules.count(), kRules.size(), listed(e.coverage.missing()),
             listed(e.coverage.untested()));
  const auto seconds = std::max(e.seconds, 1e-6);
  fmt::print("{} states, {} transitions in {:.2f} s ({:.0f} and {:.0f} a second) on {}\n", e.states,
             e.transitions, e.seconds, static_cast<double>(e.states) / seconds,
             static_cast<double>(e.transitions) / seconds, o.system);
  if (!o.project.empty()) fmt::print("{} families\n", e.families);
  if (o.faults)
    fmt::print("failures: {}; {} calls left out, as signals come first\n", where_failed(e.faults),
               e.faults.interrupted);
  fmt::print("{} bytes a state to know them, {} to find them; two taken for one: p < {:.0e}\n",
             e.states == 0 ? 0 : (e.visited_bytes + e.states - 1) / e.states,
             e.states == 0 ? 0 : (e.path_bytes + e.states - 1) / e.states, e.collision);
  fmt::print("{}\n{}\n", extent(e), e.violation ? "1 violation" : "no violation");
}

void print_json(const ExploreOptions& o, const Exploration& e, const harness::Results& results) {
  auto object = nlohmann::ordered_json::parse(harness::to_json(results));
  object["states"] = e.states;
  object["transitions"] = e.transitions;
  if (e.families != 0) object["families"] = e.families;
  for (std::size_t i = 0; o.faults && i < e.faults.steps.size(); ++i)
    if (const impl::LifeStep& step = step_at(i); step.no_room != Errno::ok)
      object["faults"][std::string(step.name)] = e.faults.steps[i];
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
  if (!o.emit.empty()) expect_empty(o.emit);
  watch_for_interrupt();
  Progress progress;
  const Exploration found = explore(o, [&](const Exploration& e) {
    progress.show(fmt::format("{} states, {} steps deep, {:.0f} s", e.states, e.depth, e.seconds));
    return !interrupted();
  });
  const harness::Results results = results_of(o, found);
  if (o.json)
    print_json(o, found, results);
  else
    print(o, found, results);
  if (!o.emit.empty()) emit(o, found);
  return found.violation ? kViolated : kHolds;
}

}  // namespace forkproof::app
