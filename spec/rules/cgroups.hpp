/// Rules: control groups, who is in them, and how many tasks they may have.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kCgroupRules = std::to_array<Rule>({
    {"cgroup.make", "A control group is made below another, with nobody in it and no limit.",
     "cgroups.7 MAKE:1"},
    {"cgroup.make-nowhere", "Below a control group that is not there none is made: ENOENT.",
     "cgroups.7 MAKE:2"},
    {"cgroup.make-exists", "A control group that is there is not made again: EEXIST.",
     "forkproof CGROUP:1"},
    {"cgroup.remove", "A control group in which and below which nobody is can be removed.",
     "cgroups.7 REMOVE:1"},
    {"cgroup.remove-unknown", "A control group that is not there cannot be removed: ENOENT.",
     "cgroups.7 MAKE:2"},
    {"cgroup.remove-first", "Group 0 is never removed: EBUSY.", "forkproof CGROUP:2"},
    {"cgroup.remove-populated",
     "A control group with a task in it that has not begun to end is not removed: EBUSY.",
     "kernel-cgroup DESTROY:1"},
    {"cgroup.remove-parent", "A control group with others below it is not removed: EBUSY.",
     "kernel-cgroup DESTROY:2"},
    {"cgroup.remove-zombies",
     "Zombies, and inits that only wait for their namespace to empty, do not keep a control group.",
     "kernel-cgroup EXIT:1"},

    {"cgroup.move", "A process is moved into a control group.", "cgroups.7 MOVE:1"},
    {"cgroup.move-threads",
     "All threads of the process go along, whichever of them was named.", "cgroups.7 MOVE:1"},
    {"cgroup.move-not-the-dead",
     "Zombies stay where they are, a dead leader among its threads, too; it is no failure to move "
     "nobody.", "kernel-cgroup MIGRATE:1"},
    {"cgroup.move-over-limit",
     "A limit does not keep a process from being moved into a control group.",
     "kernel-cgroup-pids ATTACH:1"},
    {"cgroup.move-nowhere",
     "A move into a control group that is not there is ENOENT, whoever is moved.",
     "cgroups.7 MAKE:2"},
    {"cgroup.move-negative", "A move of a negative number is EINVAL.", "kernel-cgroup PROCS:1"},
    {"cgroup.move-unknown", "A move of a number that no task has is ESRCH.",
     "kernel-cgroup PROCS:2"},

    {"cgroup.born", "A new task is in the control group of its maker, also with PARENT.",
     "cgroups.7 FORK:1"},
    {"cgroup.first", "Everybody begins in group 0.", "forkproof CGROUP:2"},
    {"cgroup.of", "The control group of a task is shown, by /proc.", "cgroups.7 PROC:1"},
    {"cgroup.of-zombie", "A zombie is shown in the control group in which it ended.",
     "kernel-cgroup PROC:1"},
    {"cgroup.of-removed",
     "A zombie whose control group was removed is in that one for good, and not in a later one "
     "with its name: ENODEV.", "kernel-cgroup PROC:2"},
    {"cgroup.of-unknown", "A number that no task has is in no control group: ESRCH.",
     "forkproof CGROUP:3"},

    {"cgroup.limit", "The limit of a control group may be set to any number, or lifted.",
     "cgroups.7 PIDS:1"},
    {"cgroup.limit-below-current", "A limit below what there is takes nobody away.",
     "cgroups.7 PIDS:3"},
    {"cgroup.limit-range", "A limit below 0 or above 4194304 is EINVAL.",
     "kernel-cgroup-pids MAX:1"},
    {"cgroup.limit-nowhere", "A control group that is not there has no limit: ENOENT.",
     "cgroups.7 MAKE:2"},
    {"cgroup.full", "A fork that would bring its control group above its limit is EAGAIN; the "
     "number that it was given is passed.", "kernel-cgroup-pids FORK:1"},
    {"cgroup.full-above", "The limits of the control groups above count as well.",
     "cgroups.7 PIDS:2"},
    {"cgroup.current",
     "All tasks in a control group and below it count, threads by themselves, and zombies until "
     "they are reaped; those in removed ones count above.", "kernel-cgroup-pids RELEASE:1"},
    {"cgroup.current-nowhere", "In a control group that is not there nobody is counted: ENOENT.",
     "cgroups.7 MAKE:2"},

    {"freezer.freeze",
     "The tasks in a frozen control group, and in those below it, do not go on; they sleep.",
     "kernel-cgroup-freezer FREEZE:1"},
    {"freezer.thaw", "A control group that is thawed is frozen no longer.",
     "kernel-cgroup-freezer THAW:1"},
    {"freezer.goes-on",
     "Who is thawed, or moved out, deals with its signals, and then goes on or sleeps again.",
     "kernel-cgroup-freezer THAW:1"},
    {"freezer.frozen-above", "Below a control group that is frozen nobody is thawed.",
     "kernel-cgroup-freezer FREEZE:2"},
    {"freezer.sleeps-end",
     "Who sleeps in a wait or a pause leaves it to freeze, and is not woken there; thawed it makes "
     "the call again.", "kernel-cgroup-freezer TRAP:1"},
    {"freezer.answer-kept",
     "A call that is over, as a vfork whose child has let go, does not return while its task's "
     "control group is frozen.", "kernel-cgroup-freezer VFORK:1"},
    {"freezer.signals-wait",
     "A frozen task takes no signals; but one that kills without a core does so at once.",
     "kernel-cgroup-freezer TRAP:2"},
    {"freezer.nowhere", "A control group that is not there is not frozen: ENOENT.",
     "cgroups.7 MAKE:2"},
    {"freezer.not-the-first", "Group 0 has nothing to freeze it by: ENOENT.",
     "forkproof CGROUP:2"},
    {"freezer.not-yet",
     "Before 5.2 no control group of version 2 can be frozen: there is no such file, ENOENT.",
     "kernel-cgroup-freezer FILE:1"},
});

}  // namespace forkproof
