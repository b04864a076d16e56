/// Control groups: where they lie, and how many tasks are in them.
///
/// A task in group 0 has no entry anywhere, so that a machine without other groups pays nothing; of
/// others the group is found by the index of the task. Each group counts its own tasks and those
/// below it, so that a fork asks each limit on its way up once.
///
/// Sources: kernel/cgroup/cgroup.c, kernel/cgroup/pids.c struct pids_cgroup.
#pragma once
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "impl/arena.hpp"
#include "impl/namespaces.hpp"
#include "spec/ops.hpp"
#include "spec/outcome.hpp"

namespace forkproof::impl {

struct Cgroup {
  Index parent = kNobody;  // nobody: group 0
  CgroupNo number = 0;
  std::int32_t limit = PidsLimit::kMax;
  std::uint32_t charged = 0;   // tasks that are not yet released, here and below
  std::uint32_t children = 0;  // groups directly below that were not removed
  std::uint32_t freezes = 0;   // how many of it and those above are frozen
  bool frozen = false;         // is it itself
  bool removed = false;
  std::vector<Index> members;  // tasks that have not begun to end, here, as they came

  friend bool operator==(const Cgroup&, const Cgroup&) = default;
};

/// The hierarchy. Tasks are indices here; kNobody stands for group 0.
class ControlGroups {
 public:
  /// Whether there ever was another group, or a limit.
  bool in_use() const { return in_use_; }
  std::optional<Index> called(CgroupNo number) const;
  Index of(Index task) const { return of_task_.find(task); }
  const Cgroup& operator[](Index group) const { return groups_[group]; }
  Outcome make(const CgroupMake& op);
  Outcome remove(const CgroupRemove& op);
  Outcome set_limit(const PidsMax& op);
  /// Sets whether a group itself is frozen. Calls `tell(task)` for each task whose first reason to
  /// be frozen comes, or whose last goes.
  void freeze(Index group, bool freeze, const std::function<void(Index)>& tell);
  bool is_frozen(Index task) const {
    const Index group = in_use_ ? of(task) : kNobody;
    return group != kNobody && groups_[group].freezes > 0;
  }

  void charge(Index group) {
    for (; group != kNobody; group = groups_[group].parent) ++groups_[group].charged;
  }
  void uncharge(Index group);
  /// Whether a group and those above it have room for the last of so many tasks in all.
  bool has_room(Index group, std::uint64_t tasks) const;
  /// A task that is charged to the group is in it.
  void enter(Index task, Index group);
  /// A task goes to another group, with its charge.
  void move(Index task, Index to);
  /// A task that ends keeps its group, and does not keep it from being removed.
  void exit(Index task);
  void release(Index task);
  /// Of a task that gets another record.
  void rename(Index task, Index group) { of_task_.set(task, group); }
  void forget_tasks() { of_task_.clear(); }
  void forget();

  bool same_as(const ControlGroups& other) const;
  /// Whether the charges are those of the tasks that `for_each_task(f)` calls `f(task, exiting)`
  /// with, and every group that is kept is for somebody.
  bool sound(auto for_each_task) const {
    Count count{std::vector<Cgroup>(groups_.end()), 0};
    for_each_task([&](Index task, bool exiting) { count_in(count, task, exiting); });
    return sound(std::move(count));
  }

 private:
  struct Count {
    std::vector<Cgroup> groups;
    std::size_t placed;
  };
  void propagate(Index group, bool freeze, const std::function<void(Index)>& tell);
  void count_in(Count& count, Index task, bool exiting) const;
  bool sound(Count count) const;

  Arena<Cgroup> groups_;
  std::vector<std::pair<CgroupNo, Index>> named_;  // those that were not removed
  SparseNumbers of_task_;                          // of the tasks that are not in group 0
  std::int32_t limit_ = PidsLimit::kMax;           // of group 0
  bool in_use_ = false;
};

}  // namespace forkproof::impl
