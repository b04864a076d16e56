/// Rules: the namespaces but those of pids, setns, and reboot.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kNamespaceRules = std::to_array<Rule>({
    {"ns.clone",
     "clone with NEWNS, NEWCGROUP, NEWUTS, NEWIPC or NEWNET puts the new task, thread or not, into "
     "a new namespace of that kind.", "namespaces.7 CLONE:1"},
    {"ns.inherited", "Otherwise a new task is in the namespaces that its maker is in.",
     "namespaces.7 CLONE:2"},
    {"ns.mounts-not-with-fs", "clone with NEWNS and FS is EINVAL.", "clone.2 NEWNS:1"},
    {"ns.ipc-not-with-undo", "clone with NEWIPC and SYSVSEM is EINVAL.", "clone.2 NEWIPC:1"},
    {"ns.time-not-by-clone",
     "clone has no NEWTIME: its bit is one of the exit signal.", "time_namespaces.7 UNSHARE:2"},
    {"ns.unshare",
     "unshare puts the calling thread, and no other of its process, into new namespaces.",
     "namespaces.7 UNSHARE:1"},
    {"ns.unshare-mounts", "unshare of NEWNS unshares FS, too.", "unshare.2 NEWNS:1"},
    {"ns.unshare-time",
     "unshare of NEWTIME leaves its caller where it is: its later children are in a new time "
     "namespace.", "time_namespaces.7 UNSHARE:1"},
    {"ns.time-children",
     "A child with memory of its own is in the time namespace that its maker keeps for children.",
     "kernel-nsproxy TIME:1"},
    {"ns.time-vm", "A task that shares its maker's memory stays in its maker's time namespace, and "
     "keeps the other for its own children.", "kernel-nsproxy TIME:1"},
    {"ns.time-exec", "An exec moves its caller into the time namespace that it kept for children.",
     "kernel-nsproxy TIME:2"},
    {"ns.exit", "A task that ends leaves its namespaces; a zombie is in none but that of its pid.",
     "kernel-nsproxy EXIT:1"},
    {"ns.same", "Two tasks are in one namespace if their links in /proc say the same.",
     "namespaces.7 PROC:1"},
    {"ns.same-kinds", "There is a link for each kind, and for nothing else: EINVAL.",
     "forkproof NS:1"},
    {"ns.same-unknown", "Where there is no task there is no link: ENOENT.", "namespaces.7 PROC:1"},
    {"ns.same-zombie", "A zombie has no link but that of its pid namespace: ENOENT.",
     "kernel-nsproxy EXIT:1"},
    {"uts.set", "sethostname names the UTS namespace of the caller, for all who are in it.",
     "uname.2 SET:1"},
    {"uts.get", "uname answers the name of the caller's UTS namespace.", "uname.2 GET:1"},
    {"uts.copied", "A new UTS namespace begins with the name that its maker's has.",
     "uname.2 COPY:1"},
    {"setns.no-number", "No task has a number below 1: EINVAL.", "setns.2 PIDFD:1"},
    {"setns.unknown", "setns to where no task has the number is ESRCH; until 5.8, ENOENT.",
     "setns.2 PIDFD:1"},
    {"setns.kinds", "setns without a kind, or with any other flag, is EINVAL.", "setns.2 EINVAL:1"},
    {"setns.one-file", "Until 5.8 setns is by the file of one kind: several kinds are EINVAL.",
     "forkproof NS:2"},
    {"setns.zombie",
     "setns to a task that has ended is ESRCH, for pid namespaces as well; until 5.8, ENOENT, but "
     "not of its pid namespace.", "kernel-nsproxy SETNS:1"},
    {"setns.mounts-shared-fs",
     "setns of NEWNS alone is EINVAL for who shares root and working directory; with other kinds "
     "it is not.", "kernel-nsproxy SETNS:2"},
    {"setns.mounts-at-root",
     "setns of NEWNS makes the root of that namespace the working directory, be it the own one, "
     "for all who share it.", "kernel-nsproxy SETNS:4"},
    {"setns.time-threads",
     "setns of NEWTIME by who has other threads, or shares its memory, is EUSERS.",
     "kernel-nsproxy SETNS:3"},
    {"setns.joins",
     "setns puts the calling thread, and no other, into the namespaces of the task, of all the "
     "kinds or of none.", "setns.2 JOIN:1"},
    {"setns.time", "setns of NEWTIME moves the caller and its later children.",
     "kernel-nsproxy SETNS:3"},
    {"setns.pid-children",
     "setns of NEWPID leaves its caller where it is: its later children are in the pid namespace "
     "that the task is in.", "pid_namespaces.7 UNSHARE:1"},
    {"reboot.unknown",
     "In a pid namespace reboot knows how to restart, halt and power off; else it is EINVAL.",
     "reboot.2 EINVAL:1"},
    {"reboot.init-killed", "Then it sends SIGKILL to the init of the caller's pid namespace.",
     "reboot.2 INIT:1"},
    {"reboot.caller-exits", "The calling thread exits, with 0.", "reboot.2 EXIT:1"},
    {"reboot.status",
     "To its parent the init was killed by SIGHUP if it was to restart, and else by SIGINT.",
     "reboot.2 STATUS:1"},
});

}  // namespace forkproof
