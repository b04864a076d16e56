/// Frozen control groups: a task that is to freeze sleeps on its way back to its program.
///
/// Sources: kernel/cgroup/freezer.c cgroup_freeze(), cgroup_freeze_task(); kernel/signal.c
/// do_freezer_trap().
#include "impl/machine.hpp"

namespace forkproof::impl {

Outcome Machine::cgroup_freeze(CgroupNo number, bool freeze) {
  const std::optional<Index> group = cgroups_.called(number);
  if (!group || *group == kNobody || profile_ == Profile::linux_4_12)
    return Outcome::failure(Errno::noent);
  cgroups_.freeze(*group, freeze, [&](Index task) { freeze_or_thaw(tasks_[task]); });
  return Outcome::success();
}

void Machine::freeze_or_thaw(Task& t) {
  if (is_kthread(t)) return;
  if (cgroups_.is_frozen(id(t))) {
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
