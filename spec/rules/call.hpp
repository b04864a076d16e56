/// Rules: what every call has in common, the calls that answer numbers, and the knobs of the world.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kCallRules = std::to_array<Rule>({
    {"call.not-run",
     "An op whose actor is blocked, stopped, dead or was never born is answered not-run and "
     "changes nothing.", "forkproof ACT:1"},
    {"call.own-signals-first",
     "A signal that an op sends to its own actor is dealt with before the op returns: the actor "
     "dies of it, stops (the answer comes after SIGCONT), or goes on.", "forkproof ACT:3"},
    {"call.getpid",
     "getpid answers the number of the process, the same in each of its threads.",
     "credentials.7 PID:1"},
    {"call.gettid",
     "gettid answers the number of the calling thread, which for the leader is that of the "
     "process.", "credentials.7 TID:1"},
    {"call.getppid",
     "getppid answers the number of the parent's process at that moment: after an adoption the new "
     "one.", "credentials.7 PPID:1"},
    {"call.getppid-outside",
     "getppid answers 0 where the parent is outside the world, which only init sees.",
     "credentials.7 PPID:2"},

    {"world.pid-max-range", "pid_max below 301 or above 4194304 is EINVAL.", "kernel-pid MAX:1"},
    {"world.pid-max",
     "pid_max takes effect with the next search; numbers above it that are in use stay, and the "
     "cursor stays where it is.", "forkproof WORLD:3"},
    {"world.pid-cursor-range",
     "pid_cursor below 1 or above pid_max + 1 is EINVAL.", "forkproof WORLD:3"},
    {"world.pid-cursor", "pid_cursor N makes N the next number to try.", "kernel-pid CURSOR:3"},
    {"world.ends",
     "When the last thread of init ends, every other task is killed and reaped on the spot, and "
     "init stays behind as a zombie.", "kernel-exit REAPER:6"},
    {"world.over",
     "After the end of the world every op of a task is not-run, and the knobs still answer.",
     "forkproof WORLD:4"},

    {"pid.cyclic",
     "The new number is the lowest free one from the cursor upwards (linux-6 only).",
     "kernel-pid IDR:1"},
    {"pid.below-max", "The greatest number that is given out is pid_max - 1.", "kernel-pid MAX:2"},
    {"pid.wrap-floor",
     "When nothing is free from a cursor above 300 upwards, the search starts again at 300 "
     "(linux-6 only).", "kernel-pid IDR:2"},
    {"pid.wrap-low",
     "When nothing is free from a cursor of at most 300 upwards, the search starts again at 1 "
     "(linux-6 only).", "kernel-pid IDR:3"},
    {"pid.exhausted",
     "When no number is free from the floor to pid_max - 1 the creating call is EAGAIN, though "
     "numbers below the floor may be free (linux-6 only).", "kernel-pid IDR:4"},
    {"pid.cursor-advances",
     "A number that is given out moves the cursor to just above it.", "kernel-pid CURSOR:1"},
    {"pid.cursor-stays",
     "A search that finds nothing leaves the cursor where it is.", "kernel-pid CURSOR:2"},
    {"pid.bitmap-next",
     "The new number is the lowest free one above the last one given (linux-4.12 only).",
     "kernel-pid BITMAP:1"},
    {"pid.bitmap-wrap",
     "Past pid_max - 1 the search goes on at 300, even if the last number given was below 300 "
     "(linux-4.12 only).", "kernel-pid BITMAP:2"},
    {"pid.bitmap-300",
     "When 300 was the last number given, a search that reaches pid_max gives up and never looks "
     "at 300 again (linux-4.12 only).", "kernel-pid BITMAP:3"},
    {"pid.bitmap-exhausted",
     "When the search comes round without a free number the creating call is EAGAIN, though "
     "numbers below 300 may be free (linux-4.12 only).", "kernel-pid BITMAP:4"},
    {"pid.in-use",
     "A number is in use while a task has it, a zombie too: it is free at the reap, not at the "
     "exit.", "kernel-pid FREE:1"},
    {"pid.pinned-by-group",
     "A number stays in use while any task, living or zombie, has it as its process group.",
     "kernel-pid FREE:2"},
    {"pid.pinned-by-session",
     "A number stays in use while any task, living or zombie, has it as its session.",
     "kernel-pid FREE:2"},
    {"pid.freed",
     "The reap of the last task that a number is a name for frees the number: it may be given out "
     "again.", "kernel-pid FREE:3"},
    {"pid.thread-freed",
     "The number of a thread that is not the leader is free as soon as the thread has ended.",
     "kernel-exit RELEASE:1"},
    {"pid.leader-kept",
     "The leader's number stays in use until the whole process is reaped, however early the leader "
     "ended.", "kernel-exit RELEASE:3"},
});

}  // namespace forkproof
