/// Control groups: made, left and removed, and what a fork is charged.
///
/// Sources: kernel/cgroup/cgroup.c cgroup_mkdir(), cgroup_destroy_locked(), cgroup_attach_task();
/// kernel/cgroup/pids.c pids_try_charge(), pids_release().
#include "impl/cgroups.hpp"

#include <algorithm>

#include "impl/machine.hpp"

namespace forkproof::impl {

/// A group by its number; nothing if there is none.
std::optional<Index> ControlGroups::called(CgroupNo number) const {
  if (number == 0) return kNobody;
  const auto at = std::ranges::find(named_, number, &std::pair<CgroupNo, Index>::first);
  if (at == named_.end()) return std::nullopt;
  return at->second;
}

Outcome ControlGroups::make(const CgroupMake& op) {
  const std::optional<Index> parent = called(op.below);
  if (!parent) return Outcome::failure(Errno::noent);
  if (called(op.group)) return Outcome::failure(Errno::exist);
  const Index group = groups_.take();
  groups_[group] = {};
  groups_[group].parent = *parent;
  groups_[group].number = op.group;
  if (*parent != kNobody) {
    ++groups_[*parent].children;
    groups_[group].freezes = groups_[*parent].freezes;
  }
  named_.emplace_back(op.group, group);
  in_use_ = true;
  return Outcome::success();
}

Outcome ControlGroups::remove(const CgroupRemove& op) {
  const std::optional<Index> found = called(op.group);
  if (!found) return Outcome::failure(Errno::noent);
  if (*found == kNobody) return Outcome::failure(Errno::busy);
  Cgroup& group = groups_[*found];
  if (!group.members.empty() || group.children > 0) return Outcome::failure(Errno::busy);
  group.removed = true;
  if (group.parent != kNobody) --groups_[group.parent].children;
  std::erase(named_, std::pair{op.group, *found});
  if (group.charged == 0) groups_.give_back(*found);
  return Outcome::success();
}

Outcome ControlGroups::set_limit(const PidsMax& op) {
  const std::optional<Index> group = called(op.group);
  if (!group) return Outcome::failure(Errno::noent);
  const bool lifts = op.limit.n == PidsLimit::kMax;
  if (!lifts && (op.limit.n < 0 || op.limit.n > kPidsLimitMax))
    return Outcome::failure(Errno::inval);
  (*group == kNobody ? limit_ : groups_[*group].limit) = op.limit.n;
  in_use_ = true;
  return Outcome::success();
}

// --- charges -------------------------------------------------------------------------------------

/// A group that was removed goes with its last charge.
void ControlGroups::uncharge(Index group) {
  while (group != kNobody) {
    Cgroup& g = groups_[group];
    const Index parent = g.parent;
    if (--g.charged == 0 && g.removed) groups_.give_back(group);
    group = parent;
  }
}

bool ControlGroups::has_room(Index group, std::uint64_t tasks) const {
  const auto is_passed = [](std::int32_t limit, std::uint64_t n) {
    return limit != PidsLimit::kMax && n > static_cast<std::uint64_t>(limit);
  };
  for (Index i = group; i != kNobody; i = groups_[i].parent)
    if (is_passed(groups_[i].limit, groups_[i].charged + 1U)) return false;
  return !is_passed(limit_, tasks);
}

// --- members -------------------------------------------------------------------------------------

void ControlGroups::enter(Index task, Index group) {
  if (group == kNobody) return;
  groups_[group].members.push_back(task);
  of_task_.set(task, group);
}

void ControlGroups::move(Index task, Index to) {
  const Index from = of(task);
  if (from != kNobody) std::erase(groups_[from].members, task);
  uncharge(from);
  charge(to);
  if (to != kNobody) groups_[to].members.push_back(task);
  of_task_.set(task, to);
}

void ControlGroups::exit(Index task) {
  if (const Index group = in_use_ ? of(task) : kNobody; group != kNobody)
    std::erase(groups_[group].members, task);
}

void ControlGroups::release(Index task) {
  const Index group = of(task);
  if (group == kNobody) return;
  of_task_.set(task, kNobody);
  uncharge(group);
}

void ControlGroups::forget() { *this = {}; }

// --- freezing ------------------------------------------------------------------------------------

void ControlGroups::freeze(Index group, bool freeze, const std::function<void(Index)>& tell) {
  if (groups_[group].frozen == freeze) return;
  groups_[group].frozen = freeze;
  propagate(group, freeze, tell);
}

/// Those whose first reason to freeze comes, or whose last goes, are told.
void ControlGroups::propagate(Index group, bool freeze, const std::function<void(Index)>& tell) {
  Cgroup& g = groups_[group];
  const std::uint32_t reasons = freeze ? g.freezes++ : --g.freezes;
  if (reasons == 0)
    for (const Index member : g.members) tell(member);
  for (const auto& [number, below] : named_)
    if (groups_[below].parent == group) propagate(below, freeze, tell);
}

// --- tasks and their groups ----------------------------------------------------------------------

Outcome Machine::perform(const CgroupMove& op) {
  const std::optional<Index> group = cgroups_.called(op.group);
  if (!group) return Outcome::failure(Errno::noent);
  if (op.task.n < 0) return Outcome::failure(Errno::inval);
  const Task* const who = find(op.task.pid());
  if (who == nullptr) return Outcome::failure(Errno::srch);
  const Call in = who->call;
  if (in == Call::unborn || in == Call::unwoken || in == Call::serve)
    return Outcome::failure(Errno::inval);
  const Process& p = process_of(*who);
  for_each_thread(p, [&](Task& t) {
    if ((t.flags & task_flag::exiting.bits) != 0 || cgroups_.of(id(t)) == *group) return;
    cgroups_.move(id(t), *group);
    freeze_or_thaw(t);
  });
  touch(p);
  return Outcome::success();
}

Outcome Machine::perform(const CgroupOf& op) {
  const Task* const t = find(op.task.pid());
  if (t == nullptr) return Outcome::failure(Errno::srch);
  const Index group = cgroups_.of(id(*t));
  if (group == kNobody) return Outcome::number(0);
  if (cgroups_[group].removed) return Outcome::failure(Errno::nodev);
  return Outcome::number(cgroups_[group].number);
}

Outcome Machine::perform(const PidsCurrent& op) {
  const std::optional<Index> group = cgroups_.called(op.group);
  if (!group) return Outcome::failure(Errno::noent);
  if (*group == kNobody) return Outcome::number(static_cast<std::int64_t>(tasks_.taken()));
  return Outcome::number(cgroups_[*group].charged);
}

/// The world ends: of its tasks only the leader of init is left.
void Machine::leave_cgroups_but(Index leader) {
  for (Index p = all_.first; p != kNobody; p = all_.after(processes_, p))
    for_each_thread(processes_[p], [&](const Task& t) {
      if ((t.flags & task_flag::exiting.bits) == 0) cgroups_.exit(id(t));
      if (id(t) != leader) cgroups_.release(id(t));
    });
  cgroups_.forget_tasks();
}

// --- soundness -----------------------------------------------------------------------------------

bool ControlGroups::same_as(const ControlGroups& other) const {
  return groups_.same_as(other.groups_) && limit_ == other.limit_ && named_ == other.named_ &&
         of_task_ == other.of_task_;
}

void ControlGroups::count_in(Count& count, Index task, bool exiting) const {
  const Index own = of(task);
  if (own == kNobody) return;
  ++count.placed;
  if (!exiting) count.groups[own].members.push_back(task);
  for (Index g = own; g != kNobody; g = groups_[g].parent) ++count.groups[g].charged;
}

bool ControlGroups::sound(Count count) const {
  of_task_.for_each([&](std::uint64_t, Index) { --count.placed; });
  std::size_t there = named_.size();
  const auto freezes = [&](Index group) -> std::uint32_t {
    return group == kNobody ? 0 : groups_[group].freezes;
  };
  for (const auto& [number, group] : named_) {
    const Cgroup& g = groups_[group];
    if (g.number != number || g.removed) return false;
    if (g.freezes != freezes(g.parent) + g.frozen) return false;
    if (g.parent != kNobody) ++count.groups[g.parent].children;
  }
  for (Index i = 1; i < count.groups.size(); ++i) {
    const Cgroup& counted = count.groups[i];
    const bool named = called(groups_[i].number) == i;
    if (!named && counted.charged == 0) continue;
    there += !named;
    if (counted.charged != groups_[i].charged || counted.children != groups_[i].children ||
        !std::ranges::is_permutation(counted.members, groups_[i].members))
      return false;
  }
  return count.placed == 0 && there == groups_.taken() && groups_.sound();
}

bool Machine::sound_cgroups() const {
  return cgroups_.sound([&](auto count) {
    for (Index p = all_.first; p != kNobody; p = all_.after(processes_, p)) {
      const Ring<Threads>& threads = processes_[p].threads;
      for (Index t = threads.first; t != kNobody; t = threads.after(tasks_, t))
        count(t, (tasks_[t].flags & task_flag::exiting.bits) != 0);
    }
  });
}

}  // namespace forkproof::impl
