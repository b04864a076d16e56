/// Frozen control groups: whose tasks do not go on until they are thawed.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

/// Why a group has no switch to freeze it; nothing if it has.
Model::Answer Model::refuses_freezer(CgroupNo group) {
  if (!linux_6()) return fails(Errno::noent, "freezer.not-yet"_rule);
  if (!world_.has_cgroup(group)) return fails(Errno::noent, "freezer.nowhere"_rule);
  if (group == 0) return fails(Errno::noent, "freezer.not-the-first"_rule);
  return std::nullopt;
}

Outcome Model::turn(const CgroupFreeze& op) {
  if (const Answer refused = refuses_freezer(op.group)) return *refused;

  const CgroupId group = world_.cgroup_called(op.group);
  const bool already = world_.freezes(group);
  world_.cgroups[group].frozen = true;
  if (!already)
    for (const TaskId id : living_in(group)) freeze_or_thaw(id);
  return answers(Outcome::success(), "freezer.freeze"_rule);
}

Outcome Model::turn(const CgroupThaw& op) {
  if (const Answer refused = refuses_freezer(op.group)) return *refused;

  const CgroupId group = world_.cgroup_called(op.group);
  world_.cgroups[group].frozen = false;
  if (world_.freezes(group)) cover("freezer.frozen-above"_rule);
  for (const TaskId id : living_in(group)) freeze_or_thaw(id);
  return answers(Outcome::success(), "freezer.thaw"_rule);
}

/// Those who have not begun to end, in a group and then in those below it, as they came there.
std::vector<TaskId> Model::living_in(CgroupId group) const {
  std::vector<TaskId> found;
  world_.tasks.for_each([&](TaskId id, const Task& t) {
    if (t.cgroup == group && !t.exiting()) found.push_back(id);
  });
  std::ranges::sort(found, {}, [&](TaskId id) { return world_.tasks[id].cgroup_place; });
  std::vector<CgroupId> below;
  world_.cgroups.for_each([&](CgroupId id, const Cgroup& g) {
    if (g.parent == group && !g.removed) below.push_back(id);
  });
  std::ranges::sort(below, {}, [&](CgroupId id) { return world_.cgroups[id].made; });
  for (const CgroupId id : below) std::ranges::copy(living_in(id), std::back_inserter(found));
  return found;
}

/// The task is told that its group is frozen, or not any more.
void Model::freeze_or_thaw(TaskId id) {
  Task& t = world_.tasks[id];
  if (world_.freezes(t.cgroup)) {
    if (t.in_kernel()) return cover("freezer.not-kthreads"_rule);
    if (!t.frozen) draw_attention(id, false);
    return;
  }
  if (!t.frozen) return;
  cover("freezer.goes-on"_rule);
  t.frozen = false;
  t.attention = true;  // it looks at its signals before it goes on
  touch(id);
  wake(id);
}

/// What a task does on its way back to its program instead of going there. Its signals wait.
void Model::freeze(TaskId id) {
  Task& t = world_.tasks[id];
  using Kind = Call::Kind;
  if (t.call.kind == Kind::wait || t.call.kind == Kind::pause || t.call.kind == Kind::poll)
    cover("freezer.sleeps-end"_rule);
  if (t.call.kind == Kind::held) cover("freezer.answer-kept"_rule);
  if (!world().deliverable(t).empty()) cover("freezer.signals-wait"_rule);
  t.frozen = true;
  t.attention = false;
  t.call.interrupted = true;
  touch(id);
}

}  // namespace forkproof::spec
