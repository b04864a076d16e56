/// Rules: pid namespaces, the numbers in them, and the end of their inits.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kPidNamespaceRules = std::to_array<Rule>({
    {"pidns.init",
     "The first task in a pid namespace has number 1 there: it is its init, which no signal from "
     "inside ends and which adopts the orphans.", "pid_namespaces.7 INIT:1"},
    {"pidns.number-each",
     "A new task gets a number in its pid namespace and in every one above, by a search of each.",
     "pid_namespaces.7 NESTING:2"},
    {"pidns.own-limit",
     "A pid namespace has a pid_max of its own, at first 4194304: that of one above does not bound "
     "the numbers in it (linux-6, as since 6.14).", "kernel-pid MAX:3"},
    {"pidns.one-limit", "Before 6.14 one pid_max bounds the numbers in every pid namespace.",
     "kernel-pid MAX:3"},
    {"pidns.sets-limit",
     "ns_pid_max sets the pid_max of the pid namespace that its caller has its number in, or the "
     "only one.", "kernel-pid MAX:3"},
    {"pidns.sets-cursor",
     "ns_pid_cursor N makes N the next number to try in the pid namespace that its caller has its "
     "number in.", "kernel-pid CURSOR:4"},
    {"pidns.limit-right",
     "ns_pid_max is EACCES where the pid namespace belongs to a user namespace that does not know "
     "root, unless the caller has SYS_ADMIN there.", "kernel-pid CURSOR:4"},
    {"pidns.cursor-right",
     "ns_pid_cursor without CHECKPOINT_RESTORE, which no trace drops, where the pid namespace "
     "belongs is EPERM, whatever the value; before 5.9 without SYS_ADMIN.",
     "kernel-pid CURSOR:4"},
    {"pidns.no-thread",
     "A thread cannot be in another pid namespace than its process: clone with THREAD and NEWPID, "
     "or with THREAD after an unshare of NEWPID, is EINVAL.", "clone.2 NEWPID:1"},
    {"pidns.not-twice",
     "Who has unshared NEWPID cannot do so again, nor clone with NEWPID: EINVAL.",
     "kernel-pid-namespace NEW:1"},
    {"pidns.depth",
     "No more than 32 pid namespaces lie in one another, the world's own being the first: ENOSPC.",
     "forkproof WORLD:8"},
    {"pidns.unshare",
     "unshare of NEWPID leaves its caller where it is: its next child is the init of a new pid "
     "namespace, and so are its later ones in that.", "pid_namespaces.7 UNSHARE:1"},
    {"pidns.dead", "A fork into a pid namespace whose init has ended is ENOMEM.",
     "pid_namespaces.7 INIT:4"},
    {"pidns.first-again",
     "If the first task of a pid namespace cannot be made, the next one is the first.",
     "kernel-pid FIRST:1"},
    {"pidns.first-abandoned",
     "If a first number was given, and the fork fails after that, the pid namespace never gets a "
     "task.", "kernel-pid FIRST:2"},
    {"pidns.getppid-outside", "getppid of a task whose parent is in a pid namespace above is 0.",
     "pid_namespaces.7 PARENT:1"},
    {"pidns.group-outside",
     "A group or a session that was begun above the caller's pid namespace is 0 to it.",
     "credentials.7 NAMESPACE:1"},
    {"pidns.reaper-inside",
     "Orphans in a pid namespace come to its init, whatever subreapers there are above it.",
     "pid_namespaces.7 INIT:2"},
    {"pidns.subreaper-above",
     "A subreaper that comes after a pid namespace was made below it adopts nobody in there.",
     "kernel-sys SUBREAPER:2"},
    {"pidns.init-from-above",
     "SIGKILL and SIGSTOP from a pid namespace above reach an init.", "pid_namespaces.7 SIGNAL:2"},
    {"pidns.init-protected-above",
     "Other signals from above reach an init only if it has a handler for them.",
     "pid_namespaces.7 SIGNAL:3"},
    {"pidns.zap", "When the last thread of an init ends, all others in its pid namespace get "
     "SIGKILL.", "pid_namespaces.7 INIT:3"},
    {"pidns.zap-closes", "From then on the pid namespace takes no new tasks.",
     "kernel-pid-namespace ZAP:1"},
    {"pidns.zap-ignores-children",
     "An init that ends ignores SIGCHLD from then on, and so does who shares its dispositions.",
     "kernel-pid-namespace ZAP:2"},
    {"pidns.zap-reaps", "An init that ends reaps its zombies itself.",
     "kernel-pid-namespace ZAP:4"},
    {"pidns.zap-waits",
     "An init that ends is no zombie, and nobody is told, until all numbers in its pid namespace "
     "but its own are free.", "kernel-pid-namespace ZAP:5"},
    {"pidns.zap-queue",
     "What is pending for the thread of an init alone stays so while the init waits for its pid "
     "namespace to empty. In some builds it is gone by then.", "kernel-exit RELEASE:4"},
});

}  // namespace forkproof
