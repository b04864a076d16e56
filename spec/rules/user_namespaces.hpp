/// Rules: user namespaces, their maps, and what only who is in one, or above it, may do.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kUserNamespaceRules = std::to_array<Rule>({
    {"userns.clone",
     "clone with NEWUSER puts the new process into a new user namespace, in which it has all "
     "capabilities in effect.", "user_namespaces.7 CLONE:1"},
    {"userns.unshare",
     "unshare of NEWUSER puts the caller into one, with all capabilities, and unshares FS, too.",
     "user_namespaces.7 CLONE:1"},
    {"userns.inherited", "Otherwise a new task is in the user namespace that its maker is in.",
     "user_namespaces.7 MEMBER:1"},
    {"userns.others-with-it",
     "Who makes a user namespace needs no capability for others that are made with it: they belong "
     "to it.", "user_namespaces.7 OWNER:2"},
    {"userns.no-thread", "clone with THREAD and NEWUSER is EINVAL.", "user_namespaces.7 THREAD:1"},
    {"userns.not-with-fs", "clone with NEWUSER and FS is EINVAL.", "user_namespaces.7 FS:1"},
    {"userns.depth",
     "No user namespace can be made more than 33 below the machine's own: ENOSPC.",
     "kernel-user-namespace NEW:1"},
    {"userns.other-root",
     "Who has root in other mounts than those of its namespace, because who shares it has gone "
     "into others, makes none: EPERM.", "kernel-user-namespace NEW:3"},
    {"userns.unmapped-maker",
     "Who has no number in its user namespace makes no other: EPERM.",
     "kernel-user-namespace NEW:2"},
    {"userns.map-nobody", "Where there is no task there is no map: ENOENT.",
     "user_namespaces.7 MAP:1"},
    {"userns.map", "The maps of a user namespace say who has which number in it.",
     "user_namespaces.7 MAP:1"},
    {"userns.map-machine", "Those of the machine's own are there already: EPERM.",
     "kernel-user-namespace MAP:1"},
    {"userns.map-elsewhere",
     "Only who is in a user namespace, or in the one just above it, writes its maps: else EPERM.",
     "user_namespaces.7 MAP:3"},
    {"userns.map-once", "They are written once: EPERM from then on.", "user_namespaces.7 MAP:2"},
    {"userns.map-needs-admin", "Who writes them needs SYS_ADMIN in the user namespace: EPERM.",
     "user_namespaces.7 MAP:4"},
    {"userns.map-root-needs-fcap",
     "To map root takes one who was not without capabilities: who made the user namespace, or, "
     "from above, who writes; else EPERM.", "user_namespaces.7 MAP:5"},
    {"userns.map-needs-setuid",
     "To map more than oneself takes capabilities in the user namespace above: EPERM.",
     "user_namespaces.7 MAP:6"},
    {"userns.map-unknown-outside", "Nobody is mapped who is not known above: EPERM.",
     "user_namespaces.7 MAP:7"},
    {"userns.getuid", "getuid answers the number that the caller's user namespace has for it.",
     "user_namespaces.7 OVERFLOW:1"},
    {"userns.overflow", "Who has no number there is called 65534.", "user_namespaces.7 OVERFLOW:1"},

    {"setns.user",
     "setns of NEWUSER moves its caller, who then has all capabilities there, in effect.",
     "user_namespaces.7 SETNS:1"},
    {"setns.user-own", "Nobody enters the user namespace that it is in already: EINVAL.",
     "kernel-user-namespace SETNS:1"},
    {"setns.user-threads", "Who has other threads cannot enter one: EINVAL.",
     "kernel-user-namespace SETNS:1"},
    {"setns.user-shared-fs", "Nor can who shares root and working directory: EINVAL.",
     "kernel-user-namespace SETNS:1"},
    {"setns.may-not-look",
     "setns by who has no power over the task, and is not of its process, is EPERM; until 5.8, "
     "EACCES.", "kernel-user-namespace SETNS:2"},
    {"ns.same-kept", "A zombie is still in its pid namespace and in its user namespace.",
     "kernel-user-namespace EXIT:1"},
    {"reboot.owner",
     "Who has no capabilities where the pid namespace belongs to does not reboot it: EPERM.",
     "kernel-user-namespace OWNER:1"},
    {"pidns.owner-not-above",
     "No pid namespace is made below one that belongs to a user namespace which the new one's is "
     "not in: EINVAL; since 4.13.", "kernel-user-namespace OWNER:2"},
    {"clone3.set-tid-owner",
     "A number in a pid namespace is not for who has no capabilities where that belongs to: EPERM.",
     "kernel-user-namespace OWNER:3"},

    {"user.unknown", "setresuid to somebody whom the caller's user namespace does not know is "
     "EINVAL.", "kernel-user-namespace ID:1"},
    {"user.powerless",
     "Who has no capabilities can make itself, in reality, none but who it is in effect: EPERM.",
     "credentials.7 SETUID:1"},
    {"capability.powerless", "Who has no capabilities cannot put any in effect: EPERM.",
     "capabilities.7 PERMITTED:1"},
    {"capability.powerless-inherited", "The children of who has no capabilities have none.",
     "kernel-cred FORK:1"},
    {"capability.exec-loses",
     "exec by who is not root where it is, as root is not known there, leaves it no capability.",
     "user_namespaces.7 EXEC:1"},
    {"capability.exec-stays-powerless",
     "Who has none gets none by an exec there, nor by one while it shares root and working "
     "directory with another process.",
     "kernel-user-namespace EXEC:1"},
    {"exec.pdeathsig-gained", "An exec that gains capabilities clears the parent-death signal.",
     "kernel-cred DUMPABLE:1"},
    {"nice.raised-below",
     "Below the machine's own user namespace only RLIMIT_NICE lets nice values sink: else EACCES.",
     "kernel-user-namespace BOUND:1"},
    {"sched.set-below",
     "Below the machine's own user namespace only RLIMIT_RTPRIO lets priorities rise, RLIMIT_NICE "
     "who is idle be something else, and nothing RESET_ON_FORK go, or a deadline be: else EPERM.",
     "kernel-user-namespace BOUND:1"},
    {"sched.stronger",
     "Who has no capabilities cannot schedule who has some: EPERM.",
     "kernel-user-namespace BOUND:2"},
    {"limit.hard-below",
     "Below the machine's own user namespace nobody raises a hard limit: EPERM.",
     "kernel-user-namespace BOUND:1"},
    {"limit.sigpending-namespace",
     "In a user namespace no more is queued for its users together than who made it might queue, "
     "nor in those below it; since 5.14.",
     "kernel-user-namespace COUNT:1"},
    {"nproc.namespace",
     "A task in a user namespace counts for root in the one above, too, where the limit is that of "
     "its maker, but for the machine's root: EAGAIN; since 5.14.", "kernel-user-namespace COUNT:2"},
});

}  // namespace forkproof
