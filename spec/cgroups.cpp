/// Control groups: who is in which, and how many tasks may be in them.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

Outcome Model::turn(const CgroupMake& op) {
  if (!world_.has_cgroup(op.below)) return fails(Errno::noent, "cgroup.make-nowhere"_rule);
  if (world_.has_cgroup(op.group)) return fails(Errno::exist, "cgroup.make-exists"_rule);

  const CgroupId parent = world_.cgroup_called(op.below);
  Cgroup& group = world_.cgroups[world_.cgroups.make()];
  group.number = op.group;
  group.parent = parent;
  group.made = next_place();
  return answers(Outcome::success(), "cgroup.make"_rule);
}

Outcome Model::turn(const CgroupRemove& op) {
  const CgroupId id = world_.cgroup_called(op.group);
  if (!world_.has_cgroup(op.group)) return fails(Errno::noent, "cgroup.remove-unknown"_rule);
  if (!id) return fails(Errno::busy, "cgroup.remove-first"_rule);
  if (is_populated(id)) return fails(Errno::busy, "cgroup.remove-populated"_rule);
  if (has_groups_below(id)) return fails(Errno::busy, "cgroup.remove-parent"_rule);

  if (world_.cgroups[id].tasks > 0) {
    cover("cgroup.remove-zombies"_rule);
    world_.cgroups[id].removed = true;
  } else {
    world_.cgroups.drop(id);
  }
  return answers(Outcome::success(), "cgroup.remove"_rule);
}

Outcome Model::turn(const CgroupMove& op) {
  const TaskId who = world_.task_of(op.task.pid());
  if (!world_.has_cgroup(op.group)) return fails(Errno::noent, "cgroup.move-nowhere"_rule);
  if (op.task.n < 0) return fails(Errno::inval, "cgroup.move-negative"_rule);
  if (!who) return fails(Errno::srch, "cgroup.move-unknown"_rule);

  const Call::Kind in = world().tasks[who].call.kind;
  if (who == world_.kthreadd || in == Call::Kind::unwoken || in == Call::Kind::unborn)
    return fails(Errno::inval, "cgroup.move-not-kthreadd"_rule);

  const CgroupId group = world_.cgroup_called(op.group);
  const Process& p = world().process_of(world().tasks[who]);
  touch(p);
  if (p.threads.size() > 1) cover("cgroup.move-threads"_rule);
  for (const TaskId id : p.threads) {
    if (world_.tasks[id].exiting()) {
      cover("cgroup.move-not-the-dead"_rule);
      continue;
    }
    if (world_.tasks[id].cgroup == group) continue;
    leave_cgroup(world_.tasks[id]);
    enter_cgroup(world_.tasks[id], group);
    freeze_or_thaw(id);
  }
  const PidsLimit limit = limit_of(group);
  if (limit != PidsLimit{} && tasks_in(group) > static_cast<std::uint32_t>(limit.n))
    cover("cgroup.move-over-limit"_rule);
  return answers(Outcome::success(), "cgroup.move"_rule);
}

Outcome Model::turn(const CgroupOf& op) {
  const TaskId who = world_.task_of(op.task.pid());
  if (!who) return fails(Errno::srch, "cgroup.of-unknown"_rule);

  const Task& t = world().tasks[who];
  if (t.zombie && t.cgroup) cover("cgroup.of-zombie"_rule);
  if (!t.cgroup) return answers(Outcome::number(0), "cgroup.first"_rule);
  const Cgroup& group = world().cgroups[t.cgroup];
  if (group.removed) return fails(Errno::nodev, "cgroup.of-removed"_rule);
  return answers(Outcome::number(group.number), "cgroup.of"_rule);
}

Outcome Model::turn(const PidsMax& op) {
  if (!world_.has_cgroup(op.group)) return fails(Errno::noent, "cgroup.limit-nowhere"_rule);
  if (op.limit != PidsLimit{} && (op.limit.n < 0 || op.limit.n > kPidsLimitMax))
    return fails(Errno::inval, "cgroup.limit-range"_rule);

  const CgroupId group = world_.cgroup_called(op.group);
  (group ? world_.cgroups[group].limit : world_.limit) = op.limit;
  if (op.limit != PidsLimit{} && tasks_in(group) > static_cast<std::uint32_t>(op.limit.n))
    cover("cgroup.limit-below-current"_rule);
  return answers(Outcome::success(), "cgroup.limit"_rule);
}

Outcome Model::turn(const PidsCurrent& op) {
  if (!world_.has_cgroup(op.group)) return fails(Errno::noent, "cgroup.current-nowhere"_rule);

  return answers(Outcome::number(tasks_in(world_.cgroup_called(op.group))), "cgroup.current"_rule);
}

std::uint32_t Model::tasks_in(CgroupId id) const {
  return id ? world_.cgroups[id].tasks : static_cast<std::uint32_t>(world_.tasks.size());
}

/// Whether there is somebody in a group, not below it, who has not begun to end.
bool Model::is_populated(CgroupId id) const {
  bool found = false;
  world_.tasks.for_each(
      [&](TaskId, const Task& t) { found = found || (t.cgroup == id && !t.exiting()); });
  return found;
}

bool Model::has_groups_below(CgroupId id) const {
  bool found = false;
  world_.cgroups.for_each(
      [&](CgroupId, const Cgroup& g) { found = found || (g.parent == id && !g.removed); });
  return found;
}

/// Whether one more task can be in a group, and in all that it lies in.
bool Model::has_room_for_task(CgroupId id) {
  const CgroupId own = id;
  for (;; id = world_.cgroups[id].parent) {
    const PidsLimit limit = limit_of(id);
    if (limit != PidsLimit{} && tasks_in(id) >= static_cast<std::uint32_t>(limit.n)) {
      if (id != own) cover("cgroup.full-above"_rule);
      return false;
    }
    if (!id) return true;
  }
}

/// The task counts in a group from now on, and in all that it lies in.
void Model::enter_cgroup(Task& t, CgroupId id) {
  t.cgroup = id;
  t.cgroup_place = next_place();
  for (; id; id = world_.cgroups[id].parent) world_.cgroups[id].tasks++;
}

/// A removed group goes with the last that counts in it.
void Model::leave_cgroup(Task& t) {
  CgroupId id = std::exchange(t.cgroup, CgroupId::none());
  while (id) {
    Cgroup& group = world_.cgroups[id];
    const CgroupId parent = group.parent;
    if (--group.tasks == 0 && group.removed) world_.cgroups.drop(id);
    id = parent;
  }
}

}  // namespace forkproof::spec
