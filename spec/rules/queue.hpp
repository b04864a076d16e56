/// Rules: the entries of queued signals, the handlers that they have run, and processor time.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kAccountRules = std::to_array<Rule>({
    {"queue.entry",
     "A signal that becomes pending gets an entry in the queue, which counts for the real user of "
     "the thread that it was sent to, as long as it is there, whoever that is later.",
     "kernel-signal QUEUE:3"},
    {"queue.again", "A real-time signal is queued as often as it is sent.",
     "kernel-signal QUEUE:3"},
    {"queue.one-by-one",
     "Of the entries of a signal the oldest is taken first; it is pending until the last is taken.",
     "kernel-signal QUEUE:4"},
    {"queue.kill-no-room",
     "A real-time signal of kill, or of the kernel, that finds no room is pending without an "
     "entry: once, however often it is sent.", "kernel-signal QUEUE:1"},
    {"queue.no-room",
     "A signal below 32 that tgkill sends and that finds no room is pending without an entry.",
     "kernel-signal QUEUE:5"},
    {"queue.beyond",
     "A signal below 32 of kill, of the kernel or of a child has an entry whatever the limit.",
     "kernel-signal QUEUE:5"},
    {"queue.bare",
     "SIGKILL and what is sent to kernel threads have no entries; in linux-4.12 what the kernel "
     "sends by force has none.", "kernel-signal QUEUE:6"},
    {"queue.namespaces",
     "An entry counts in the user namespace of the receiver, and for root in those above; since "
     "5.14.", "kernel-signal QUEUE:7"},
    {"queue.flushed",
     "Signals that are pending no more, as they are ignored, driven out or of somebody who is "
     "gone, give all their entries back.", "kernel-signal QUEUE:8"},
    {"queue.of-the-dead",
     "What was queued for a thread alone that has ended counts until it is released. In some "
     "builds it does not.", "kernel-signal QUEUE:9"},
    {"queue.goes-last",
     "What was queued for the last other thread of a dead leader counts until that one's death has "
     "been told. Before 6.15 it does not.", "kernel-signal QUEUE:11"},
    {"queue.count", "/proc shows how many entries count for a task's real user.",
     "kernel-signal QUEUE:10"},

    {"caught.count", "A handler runs once for each time that its signal is taken.",
     "signal.7 HANDLER:2"},
    {"caught.exec", "A new program has caught nothing yet.", "forkproof LIMIT:6"},

    {"times.spend", "Processor time is counted for the thread that uses it.", "times.2 OWN:1"},
    {"times.spend-many", "More than 4 ticks at once are EINVAL.", "forkproof LIMIT:7"},
    {"times.own",
     "utime and stime of a process are what all its threads have used since it was made, and begin "
     "at 0.", "times.2 OWN:1"},
    {"times.dead-threads", "The times of threads that are gone still count for their process.",
     "times.2 OWN:1"},
    {"times.exec-kept", "exec keeps the times of the process.", "times.2 OWN:2"},
    {"times.children",
     "cutime and cstime are what children used, and had of theirs, that were waited for, and begin "
     "at 0.", "times.2 CHILDREN:1"},
    {"times.reap", "The wait that takes a dead child adds its times, once.",
     "times.2 CHILDREN:1"},
    {"times.unwaited-lost",
     "The times of a child that nobody waits for, as its parent ignores SIGCHLD or has "
     "SA_NOCLDWAIT, are added to nobody's.", "times.2 CHILDREN:2"},
});

}  // namespace forkproof
