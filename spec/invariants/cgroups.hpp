/// The invariants about control groups: see spec/invariants.hpp.
#pragma once
#include <algorithm>
#include <string_view>
#include <vector>

#include "spec/world.hpp"

namespace forkproof::spec {

struct GroupsOfTheLivingAreThere {
  static constexpr std::string_view id = "CGROUP-1";
  static constexpr std::string_view says =
      "A task is in exactly one control group; as long as it has not begun to end that one is not "
      "removed, and the other threads of its process are in it, too.";
  static constexpr std::string_view source = "kernel-cgroup DESTROY:1";
  static bool applies(const auto& w, TaskId t) { return static_cast<bool>(w.tasks[t].cgroup); }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (task.cgroup && !w.cgroups.has(task.cgroup)) return false;
    if (task.exiting()) return true;
    if (task.cgroup && w.cgroups[task.cgroup].removed) return false;
    return std::ranges::all_of(w.process_of(task).threads, [&](TaskId other) {
      return w.tasks[other].exiting() || w.tasks[other].cgroup == task.cgroup;
    });
  }
};

struct FrozenTasksAreOfFrozenGroups {
  static constexpr std::string_view id = "CGROUP-4";
  static constexpr std::string_view says =
      "Whose control group is frozen, or lies in one that is, is frozen, stopped, asleep beyond "
      "signals, a kernel thread, or has begun to end; nobody else is frozen.";
  static constexpr std::string_view source = "kernel-cgroup-freezer FREEZE:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].frozen || w.freezes(w.tasks[t]);
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (task.frozen) return w.freezes(task) && !task.stopped && !task.exiting();
    return !w.freezes(task) || task.stopped || task.exiting() || task.sleeps_deeply();
  }
};

struct ChargesAreTrue {
  static constexpr std::string_view id = "CGROUP-2";
  static constexpr std::string_view says =
      "Each control group counts the tasks in it and below it that are not yet released, and no "
      "others; one that was removed is there as long as it counts somebody.";
  static constexpr std::string_view source = "kernel-cgroup-pids RELEASE:1";
  static bool applies(const auto& w) { return w.cgroups.size() > 0; }
  static bool holds(const auto& w) {
    std::vector<std::uint32_t> counted(w.cgroups.capacity());
    w.tasks.for_each([&](TaskId, const auto& t) {
      for (CgroupId at = t.cgroup; at; at = w.cgroups[at].parent) ++counted[at.n];
    });
    bool same = true;
    w.cgroups.for_each([&](CgroupId id, const auto& group) {
      same = same && counted[id.n] == group.tasks && (!group.removed || group.tasks > 0);
    });
    return same;
  }
};

struct GroupsLieInGroups {
  static constexpr std::string_view id = "CGROUP-3";
  static constexpr std::string_view says =
      "What a control group lies in is there, and is not removed before it; no two that are there "
      "are called by one number.";
  static constexpr std::string_view source = "kernel-cgroup DESTROY:2";
  static bool applies(const auto& w) { return w.cgroups.size() > 0; }
  static bool holds(const auto& w) {
    bool fine = true;
    w.cgroups.for_each([&](CgroupId id, const auto& group) {
      if (group.parent && (!w.cgroups.has(group.parent) ||
                           (w.cgroups[group.parent].removed && !group.removed)))
        fine = false;
      if (!group.removed && (group.number == 0 || w.cgroup_called(group.number) != id))
        fine = false;
    });
    return fine;
  }
};

}  // namespace forkproof::spec
