/// Rules: what a thread is called, how it is scheduled, where its handlers run.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kAttributeRules = std::to_array<Rule>({
    {"comm.set", "PR_SET_NAME names the calling thread, and no other thread of its process.",
     "prctl.2 NAME:1"},
    {"comm.cut", "Of a name the first 15 bytes are kept.", "prctl.2 NAME:2"},
    {"comm.fork", "A child process is called what the thread that made it is called.",
     "kernel-fork COPY:1"},
    {"comm.thread", "A new thread is called what its maker is called.", "kernel-fork COPY:1"},
    {"comm.exec", "exec names the thread after the new program.", "prctl.2 NAME:3"},

    {"nice.set", "setpriority sets the nice value of one thread, zombies included.",
     "getpriority.2 THREAD:1"},
    {"nice.clamp", "A nice value beyond -20 to 19 is taken for the nearest of these.",
     "getpriority.2 RANGE:1"},
    {"nice.set-unknown", "setpriority of a number that no task has is ESRCH.",
     "getpriority.2 ESRCH:1"},
    {"nice.get", "getpriority answers the nice value of one thread.", "getpriority.2 THREAD:1"},
    {"nice.get-unknown", "getpriority of a number that no task has is ESRCH.",
     "getpriority.2 ESRCH:1"},
    {"nice.inherited", "A new task has the nice value of its maker.", "sched.7 FORK:1"},
    {"nice.exec-kept", "exec keeps the nice value.", "getpriority.2 EXEC:1"},

    {"sched.set", "sched_setscheduler sets policy, priority and RESET_ON_FORK of one thread, and "
     "leaves its nice value.", "sched_setscheduler.2 SET:1"},
    {"sched.set-negative", "sched_setscheduler and sched_setattr of a negative number are EINVAL.",
     "sched_setscheduler.2 EINVAL:1"},
    {"sched.set-unknown",
     "sched_setscheduler and sched_setattr of a number that no task has are ESRCH.",
     "sched_setscheduler.2 ESRCH:1"},
    {"sched.priority",
     "The priority of FIFO and RR is 1 to 99, that of the other policies 0: else EINVAL.",
     "sched_setscheduler.2 EINVAL:2"},
    {"sched.deadline-not-so", "sched_setscheduler to DEADLINE is EINVAL: it gives no deadline.",
     "kernel-sched DEADLINE:1"},
    {"sched.get", "sched_getscheduler answers the policy, and the bit of RESET_ON_FORK.",
     "sched_setscheduler.2 GET:1"},
    {"sched.get-negative", "sched_getscheduler of a negative number is EINVAL.",
     "sched_setscheduler.2 EINVAL:1"},
    {"sched.get-unknown", "sched_getscheduler of a number that no task has is ESRCH.",
     "sched_setscheduler.2 ESRCH:1"},
    {"sched.inherited", "A new task has the policy and the priority of its maker.",
     "sched.7 FORK:1"},
    {"sched.reset-policy",
     "The child of a real-time or deadline task with RESET_ON_FORK is OTHER, of priority 0, and "
     "of nice value 0.", "sched.7 RESET:1"},
    {"sched.reset-nice",
     "The child of another task with RESET_ON_FORK keeps its policy, and a nice value below 0 "
     "becomes 0.", "sched.7 RESET:2"},
    {"sched.reset-once", "The child of a task with RESET_ON_FORK has it not.", "sched.7 RESET:3"},
    {"sched.exec-kept", "exec keeps policy, priority and RESET_ON_FORK.", "sched.7 EXEC:1"},
    {"sched.deadline", "sched_setattr makes a thread a deadline one, of priority 0.",
     "kernel-sched DEADLINE:2"},
    {"sched.deadline-everywhere",
     "A thread that may not run on all processors cannot get a deadline: EPERM.",
     "kernel-sched DEADLINE:3"},
    {"sched.deadline-fork",
     "A deadline task without RESET_ON_FORK makes no task: EAGAIN, and no number is lost.",
     "kernel-sched DEADLINE:4"},

    {"affinity.set", "sched_setaffinity sets the processors of one thread.",
     "sched_setaffinity.2 SET:1"},
    {"affinity.none", "sched_setaffinity to none of the processors that there are is EINVAL.",
     "sched_setaffinity.2 EINVAL:1"},
    {"affinity.set-unknown", "sched_setaffinity of a number that no task has is ESRCH.",
     "sched_setaffinity.2 ESRCH:1"},
    {"affinity.deadline", "sched_setaffinity of a deadline task to less than all is EBUSY.",
     "kernel-sched DEADLINE:5"},
    {"affinity.get", "sched_getaffinity answers the processors of one thread.",
     "sched_setaffinity.2 GET:1"},
    {"affinity.get-unknown", "sched_getaffinity of a number that no task has is ESRCH.",
     "sched_setaffinity.2 ESRCH:1"},
    {"affinity.inherited", "A new task has the processors of its maker, an exec keeps them.",
     "sched_setaffinity.2 FORK:1"},

    {"altstack.set",
     "sigaltstack sets the signal stack of the calling thread, and answers the size of the one "
     "before, 0 for none.", "sigaltstack.2 SET:1"},
    {"altstack.small", "A signal stack of less than 2048 bytes is ENOMEM.",
     "sigaltstack.2 ENOMEM:1"},
    {"altstack.fork",
     "A child process has its maker's signal stack, if it does not run in its memory, or while "
     "its maker sleeps.", "kernel-fork ALTSTACK:1"},
    {"altstack.vm", "A new task that shares its maker's memory and runs beside it has none.",
     "kernel-fork ALTSTACK:1"},
    {"altstack.exec", "exec leaves no signal stack.", "sigaltstack.2 EXEC:1"},
});

}  // namespace forkproof
