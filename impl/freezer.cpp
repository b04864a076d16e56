/// Frozen control groups: a task that is to freeze sleeps on its way back to its program.
///
/// Sources: kernel/cgroup/freezer.c cgroup_freeze(), cgroup_freeze_task(); kernel/signal.c
/// do_freezer_trap().
#include "impl/machine.hpp"

namespace forkproof::impl {

Outcome Machine::perform(const CgroupFreeze& op) { return cgroup_freeze(op.group, true); }
Outcome Machine::perform(const CgroupThaw& op) { return cgroup_freeze(op.group, false); }

Outcome Machine::cgroup_freeze(CgroupNo number, bool freeze) {
  const std::optional<Index> group = cgroup_called(number);
  if (!group || *group == kNobody || profile_ == Profile::linux_4_12)
    return Outcome::failure(Errno::noent);
  if (cgroups_[*group].frozen == freeze) return Outcome::success();
  cgroups_[*group].frozen = freeze;
  propagate_freeze(*group, freeze);
  return Outcome::success();
}

/// Those whose first reason to freeze comes, or whose last goes, are told.
void Machine::propagate_freeze(Index group, bool freeze) {
  Cgroup& g = cgroups_[group];
  const std::uint32_t reasons = freeze ? g.freezes++ : --g.freezes;
  if (reasons == 0)
    for (const Index member : g.members) freeze_or_thaw(tasks_[member]);
  for (const auto& [number, below] : named_cgroups_)
    if (cgroups_[below].parent == group) propagate_freeze(below, freeze);
}

bool Machine::is_to_freeze(const Task& t) const {
  const Index group = cgroups_in_use_ ? cgroup_of(t) : kNobody;
  return group != kNobody && cgroups_[group].freezes > 0;
}

void Machine::freeze_or_thaw(Task& t) {
  if (is_to_freeze(t)) {
    if (!t.frozen) alert(t, false);
  } else if (t.frozen) {
    t.frozen = false;
    t.signalled = true;
    touch(t);
    wake(t, bits::kNormal);
  }
}

/// What it has to do, and the result of its call, stay until it is thawed.
void Machine::freezer_trap(Task& t) {
  t.frozen = true;
  t.signalled = false;
  set_state(t, bits::kInterruptible);
  touch(t);
}

}  // namespace forkproof::impl
