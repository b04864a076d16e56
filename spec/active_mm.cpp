/// The memory that the processor has: a task's own, or what a kernel thread has borrowed from
/// whoever ran there before it (spec/sources/forkproof.md, KTHREAD:8).
#include "spec/model.hpp"

namespace forkproof::spec {

/// An actor gets the processor. A kernel thread leaves there what it finds.
void Model::take_processor(TaskId id) {
  const Task& t = world().tasks[id];
  if (!t.in_kernel()) return load(t.space);
  if (world_.active) cover("borrow.takes"_rule);
}

/// The processor has other memory from here on. What nobody uses any more goes with its borrower.
void Model::load(SpaceId next) {
  const SpaceId before = std::exchange(world_.active, next);
  if (!before || before == next || world().spaces[before].users > 0) return;
  cover("borrow.freed-at-last"_rule);
  world_.spaces.drop(before);
}

/// Memory that has lost its last user. Where the processor still has it, only its pages go.
void Model::drop_space(SpaceId id) {
  if (id != world_.active) return world_.spaces.drop(id);
  cover("borrow.outlives"_rule);
  world_.spaces[id].pages.clear();
}

/// The memory that `who` runs on, or why there is none to be asked about.
Model::Answer Model::memory_of(TaskId me, TaskRef who, SpaceId& space) {
  const TaskId id = find_for(me, who.pid());
  if (!id) return fails(Errno::srch, "kthread.unknown"_rule);
  const Task& t = world().tasks[id];
  space = id == me && t.in_kernel() ? world_.active : t.space;
  if (!space) return fails(Errno::inval, "borrow.none"_rule);
  return std::nullopt;
}

Model::Answer Model::act(TaskId, const ActiveMm&) {
  const Process* oldest = nullptr;
  world().tasks.for_each([&](TaskId, const Task& t) {
    if (!t.space || t.space != world_.active) return;
    const Process& p = world().process_of(t);
    if (oldest == nullptr || p.process_place < oldest->process_place) oldest = &p;
  });
  if (oldest == nullptr) return answers(Outcome::task(Pid{}), "borrow.nobodys"_rule);
  return answers(Outcome::task(world().tasks[oldest->leader].tid), "borrow.owner"_rule);
}

Model::Answer Model::act(TaskId me, const MmUsers& op) {
  SpaceId space;
  if (const Answer refused = memory_of(me, op.task, space)) return refused;
  return answers(Outcome::number(world().spaces[space].users), "borrow.users"_rule);
}

Model::Answer Model::act(TaskId me, const MmCount& op) {
  SpaceId space;
  if (const Answer refused = memory_of(me, op.task, space)) return refused;
  const bool borrowed = world().tasks[me].in_kernel() && space == world_.active;
  const bool used = world().spaces[space].users > 0;
  return answers(Outcome::number(used + borrowed),
                 borrowed ? "borrow.counts"_rule : "borrow.users-count-once"_rule);
}

}  // namespace forkproof::spec
