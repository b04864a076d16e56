/// Rules: clone3, and descriptors that stand for processes and threads.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kPidfdRules = std::to_array<Rule>({
    {"clone3.unknown-call", "clone3 is ENOSYS before 5.3.", "clone.2 CLONE3:1"},
    {"clone3.exit-signal-range", "clone3 with an exit signal that is no signal is EINVAL.",
     "clone.2 CLONE3:2"},
    {"clone3.flags",
     "clone3 with DETACHED, with a flag that it does not know or with one where clone has the "
     "exit signal is EINVAL.", "clone.2 CLONE3:3"},
    {"clone3.clear-or-share", "clone3 with SIGHAND and CLEAR_SIGHAND is EINVAL.",
     "clone.2 CLONE3:4"},
    {"clone3.exit-signal-unused",
     "clone3 of a thread or with PARENT is EINVAL if an exit signal is given, which would count "
     "for nothing.", "clone.2 CLONE3:5"},
    {"clone3.clear-sighand",
     "With CLEAR_SIGHAND the child has all signals at their defaults but those that are ignored, "
     "and no flags of sigaction.", "clone.2 CLEAR:1"},
    {"clone3.set-tid",
     "set_tid says which numbers the task gets, that of its own pid namespace first; the "
     "namespaces above those that are named search.", "clone.2 SETTID:1"},
    {"clone3.set-tid-cursor", "A number that was asked for leaves the cursor where it is.",
     "kernel-pid SETTID:1"},
    {"clone3.set-tid-depth", "set_tid of more numbers than the task has pid namespaces is EINVAL.",
     "clone.2 SETTID:2"},
    {"clone3.set-tid-range", "set_tid of a number below 1, or not below pid_max, is EINVAL.",
     "kernel-pid SETTID:2"},
    {"clone3.set-tid-first",
     "set_tid of another number than 1 in a pid namespace that never had an init is EINVAL.",
     "clone.2 SETTID:3"},
    {"clone3.set-tid-in-use",
     "set_tid of a number that is in use, be it as a group's alone, is EEXIST.",
     "clone.2 SETTID:4"},

    {"pidfd.clone",
     "With PIDFD the lowest free descriptor of the maker stands for the new task.",
     "clone.2 PIDFD:1"},
    {"pidfd.clone-makers", "Without FILES the child does not have that descriptor.",
     "kernel-fork PIDFD:1"},
    {"pidfd.clone-thread", "The pidfd that is made with a thread stands for that thread alone.",
     "kernel-fork PIDFD:2"},
    {"pidfd.clone-one-place",
     "clone with PIDFD and PARENT_SETTID, which have one place for what they store, is EINVAL.",
     "clone.2 PIDFD:2"},
    {"pidfd.clone-detached", "PIDFD and DETACHED together are EINVAL.", "clone.2 PIDFD:3"},
    {"pidfd.clone-full",
     "With PIDFD and no descriptor free clone is EMFILE, and has cost a number.",
     "kernel-fork PIDFD:3"},
    {"pidfd.clone-before", "Before 5.2 PIDFD says nothing.", "clone.2 PIDFD:4"},
    {"pidfd.cloexec", "An exec closes a pidfd, unless it was told otherwise.",
     "pidfd_open.2 CLOEXEC:1"},

    {"pidfd.unknown-call", "pidfd_open and pidfd_send_signal are ENOSYS before 5.3 and 5.1.",
     "pidfd_open.2 SINCE:1"},
    {"pidfd.open",
     "pidfd_open answers the lowest free descriptor, which stands for the process or thread that "
     "has the number.", "pidfd_open.2 OPEN:1"},
    {"pidfd.open-flags", "pidfd_open with flags that it does not know is EINVAL.",
     "pidfd_open.2 EINVAL:1"},
    {"pidfd.open-range", "pidfd_open of a number below 1 is EINVAL.", "pidfd_open.2 EINVAL:2"},
    {"pidfd.open-no-task", "pidfd_open of a number that no task has is ESRCH.",
     "pidfd_open.2 ESRCH:1"},
    {"pidfd.open-not-leader",
     "pidfd_open without THREAD of a thread that is not the leader is ENOENT.",
     "kernel-pidfd OPEN:1"},
    {"pidfd.open-full", "pidfd_open with no descriptor free is EMFILE.", "pidfd_open.2 EMFILE:1"},
    {"pidfd.open-zombie", "pidfd_open of a zombie succeeds.", "kernel-pidfd OPEN:2"},
    {"pidfd.not-the-number",
     "A pidfd does not stand for who has the number later.", "pidfd_send_signal.2 REUSE:1"},
    {"pidfd.number-free", "A pidfd does not keep the number of a task that was reaped from others.",
     "kernel-pidfd REF:1"},
    {"pidfd.lseek", "lseek on a pidfd is ESPIPE.", "kernel-pidfd SEEK:1"},

    {"pidfd.send", "pidfd_send_signal sends to the process that the pidfd stands for.",
     "pidfd_send_signal.2 SEND:1"},
    {"pidfd.send-thread", "By a pidfd of a thread the signal is that thread's alone.",
     "kernel-pidfd SEND:1"},
    {"pidfd.send-no-pidfd", "pidfd_send_signal by what is no pidfd is EBADF.",
     "pidfd_send_signal.2 EBADF:1"},
    {"pidfd.send-outside",
     "pidfd_send_signal by who cannot see the pid namespace of the target is EINVAL, be it gone or "
     "not.", "pidfd_send_signal.2 EINVAL:1"},
    {"pidfd.send-gone", "pidfd_send_signal to who was reaped is ESRCH, whatever the signal.",
     "pidfd_send_signal.2 ESRCH:1"},
    {"pidfd.send-zombie", "pidfd_send_signal to a zombie succeeds.", "kernel-pidfd SEND:2"},

    {"pidfd.wait", "waitid by a pidfd waits for the child that it stands for.",
     "wait.2 PIDFD:1"},
    {"pidfd.wait-before", "waitid by a pidfd is EINVAL before 5.4.", "wait.2 PIDFD:2"},
    {"pidfd.wait-range", "waitid by a descriptor below 0 is EINVAL.", "kernel-exit PIDFD:1"},
    {"pidfd.wait-no-pidfd", "waitid by what is no pidfd is EBADF.", "kernel-exit PIDFD:2"},
    {"pidfd.wait-nonblock",
     "waitid by a pidfd with NONBLOCK does not sleep: it is EAGAIN, or with WNOHANG no news.",
     "pidfd_open.2 NONBLOCK:1"},

    {"pidfd.poll-alive", "A pidfd cannot be read as long as its task lives.",
     "pidfd_open.2 POLL:1"},
    {"pidfd.poll-dead", "A pidfd can be read when its process is a zombie.",
     "pidfd_open.2 POLL:1"},
    {"pidfd.poll-threads",
     "A pidfd of a dead leader, be it of the leader as a thread, cannot be read as long as another "
     "thread lives.", "kernel-pidfd POLL:1"},
    {"pidfd.poll-gone", "A pidfd of who was reaped is hung up, too.", "kernel-pidfd POLL:2"},
    {"poll.file", "Other files can be read at any time.", "poll.2 FILE:1"},
    {"poll.closed", "poll of what is no open descriptor says POLLNVAL.", "poll.2 NVAL:1"},
    {"poll.negative", "poll of a descriptor below 0 says nothing.", "poll.2 NEGATIVE:1"},
});

}  // namespace forkproof
