/// Rules: limits of resources, users and capabilities as far as limits need them, and usage.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kLimitRules = std::to_array<Rule>({
    {"limit.set", "setrlimit sets the soft and the hard limit of a resource.", "getrlimit.2 SET:1"},
    {"limit.soft-above-hard", "A soft limit above the hard one is EINVAL.", "getrlimit.2 EINVAL:1"},
    {"limit.nofile-most",
     "A hard limit of descriptors above the machine's is EPERM, whoever asks.",
     "getrlimit.2 NOFILE:1"},
    {"limit.hard-raised", "Who raises a hard limit without SYS_RESOURCE in effect gets EPERM.",
     "getrlimit.2 EPERM:1"},
    {"limit.raised-by-capable", "With SYS_RESOURCE in effect a hard limit may be raised.",
     "getrlimit.2 EPERM:1"},
    {"limit.get", "getrlimit answers a limit of the caller's process.", "getrlimit.2 SET:1"},
    {"limit.threads-share", "The limits are the process's: its threads have them together.",
     "getrlimit.2 PROCESS:1"},
    {"limit.inherited", "A child process has the limits of its maker, as a copy.",
     "getrlimit.2 INHERIT:1"},
    {"limit.exec-kept", "exec keeps the limits.", "getrlimit.2 INHERIT:1"},
    {"limit.stack-secure",
     "exec by who is root in effect, but not in reality, cuts the soft limit of the stack to 8 "
     "MiB.",
     "kernel-exec STACK:1"},
    {"limit.exit-signal-lost",
     "A real-time exit signal that finds no room in its parent's queue is lost.",
     "kernel-signal QUEUE:2"},
    {"limit.nofile", "No descriptor is given out that is not below the soft limit: EMFILE.",
     "getrlimit.2 NOFILE:2"},
    {"limit.sigpending",
     "A real-time signal that is not dropped, sent to a thread whose real user has as many queued "
     "as the limit of its process lets him have, is EAGAIN.", "kernel-signal QUEUE:1"},
    {"limit.sigpending-dead",
     "A signal to a leader alone that has ended is queued for it, and EAGAIN if it is a real-time "
     "one and finds no room. In some builds it does nothing then.",
     "kernel-signal DEAD:2"},

    {"nproc.fork",
     "A task more than the soft limit lets the caller's real user have is EAGAIN, and no number is "
     "lost; threads and zombies count, and the limit is that of the caller's process.",
     "kernel-fork NPROC:1"},
    {"nproc.root-exempt", "root as the real user may make tasks beyond the limit.",
     "kernel-fork NPROC:2"},
    {"nproc.capable-exempt",
     "With SYS_ADMIN or SYS_RESOURCE in effect tasks may be made beyond the limit.",
     "kernel-fork NPROC:2"},
    {"nproc.fork-clears",
     "A creation that the limit lets pass clears NPROC_EXCEEDED of the caller, and not of the "
     "child.", "kernel-fork NPROC:3"},
    {"nproc.marked",
     "Who changes the real user to one other than root who had more tasks than the limit before "
     "gets NPROC_EXCEEDED, and no error.", "kernel-cred NPROC:1"},
    {"nproc.marked-early",
     "In linux-4.12 who changes the real user to one other than root who had as many tasks as the "
     "limit before, or more, gets NPROC_EXCEEDED, and no error.", "kernel-cred NPROC:2"},
    {"nproc.unmarked", "Who changes to a real user with fewer tasks loses NPROC_EXCEEDED.",
     "kernel-cred NPROC:3"},
    {"nproc.exec",
     "exec with NPROC_EXCEEDED is EAGAIN as long as the real user has more tasks than the limit.",
     "kernel-exec NPROC:1"},
    {"nproc.exec-clears", "Another exec clears NPROC_EXCEEDED.", "kernel-exec NPROC:1"},

    {"user.set", "setresuid changes the real user of the calling thread alone.",
     "kernel-cred USER:1"},
    {"user.same", "To become who one is already changes nothing.", "kernel-cred NPROC:3"},
    {"user.inherited", "A new task has the real user of its maker.", "kernel-cred FORK:1"},
    {"user.exec-kept", "exec keeps the real user.", "kernel-cred EXEC:1"},
    {"user.pdeathsig-kept", "A change of the real user alone keeps the parent-death signal.",
     "kernel-cred DUMPABLE:1"},
    {"capability.set", "capset changes the capabilities in effect of the calling thread alone.",
     "kernel-cred USER:1"},
    {"capability.inherited", "A new task has the capabilities in effect of its maker.",
     "kernel-cred FORK:1"},
    {"capability.exec-regains",
     "exec by who is root in effect puts all capabilities that there may be in effect.",
     "capabilities.7 ROOT:1"},
    {"exec.pdeathsig-secure",
     "exec by who is root in effect, but not in reality, clears the parent-death signal.",
     "kernel-exec SECURE:1"},
    {"ns.needs-admin", "Without SYS_ADMIN in effect no namespace can be made: EPERM.",
     "namespaces.7 ADMIN:1"},
    {"setns.needs-admin",
     "Without SYS_ADMIN in effect where a namespace belongs to, and where the caller will be, it "
     "cannot be entered: EPERM, but EUSERS for one of time by who is not alone in his memory.",
     "setns.2 EPERM:1"},
    {"uts.needs-admin",
     "Without SYS_ADMIN in effect where the UTS namespace belongs to the host's name cannot be "
     "set: EPERM.",
     "kernel-nsproxy UTS:9"},

    {"usage.fault", "Page faults are counted for the thread that has them.", "getrusage.2 FAULT:1"},
    {"usage.fault-many", "More than 4 batches at once are EINVAL.", "forkproof LIMIT:5"},
    {"usage.thread", "A thread's usage is its own since it was made, and begins at 0.",
     "getrusage.2 THREAD:1"},
    {"usage.self", "A process's usage is that of all its threads.", "getrusage.2 SELF:1"},
    {"usage.dead-threads", "What threads used that are gone still counts for their process.",
     "getrusage.2 SELF:1"},
    {"usage.children",
     "The usage of children is that of those that ended and were waited for.",
     "getrusage.2 CHILDREN:1"},
    {"usage.reap", "The wait that takes a dead child adds what all its threads used, once.",
     "kernel-exit USAGE:1"},
    {"usage.reap-grandchildren", "It adds what the child had waited for, too.",
     "kernel-exit USAGE:1"},
    {"usage.unwaited-lost",
     "What a process used whom nobody waits for is counted for nobody.", "kernel-exit USAGE:2"},
});

}  // namespace forkproof
