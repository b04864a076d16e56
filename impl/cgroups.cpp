/// Control groups: made, left and removed, and what a fork is charged.
///
/// Sources: kernel/cgroup/cgroup.c cgroup_mkdir(), cgroup_destroy_locked(), cgroup_attach_task();
/// kernel/cgroup/pids.c pids_try_charge(), pids_release().
#include <algorithm>

#include "impl/machine.hpp"

namespace forkproof::impl {

/// A group by its number; nothing if there is none, and kNobody for group 0.
std::optional<Index> Machine::cgroup_called(CgroupNo number) const {
  if (number == 0) return kNobody;
  const auto at = std::ranges::find(named_cgroups_, number, &std::pair<CgroupNo, Index>::first);
  if (at == named_cgroups_.end()) return std::nullopt;
  return at->second;
}

Outcome Machine::perform(const CgroupMake& op) {
  const std::optional<Index> parent = cgroup_called(op.below);
  if (!parent) return Outcome::failure(Errno::noent);
  if (cgroup_called(op.group)) return Outcome::failure(Errno::exist);
  const Index group = cgroups_.take();
  cgroups_[group] = {};
  cgroups_[group].parent = *parent;
  cgroups_[group].number = op.group;
  if (*parent != kNobody) {
    ++cgroups_[*parent].children;
    cgroups_[group].freezes = cgroups_[*parent].freezes;
  }
  named_cgroups_.emplace_back(op.group, group);
  cgroups_in_use_ = true;
  return Outcome::success();
}

Outcome Machine::perform(const CgroupRemove& op) {
  const std::optional<Index> found = cgroup_called(op.group);
  if (!found) return Outcome::failure(Errno::noent);
  if (*found == kNobody) return Outcome::failure(Errno::busy);
  Cgroup& group = cgroups_[*found];
  if (!group.members.empty() || group.children > 0) return Outcome::failure(Errno::busy);
  group.removed = true;
  if (group.parent != kNobody) --cgroups_[group.parent].children;
  std::erase(named_cgroups_, std::pair{op.group, *found});
  if (group.charged == 0) cgroups_.give_back(*found);
  return Outcome::success();
}

Outcome Machine::perform(const CgroupMove& op) {
  const std::optional<Index> group = cgroup_called(op.group);
  if (!group) return Outcome::failure(Errno::noent);
  if (op.task.n < 0) return Outcome::failure(Errno::inval);
  const Task* const who = find(op.task.pid());
  if (who == nullptr) return Outcome::failure(Errno::srch);
  const Process& p = process_of(*who);
  for_each_thread(p, [&](Task& t) {
    const Index from = cgroup_of(t);
    if ((t.flags & task_flag::exiting.bits) != 0 || from == *group) return;
    if (from != kNobody) std::erase(cgroups_[from].members, id(t));
    uncharge(from);
    charge(*group);
    if (*group != kNobody) cgroups_[*group].members.push_back(id(t));
    cgroup_of_task_.set(id(t), *group);
    freeze_or_thaw(t);
  });
  touch(p);
  return Outcome::success();
}

Outcome Machine::perform(const CgroupOf& op) {
  const Task* const t = find(op.task.pid());
  if (t == nullptr) return Outcome::failure(Errno::srch);
  const Index group = cgroup_of(*t);
  if (group == kNobody) return Outcome::number(0);
  if (cgroups_[group].removed) return Outcome::failure(Errno::nodev);
  return Outcome::number(cgroups_[group].number);
}

Outcome Machine::perform(const PidsMax& op) {
  const std::optional<Index> group = cgroup_called(op.group);
  if (!group) return Outcome::failure(Errno::noent);
  const bool lifts = op.limit.n == PidsLimit::kMax;
  if (!lifts && (op.limit.n < 0 || op.limit.n > kPidsLimitMax))
    return Outcome::failure(Errno::inval);
  (*group == kNobody ? limit_ : cgroups_[*group].limit) = op.limit.n;
  cgroups_in_use_ = true;
  return Outcome::success();
}

Outcome Machine::perform(const PidsCurrent& op) {
  const std::optional<Index> group = cgroup_called(op.group);
  if (!group) return Outcome::failure(Errno::noent);
  if (*group == kNobody) return Outcome::number(static_cast<std::int64_t>(tasks_.taken()));
  return Outcome::number(cgroups_[*group].charged);
}

// --- charges -------------------------------------------------------------------------------------

void Machine::charge(Index group) {
  for (; group != kNobody; group = cgroups_[group].parent) ++cgroups_[group].charged;
}

/// A group that was removed goes with its last charge.
void Machine::uncharge(Index group) {
  while (group != kNobody) {
    Cgroup& g = cgroups_[group];
    const Index parent = g.parent;
    if (--g.charged == 0 && g.removed) cgroups_.give_back(group);
    group = parent;
  }
}

/// Whether a group and those above it have room for the task that is being made.
bool Machine::has_room(Index group) const {
  const auto is_passed = [](std::int32_t limit, std::uint64_t tasks) {
    return limit != PidsLimit::kMax && tasks > static_cast<std::uint64_t>(limit);
  };
  for (Index i = group; i != kNobody; i = cgroups_[i].parent)
    if (is_passed(cgroups_[i].limit, cgroups_[i].charged + 1U)) return false;
  return !is_passed(limit_, tasks_.taken());  // it has its record already
}

/// The new task is in its maker's group for good.
void Machine::cgroup_post_fork(const Task& t, Index group) {
  if (group == kNobody) return;
  cgroups_[group].members.push_back(id(t));
  cgroup_of_task_.set(id(t), group);
}

/// A task that ends keeps its group, and does not keep it from being removed.
void Machine::cgroup_exit(const Task& t) {
  if (!cgroups_in_use_) return;
  const Index group = cgroup_of(t);
  if (group != kNobody) std::erase(cgroups_[group].members, id(t));
}

void Machine::cgroup_release(Index task) {
  const Index group = cgroup_of_task_.find(task);
  if (group == kNobody) return;
  cgroup_of_task_.set(task, kNobody);
  uncharge(group);
}

/// The world ends: of its tasks only the leader of init is left.
void Machine::leave_cgroups_but(Index leader) {
  for (Index p = all_.first; p != kNobody; p = all_.after(processes_, p))
    for_each_thread(processes_[p], [&](const Task& t) {
      if ((t.flags & task_flag::exiting.bits) == 0) cgroup_exit(t);
      if (id(t) != leader) cgroup_release(id(t));
    });
  cgroup_of_task_.clear();
}

void Machine::forget_cgroups() {
  cgroups_.clear();
  named_cgroups_.clear();
  cgroup_of_task_.clear();
  limit_ = PidsLimit::kMax;
  cgroups_in_use_ = false;
}

/// The charges are those of the tasks that there are, and every group that is kept is for somebody.
bool Machine::sound_cgroups() const {
  std::vector<Cgroup> counted(cgroups_.end());
  std::size_t placed = 0;
  for (Index p = all_.first; p != kNobody; p = all_.after(processes_, p)) {
    const Ring<Threads>& threads = processes_[p].threads;
    for (Index t = threads.first; t != kNobody; t = threads.after(tasks_, t)) {
      const Index own = cgroup_of_task_.find(t);
      if (own == kNobody) continue;
      ++placed;
      if ((tasks_[t].flags & task_flag::exiting.bits) == 0) counted[own].members.push_back(t);
      for (Index g = own; g != kNobody; g = cgroups_[g].parent) ++counted[g].charged;
    }
  }
  cgroup_of_task_.for_each([&](std::uint64_t, Index) { --placed; });
  std::size_t there = named_cgroups_.size();
  const auto freezes = [&](Index group) -> std::uint32_t {
    return group == kNobody ? 0 : cgroups_[group].freezes;
  };
  for (const auto& [number, group] : named_cgroups_) {
    if (cgroups_[group].number != number || cgroups_[group].removed) return false;
    if (freezes(group) != freezes(cgroups_[group].parent) + cgroups_[group].frozen) return false;
    if (cgroups_[group].parent != kNobody) ++counted[cgroups_[group].parent].children;
  }
  for (Index g = 1; g < counted.size(); ++g) {
    const bool named = cgroup_called(cgroups_[g].number) == g;
    if (!named && counted[g].charged == 0) continue;
    there += !named;
    if (counted[g].charged != cgroups_[g].charged || counted[g].children != cgroups_[g].children ||
        !std::ranges::is_permutation(counted[g].members, cgroups_[g].members))
      return false;
  }
  return placed == 0 && there == cgroups_.taken() && cgroups_.sound();
}

}  // namespace forkproof::impl
