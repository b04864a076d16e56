/// The ops about control groups, all of them the world's: who administers a machine does them from
/// outside. Registered in spec/ops.hpp.
///
/// A group is called by a number, whichever; two groups never have the same, wherever they lie.
/// 0 is the group that everybody begins in.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

struct CgroupMake : ByWorld {
  static constexpr auto name = "cgroup_make";
  static constexpr auto says = "Makes a control group below another.";
  static constexpr auto source = "cgroups(7), creating cgroups";
  CgroupNo group = 0, below = 0;
  static constexpr std::tuple args{Arg{"group", &CgroupMake::group},
                                   Arg{"below", &CgroupMake::below, Form::key}};
  friend bool operator==(const CgroupMake&, const CgroupMake&) = default;
};

struct CgroupRemove : ByWorld {
  static constexpr auto name = "cgroup_remove";
  static constexpr auto says =
      "Removes a control group that has no groups below it and nobody in it; zombies do not count.";
  static constexpr auto source = "cgroups(7), removing a cgroup";
  CgroupNo group = 0;
  static constexpr std::tuple args{Arg{"group", &CgroupRemove::group}};
  friend bool operator==(const CgroupRemove&, const CgroupRemove&) = default;
};

struct CgroupMove : ByWorld {
  static constexpr auto name = "cgroup_move";
  static constexpr auto says =
      "Moves the process that the task is of, with all its threads, into a control group.";
  static constexpr auto source = "cgroups(7) cgroup.procs";
  TaskRef task;
  CgroupNo group = 0;
  static constexpr std::tuple args{Arg{"task", &CgroupMove::task},
                                   Arg{"group", &CgroupMove::group}};
  friend bool operator==(const CgroupMove&, const CgroupMove&) = default;
};

struct CgroupFreeze : ByWorld {
  static constexpr auto name = "cgroup_freeze";
  static constexpr auto says =
      "Keeps all tasks in a control group and below it from running, but for SIGKILL and the like.";
  static constexpr auto source = "cgroups(7); the kernel's cgroup-v2.rst, cgroup.freeze";
  CgroupNo group = 0;
  static constexpr std::tuple args{Arg{"group", &CgroupFreeze::group}};
  friend bool operator==(const CgroupFreeze&, const CgroupFreeze&) = default;
};

struct CgroupThaw : ByWorld {
  static constexpr auto name = "cgroup_thaw";
  static constexpr auto says =
      "Lets the tasks in a control group and below it run again, unless a group above is frozen.";
  static constexpr auto source = "cgroups(7); the kernel's cgroup-v2.rst, cgroup.freeze";
  CgroupNo group = 0;
  static constexpr std::tuple args{Arg{"group", &CgroupThaw::group}};
  friend bool operator==(const CgroupThaw&, const CgroupThaw&) = default;
};

struct CgroupOf : ByWorld {
  static constexpr auto name = "cgroup_of";
  static constexpr auto says = "Answers the control group of a task; ENODEV if it was removed.";
  static constexpr auto source = "cgroups(7) /proc/PID/cgroup";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &CgroupOf::task}};
  friend bool operator==(const CgroupOf&, const CgroupOf&) = default;
};

struct PidsMax : ByWorld {
  static constexpr auto name = "pids_max";
  static constexpr auto says =
      "Bounds how many tasks there may be in a control group and below it: 0..4194304, or max.";
  static constexpr auto source = "cgroups(7) pids";
  CgroupNo group = 0;
  PidsLimit limit;
  static constexpr std::tuple args{Arg{"group", &PidsMax::group}, Arg{"limit", &PidsMax::limit}};
  friend bool operator==(const PidsMax&, const PidsMax&) = default;
};

struct PidsCurrent : ByWorld {
  static constexpr auto name = "pids_current";
  static constexpr auto says =
      "Answers how many tasks there are in a control group and below it, zombies included.";
  static constexpr auto source = "cgroups(7) pids";
  CgroupNo group = 0;
  static constexpr std::tuple args{Arg{"group", &PidsCurrent::group}};
  friend bool operator==(const PidsCurrent&, const PidsCurrent&) = default;
};

}  // namespace forkproof
