/// Rules: process groups and sessions: who may move where, and what orphans suffer.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kGroupRules = std::to_array<Rule>({
    {"group.getpgid",
     "getpgid answers the process group of the task; for 0 that of the caller.", "setpgid.2 GET:1"},
    {"group.getpgid-no-task", "getpgid for a number that no task has is ESRCH.", "setpgid.2 GET:2"},
    {"group.zombie",
     "A zombie is still in its group and session, and the calls that look for tasks find it.",
     "kernel-sys ZOMBIE:1"},
    {"group.negative", "setpgid to a negative group is EINVAL.", "setpgid.2 EINVAL:1"},
    {"group.no-task", "setpgid for a number that no task has is ESRCH.", "setpgid.2 ESRCH:1"},
    {"group.thread-number",
     "setpgid for a thread that is not its process's leader is EINVAL.", "kernel-sys SETPGID:2"},
    {"group.other-session",
     "setpgid for a child in another session is EPERM.", "setpgid.2 EPERM:1"},
    {"group.after-exec",
     "setpgid for a child that has done an exec is EACCES.", "setpgid.2 EACCES:1"},
    {"group.not-child",
     "setpgid for a process that is neither the caller's nor a child of it is ESRCH.",
     "setpgid.2 ESRCH:1"},
    {"group.session-leader", "setpgid for a session leader is EPERM.", "setpgid.2 EPERM:2"},
    {"group.no-such-group",
     "setpgid into a group that has no member in the caller's session is EPERM.",
     "setpgid.2 EPERM:3"},
    {"group.zero",
     "With setpgid the task 0 is the caller's process, and the group 0 the task's own number.",
     "setpgid.2 ZERO:1"},
    {"group.new",
     "setpgid into the group of the task's own number makes that group, if need be, without asking "
     "for members.", "setpgid.2 MOVE:2"},
    {"group.move",
     "setpgid moves the whole process, and it joins behind the members that the group has.",
     "setpgid.2 MOVE:1"},
    {"group.orphaned",
     "A group is orphaned when no member has a parent in another group of the same session.",
     "credentials.7 ORPHAN:1"},
    {"group.hangup-on-exit",
     "When the end of a process orphans a group with a stopped member, the group gets SIGHUP, then "
     "SIGCONT.", "exit.2 ORPHAN:2"},
    {"group.hangup-on-adoption",
     "When an adoption orphans the group of a child, and a member has stopped, the group gets "
     "SIGHUP, then SIGCONT.", "kernel-exit ORPHAN:2"},
    {"group.no-hangup-running",
     "A group without a stopped member gets nothing when it is orphaned.", "kernel-exit ORPHAN:3"},
    {"group.hangup-whole-process",
     "Only the end of the last thread of a process can orphan its own group.",
     "kernel-exit ORPHAN:4"},

    {"session.getsid",
     "getsid answers the session of the task; for 0 that of the caller.", "setpgid.2 SID:1"},
    {"session.getsid-no-task", "getsid for a number that no task has is ESRCH.", "setpgid.2 SID:2"},
    {"session.already-leader", "setsid by the leader of a session is EPERM.", "setpgid.2 SETSID:2"},
    {"session.group-exists",
     "setsid is EPERM while any process is in the group of the caller's number, zombies too.",
     "setpgid.2 SETSID:2"},
    {"session.new",
     "setsid makes a new session and a new group, both with the number of the caller's process, "
     "and answers it.", "setpgid.2 SETSID:1"},
});

}  // namespace forkproof
