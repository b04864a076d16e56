/// States that a good campaign must witness: of namespaces, and of pidfds that reach across them.
#pragma once
#include <algorithm>
#include <string_view>

#include "spec/invariants/attributes.hpp"
#include "spec/world.hpp"

namespace forkproof::spec {

struct NamespaceInNamespace {
  static constexpr std::string_view id = "SOMETIMES-26",
                                    says = "A task is two pid namespaces below the world's own.";
  static bool holds(const World& w, TaskId t) {
    return w.level_of(w.process_of(w.tasks[t]).ns) == 2;
  }
};

struct InitOutlivesItsNamespace {
  static constexpr std::string_view
      id = "SOMETIMES-27",
      says = "An init ends, and waits for one in its pid namespace whose parent is outside.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::outlive;
  }
};

struct OrphanOfInnerInit {
  static constexpr std::string_view
      id = "SOMETIMES-28",
      says = "The init of a pid namespace below the world's own has adopted somebody.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return task.adopted_at == w.step && task.parent && w.process_of(task).ns &&
           w.process_of(w.tasks[task.parent]).unkillable;
  }
};

struct InnerInitStopped {
  static constexpr std::string_view id = "SOMETIMES-29",
                                    says = "The init of a pid namespace is stopped from above.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].stopped && w.process_of(w.tasks[t]).unkillable;
  }
};

struct NumberPinnedFromAbove {
  static constexpr std::string_view
      id = "SOMETIMES-30",
      says = "A number in a pid namespace is in use only as the group of somebody outside.";
  static bool holds(const World& w, TaskId t) {
    const Process& p = w.process_of(w.tasks[t]);
    const Number* const group = w.numbers.find(p.pgid.n);
    return group != nullptr && !group->task && !group->inner.empty() &&
           w.seen_in(p.ns, p.pgid).n != group->inner.front().number.n;
  }
};

struct ThreadsWithNamesOfTheirOwn {
  static constexpr std::string_view
      id = "SOMETIMES-44", says = "Two threads of one process are in different UTS namespaces.";
  static bool holds(const World& w, TaskId t) {
    const Task& leader = w.leader_of(w.tasks[t]);
    return !leader.exiting() && !w.tasks[t].exiting() &&
           w.proxy_of(leader).uts != w.proxy_of(w.tasks[t]).uts;
  }
};

struct ChildrenTwoBelow {
  static constexpr std::string_view
      id = "SOMETIMES-45",
      says = "A task's children will be two pid namespaces below its own, where setns led.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return w.level_of(task.child_ns) >= w.level_of(w.process_of(task).ns) + 2;
  }
};

struct InjectedAndOrphaned {
  static constexpr std::string_view
      id = "SOMETIMES-46",
      says = "A task that is no init, and whose parent was in a pid namespace above, was adopted "
             "by one in that.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    const Process& p = w.process_of(task);
    return task.adopted_at == w.step && !w.over && task.parent && p.ns && !p.unkillable &&
           w.process_of(w.tasks[task.parent]).ns != p.ns;
  }
};

struct TimeOfChildrenDiffers {
  static constexpr std::string_view
      id = "SOMETIMES-47",
      says = "A task that shares its maker's memory keeps another time namespace for its children.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    if (!task.proxy || !task.space || w.spaces[task.space].users < 2) return false;
    return w.proxies[task.proxy].time != w.proxies[task.proxy].children_time;
  }
};

struct EndedByReboot {
  static constexpr std::string_view
      id = "SOMETIMES-48",
      says = "The init of a pid namespace is a zombie that a reboot ended.";
  static bool holds(const World& w, TaskId t) {
    const Process& p = w.process_of(w.tasks[t]);
    return p.ns && p.unkillable && w.tasks[t].zombie && w.namespaces[p.ns].reboot != sig::none;
  }
};

/// Whether a task has a pidfd that `f(pidfd, target)` holds of.
bool has_pidfd(const World& w, TaskId t, auto&& f) {
  bool any = false;
  for_each_pidfd(w, t, [&](const OpenFile& pidfd, TaskId target) {
    any = any || f(pidfd, target);
  });
  return any;
}

struct PidfdOfNumberReused {
  static constexpr std::string_view
      id = "SOMETIMES-31",
      says = "A pidfd stands for one that was reaped, and somebody else has its number.";
  static bool holds(const World& w, TaskId t) {
    return has_pidfd(w, t, [&](const OpenFile& pidfd, TaskId target) {
      return !target && w.task_of(pidfd.target);
    });
  }
};

struct PidfdOfDelayedLeader {
  static constexpr std::string_view
      id = "SOMETIMES-32", says = "A pidfd stands for a dead leader whose threads live.";
  static bool holds(const World& w, TaskId t) {
    return has_pidfd(w, t, [&](const OpenFile&, TaskId target) {
      return target && w.tasks[target].zombie && w.process_of(w.tasks[target]).running_threads > 0;
    });
  }
};

struct SleepsByPidfd {
  static constexpr std::string_view id = "SOMETIMES-33",
                                    says = "A thread sleeps in a wait by a pidfd.";
  static bool holds(const World& w, TaskId t) {
    const Call& call = w.tasks[t].call;
    if (call.kind != Call::Kind::wait) return false;
    const auto* const waitid = std::get_if<Waitid>(&call.again);
    return waitid != nullptr && waitid->selector.kind == IdSelector::Kind::pidfd;
  }
};

struct PidfdOutOfSight {
  static constexpr std::string_view
      id = "SOMETIMES-34",
      says = "A pidfd stands for one that who has it cannot see from its pid namespace.";
  static bool holds(const World& w, TaskId t) {
    const NamespaceId own = w.process_of(w.tasks[t]).ns;
    return has_pidfd(w, t, [&](const OpenFile& pidfd, TaskId target) {
      return target && w.seen_in(own, pidfd.target).n == 0;
    });
  }
};

}  // namespace forkproof::spec
