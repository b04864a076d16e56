/// Recordings: a script with all the outcomes that a system gave it.
#include "harness/record.hpp"

#include <algorithm>

#include "spec/derive.hpp"

namespace forkproof::harness {

namespace {

/// The name that got this number last.
TaskRef named(TaskRef ref, std::span<const Pid> numbers) {
  for (std::size_t i = numbers.size(); i-- > 0;)
    if (numbers[i] == ref.pid()) return TaskRef::name(static_cast<std::int32_t>(i));
  return ref;
}

/// An outcome has a task in it only where its kind says so: elsewhere `who` keeps its default.
Outcome named(Outcome o, std::span<const Pid> numbers) {
  using Kind = Outcome::Kind;
  const bool has_task =
      o.kind == Kind::task || o.kind == Kind::change || (o.kind == Kind::blocks && o.who.n != 0);
  if (has_task) o.who = named(o.who, numbers);
  return o;
}

}  // namespace

void take_down(Step& step, const Effects& seen, const Naming& naming, const spec::World& world) {
  const auto by = [&](const Outcome& outcome, Pid viewer) {
    return named(outcome, naming.numbers_for(viewer, world));
  };
  if (seen.outcome.kind != Outcome::Kind::nothing)
    step.outcome = by(seen.outcome, naming.current(step.actor, world));
  for (const Returned& r : seen.returned)
    step.returns.push_back(
        {named(TaskRef::number(r.task), naming.numbers()), by(r.outcome, r.task)});
}

Expectation take_down(const Expectation& asked, const TaskView& view, const Naming& naming) {
  Expectation seen = expectation_of(asked.task, asked.field, view);
  if (asked.value.named) seen.value = named(seen.value, naming.numbers());
  return seen;
}

void cut(Script& script, std::size_t steps) {
  if (steps >= script.steps.size()) return;
  script.steps.resize(steps);
  const auto bound =
      std::ranges::count_if(script.steps, [](const Step& s) { return s.binds != kNoName; });
  script.names.resize(static_cast<std::size_t>(bound) + 1);
}

}  // namespace forkproof::harness
