/// Rules: how tasks end, who is told, and who adopts what they leave behind.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kEndingRules = std::to_array<Rule>({
    {"exit.thread",
     "exit ends the calling thread alone; the other threads of its process run on.",
     "exit.2 THREAD:1"},
    {"exit.group",
     "exit_group ends all threads of the process, blocked, stopped or not.", "exit.2 GROUP:1"},
    {"exit.doomed-one-by-one",
     "The threads that one exit_group, exec or fatal signal ends go one after the other, round the "
     "thread list from the caller, and each hands its children to the first that is still there.",
     "forkproof SETTLE:5"},
    {"exit.code-low-byte",
     "The status is the low byte of the code that exit or exit_group was given.",
     "exit.2 STATUS:1"},
    {"exit.zombie",
     "A process whose threads have all ended is a zombie until it is waited for, unless nobody "
     "need be told.", "exit.2 ZOMBIE:1"},
    {"exit.thread-gone",
     "A thread that is neither the leader nor traced is gone as soon as it has ended: no zombie, "
     "no status, no signal.", "kernel-exit RELEASE:1"},
    {"exit.leader-waits-for-threads",
     "A leader that ends before other threads is a zombie that cannot be reaped, and the parent is "
     "not told yet.", "kernel-exit LEADER:1"},
    {"exit.last-thread-tells",
     "When the last other thread of an ended leader is gone, the parent is told of the process's "
     "end.", "kernel-exit RELEASE:2"},
    {"exit.status-last-thread",
     "Without exit_group or fatal signal the status is the code of the thread that ended last "
     "(linux-6 only).", "kernel-exit STATUS:2"},
    {"exit.status-leader",
     "Without exit_group or fatal signal the status is the code of the leader, whenever it ended "
     "(linux-4.12 only).", "kernel-exit STATUS:3"},
    {"exit.status-group",
     "The status of a process ended by exit_group is the code that exit_group was given.",
     "kernel-exit STATUS:1"},
    {"exit.status-signal",
     "The status of a process ended by a signal is the number of the signal.", "wait.2 STATUS:2"},
    {"exit.exiting-flag",
     "A task that has ended carries EXITING as long as it can be seen.", "kernel-exit FLAGS:1"},
    {"exit.ended-flag",
     "A task that has ended carries POSTCOREDUMP, too, from where it carries EXITING; in 4.12 from "
     "the end of its exit.", "kernel-exit FLAGS:2"},
    {"exit.signaled-flag",
     "A task that was killed, by a signal or because its process ended around it, carries "
     "SIGNALED.", "kernel-signal FLAGS:1"},
    {"exit.memory-let-go",
     "A task that ends lets go of its address space; those who share it keep it.",
     "kernel-exit MEM:1"},
    {"exit.handlers-let-go",
     "A zombie has no dispositions any more, and for itself no pending signals.",
     "kernel-exit RELEASE:4"},
    {"exit.retargets-signals",
     "A thread that ends while its process goes on leaves the signals of the process that it could "
     "have taken to threads that can take them.", "kernel-signal TARGET:4"},
    {"exit.tells-parent",
     "The end of a process sends its exit signal to the parent process.", "exit.2 NOTIFY:1"},
    {"exit.wakes-parent",
     "The end of a process wakes the waits of its parent's threads that it matches, whatever "
     "becomes of the signal.", "kernel-exit NOTIFY:1"},
    {"exit.signal-none",
     "Exit signal 0, or one above 64, is not sent; waits are woken all the same and the zombie "
     "stays.", "kernel-signal NOTIFY:3"},
    {"exit.signal-other-program",
     "When the parent runs another program than the child remembers, SIGCHLD is sent instead of "
     "any other exit signal, or of none.", "kernel-signal NOTIFY:1"},
    {"exit.autoreap-ignored",
     "A child whose end would send SIGCHLD to a parent that ignores SIGCHLD leaves no zombie, and "
     "no signal is sent.", "wait.2 IGNORE:1"},
    {"exit.autoreap-nocldwait",
     "A child whose end sends SIGCHLD to a parent with SA_NOCLDWAIT leaves no zombie; the signal "
     "is sent all the same.", "sigaction.2 NOCLDWAIT:1"},
    {"exit.autoreap-sigchld-only",
     "A child with another exit signal than SIGCHLD, none included, becomes a zombie though its "
     "parent ignores SIGCHLD.", "kernel-signal NOTIFY:4"},

    {"reaper.own-thread",
     "The children of a thread go to the first living thread of its own process, leader first, if "
     "there is one.", "kernel-exit REAPER:1"},
    {"reaper.subreaper",
     "Else the children go to the nearest ancestor that is a subreaper, to its first living "
     "thread.", "prctl.2 SUBREAPER:1"},
    {"reaper.init",
     "Without a subreaper among the ancestors the children go to init.", "exit.2 ORPHAN:1"},
    {"reaper.init-thread",
     "When init's leader has ended, another living thread of init adopts in its place.",
     "kernel-exit REAPER:4"},
    {"reaper.tail",
     "Adopted children stand behind the children that the new parent has, in the order they had.",
     "kernel-exit REAPER:5"},
    {"reaper.exit-signal",
     "A child adopted by another process has exit signal SIGCHLD from then on.",
     "kernel-exit ADOPT:1"},
    {"reaper.exit-signal-kept",
     "A child that goes to another thread of the same process keeps its exit signal.",
     "kernel-exit ADOPT:2"},
    {"reaper.zombie-told",
     "The adoption of a zombie by another process tells the new parent of its end, which wakes its "
     "waits.", "kernel-exit ADOPT:3"},
    {"reaper.zombie-autoreaped",
     "A zombie adopted by a process that ignores SIGCHLD, or has SA_NOCLDWAIT, is gone at once.",
     "kernel-exit ADOPT:3"},
    {"reaper.gone-last",
     "Such zombies are gone, the youngest first, when the death of the one that ends has been "
     "told, and count until then.",
     "kernel-exit ADOPT:5"},
    {"reaper.zombie-leader-not-told",
     "The adoption of a zombie leader with living threads tells nobody: the process has not ended.",
     "kernel-exit ADOPT:4"},

    {"prctl.subreaper",
     "prctl_subreaper with any number but 0 makes the whole process a subreaper.",
     "prctl.2 SUBREAPER:2"},
    {"prctl.subreaper-off",
     "prctl_subreaper 0 makes the process an ordinary one: orphans pass it by.",
     "prctl.2 SUBREAPER:2"},
    {"prctl.subreaper-existing",
     "A new subreaper counts for the descendants that exist already, not only for later ones.",
     "kernel-sys SUBREAPER:1"},
    {"prctl.pdeathsig-range",
     "A parent-death signal outside 0 to 64 is EINVAL.", "prctl.2 PDEATH:5"},
    {"prctl.pdeathsig",
     "prctl_pdeathsig sets the parent-death signal of the calling thread; 0 takes it away.",
     "prctl.2 PDEATH:1"},
    {"prctl.pdeathsig-sent",
     "When the parent thread of a process ends, each of its threads that asked for a signal has it "
     "sent to the process.", "kernel-exit PDEATH:1"},
    {"prctl.pdeathsig-thread",
     "The thread that made the process counts, not its process: the signal comes though another "
     "thread adopts.", "prctl.2 PDEATH:2"},
});

}  // namespace forkproof
