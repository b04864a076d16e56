/// The life of a task in steps, by the names and in the order that the books have: how it is made
/// (copy_process, as a part of kernel_clone), how it ends (do_exit), and how its last traces go
/// (release_task). The order is that of 4.12 and of 6 alike, where nothing else is said.
///
/// Declared once. The manual, the failures that tests ask for, and the test that the text of the
/// machine has the steps in this order derive from these tables.
#pragma once
#include <array>
#include <string_view>

#include "spec/exec_ops.hpp"

namespace forkproof::impl {

struct LifeStep {
  std::string_view name;
  std::string_view says;
  std::string_view source;     // a label of spec/sources/
  Errno no_room = Errno::ok;  // what fails where the step does; ok: it cannot fail so
  bool is_empty = false;      // nothing of it is modelled, but that it can fail
};

/// The steps of copy_process, as they index its table; then what fails elsewhere.
enum class CopyStep : std::uint8_t {
  check_flags,
  dup_task_struct,
  copy_creds,
  set_kthread_struct,
  sched_fork,
  copy_semundo,
  copy_files,
  copy_fs,
  copy_sighand,
  copy_signal,
  copy_mm,
  copy_namespaces,
  copy_io,
  copy_thread,
  alloc_pid,
  pidfd_prepare,
  can_fork,
  attach,
  kthread_create,
  unshare_fs,
  unshare_fd,
  unshare_userns,
  unshare_nsproxy,
  prepare_nsset,
  alloc_bprm,
  exec_files,  // these as ExecStep has them
  exec_namespaces,
  exec_sighand,
  exec_load,
};

inline constexpr std::array kCopyProcess{
    LifeStep{"check_flags",
             "Flags that do not go together are refused; since 4.19 a signal that has come is "
             "dealt with before anything is made.",
             "kernel-fork ORDER:1"},
    LifeStep{"dup_task_struct",
             "A record for the task is taken, with what it has of its maker's as a copy.",
             "kernel-fork COPY:1", Errno::nomem},
    LifeStep{"copy_creds",
             "User and capabilities are the maker's; with NEWUSER a user namespace is made, if "
             "there may be another, where the task has all. A user who has as many tasks as he may "
             "have is refused, but for root and those whose capabilities lift the limit.",
             "kernel-fork NPROC:1", Errno::nomem},
    LifeStep{"set_kthread_struct",
             "A kernel thread gets a record of its own. Before 5.17 it takes that itself, when all "
             "else is done: without memory it ends, and who asked for it gets ENOMEM.",
             "kernel-kthread CREATE:7", Errno::again},
    LifeStep{"sched_fork",
             "Name, scheduling and signal stack are shared with the maker until one of them "
             "changes; what is not passed on begins anew. A deadline that would be is refused.",
             "kernel-fork SCHED:1", Errno::nomem},
    LifeStep{"copy_semundo",
             "A list of what is to be undone is shared with SYSVSEM, and made for it if there is "
             "none. Semaphores are not modelled: nothing is done here, but it can fail.",
             "kernel-fork STEPS:6", Errno::nomem, true},
    LifeStep{"copy_files", "The table of descriptors is copied, or shared.", "kernel-fork STEPS:1",
             Errno::nomem},
    LifeStep{"copy_fs", "The umask and the directory are copied, or shared.",
             "kernel-fork STEPS:1", Errno::nomem},
    LifeStep{"copy_sighand", "The table of signal actions is copied, or shared.",
             "kernel-fork STEPS:1", Errno::nomem},
    LifeStep{"copy_signal", "A record for the process is taken; a thread shares its maker's.",
             "kernel-fork STEPS:1", Errno::nomem},
    LifeStep{"copy_mm", "The address space is copied, node by node, or shared.",
             "kernel-fork STEPS:1", Errno::nomem},
    LifeStep{"copy_namespaces",
             "If there is room for one more of each kind that is asked for, and with NEWPID the "
             "maker's children do not go elsewhere already, they are made: a pid namespace, which "
             "lies in the maker's, and then the others. What is not asked for is shared.",
             "kernel-pid-namespace NEW:1", Errno::nomem},
    LifeStep{"copy_io",
             "The I/O context is copied, or shared. Nothing is done here, but it can fail: I/O "
             "is not modelled.",
             "kernel-fork STEPS:1", Errno::nomem, true},
    LifeStep{"copy_thread",
             "The registers are copied, and the stack and thread-local storage set (in 4.12 it is "
             "called copy_thread_tls). Nothing is done here, but it can fail: no code is run.",
             "kernel-fork STEPS:1", Errno::nomem, true},
    LifeStep{"alloc_pid",
             "A number is searched, and taken; without room for its record nothing is taken, and "
             "the cursor stays. In each pid namespace, the innermost first, there must be room "
             "for it, too: else the numbers inside are given back, and are passed. Before 4.19 "
             "signals are looked for now, and cost the number.",
             "kernel-fork STEPS:2", Errno::nomem},
    LifeStep{"pidfd_prepare",
             "With PIDFD an open file is taken that will stand for the task, and the maker has a "
             "descriptor left for it; else the number is given back, and is passed.",
             "kernel-fork PIDFD:1", Errno::nomem},
    LifeStep{"can_fork",
             "The last that can refuse are asked: the task is charged to its control group and to "
             "those above, if none is full. Else the number is given back, and is passed.",
             "kernel-fork STEPS:3", Errno::again},
    LifeStep{"attach",
             "The task is tied to its number, process, parent, group, session and to those with "
             "whom it shares. Nothing fails from here on.",
             "kernel-fork STEPS:4"},
};
static_assert(kCopyProcess.size() == static_cast<std::size_t>(CopyStep::attach) + 1);

/// Where else there may be no memory. Each but the last four, which are of an exec that has begun,
/// comes before anything is changed that could be seen.
inline constexpr std::array kElsewhere{
    LifeStep{"kthread_create", "A request is taken, which kthreadd is given.",
             "kernel-kthread CREATE:8", Errno::nomem},
    LifeStep{"unshare_fs", "unshare copies the umask and the directory.", "kernel-fork UNSHARE:2",
             Errno::nomem},
    LifeStep{"unshare_fd", "unshare copies the table of descriptors.", "kernel-fork UNSHARE:2",
             Errno::nomem},
    LifeStep{"unshare_userns", "unshare makes a user namespace.", "kernel-fork UNSHARE:2",
             Errno::nomem},
    LifeStep{"unshare_nsproxy_namespaces",
             "unshare makes the other namespaces one by one; those that were made go again.",
             "kernel-fork UNSHARE:2", Errno::nomem},
    LifeStep{"prepare_nsset", "setns takes a record for the namespaces that the task will be in.",
             "kernel-nsproxy SETNS:5", Errno::nomem},
    LifeStep{"alloc_bprm",
             "exec takes a record, and memory, for the new program: until others are killed for "
             "it, it fails.",
             "kernel-exec ROOM:1", Errno::nomem},
    LifeStep{"unshare_files",
             "exec copies a table of descriptors that others share. Past the point of no return, "
             "as those that follow: the other threads are gone, and the process dies by SIGSEGV. "
             "In 4.12 it comes before all else, and ENOMEM leaves all as before.",
             "kernel-exec LATE:1", Errno::nomem},
    LifeStep{"exec_task_namespaces",
             "exec enters the time namespace of the task's children. The memory is new already, "
             "and a vfork parent released.",
             "kernel-exec LATE:1", Errno::nomem},
    LifeStep{"unshare_sighand",
             "exec copies a table of dispositions that another process shares, which loses its "
             "disposition of SIGSEGV by the failure. In 4.12 it comes before the new memory: "
             "ENOMEM is the answer, and the other threads are gone.",
             "kernel-exec LATE:1", Errno::nomem},
    LifeStep{"load_binary",
             "The new program is brought in, when all that is the old one's is gone.",
             "kernel-exec LATE:1", Errno::nomem},
};
inline constexpr std::size_t kStepsThatFail = kCopyProcess.size() + kElsewhere.size();
static_assert(kStepsThatFail == static_cast<std::size_t>(CopyStep::exec_load) + 1);

/// Whether a step is one of an exec that has begun.
constexpr bool is_late(const LifeStep& step) { return step.source == "kernel-exec LATE:1"; }

constexpr const LifeStep& table_of(CopyStep step) {
  const auto i = static_cast<std::size_t>(step);
  return i < kCopyProcess.size() ? kCopyProcess[i] : kElsewhere[i - kCopyProcess.size()];
}

/// What a call comes to in which the step fails.
constexpr Errno errno_of(CopyStep step, Profile profile) {
  const bool by_itself = step == CopyStep::set_kthread_struct && profile == Profile::linux_4_12;
  return by_itself ? Errno::nomem : table_of(step).no_room;
}

constexpr CopyStep step_of(ExecStep step) {
  const auto n = static_cast<std::size_t>(CopyStep::alloc_bprm) + static_cast<std::size_t>(step);
  return static_cast<CopyStep>(n);
}
/// What of an exec fails past the point of no return; none: the step is elsewhere.
constexpr ExecStep late_step_of(CopyStep step) {
  if (step <= CopyStep::alloc_bprm) return ExecStep::none;
  const auto n = static_cast<std::size_t>(step) - static_cast<std::size_t>(CopyStep::alloc_bprm);
  return static_cast<ExecStep>(n);
}

/// Whether a number was given when the step fails, and is passed.
constexpr bool comes_after_number(CopyStep step, Profile profile) {
  const bool by_itself = step == CopyStep::set_kthread_struct && profile == Profile::linux_4_12;
  return by_itself || (step > CopyStep::alloc_pid && step <= CopyStep::attach);
}

/// What fork, vfork and clone have in common.
inline constexpr std::array kKernelClone{
    LifeStep{"copy_process", "The task is made, in the steps above, or is not.",
             "kernel-fork ORDER:1"},
    LifeStep{"init_completion",
             "With VFORK the child is to tell its maker when it lets go of its memory.",
             "kernel-fork VFORK:3"},
    LifeStep{"wake_up_new_task", "The child can run.", "kernel-fork VFORK:1"},
    LifeStep{"wait_for_vfork_done", "With VFORK the maker sleeps until it is told so.",
             "kernel-fork VFORK:5"},
};

inline constexpr std::array kDoExit{
    LifeStep{"synchronize_group_exit",
             "The thread is counted out; since 6.0 the code of the last one is the process's. "
             "(Before, the count came after exit_signals.)",
             "kernel-exit STATUS:2"},
    LifeStep{"exit_signals",
             "PF_EXITING is set, and what the thread could have taken is others' to take.",
             "kernel-exit FLAGS:1"},
    LifeStep{"exit_mm", "A vfork parent is released; the last thread lets go of the memory.",
             "kernel-exit MEM:1"},
    LifeStep{"exit_sem", "What semaphores are to undo: nothing, as they are not modelled.",
             "kernel-exit STEPS:3", Errno::ok, true},
    LifeStep{"exit_shm", "Shared memory that would go with its maker: none is modelled.",
             "kernel-exit STEPS:3", Errno::ok, true},
    LifeStep{"exit_files", "The last user of a table of descriptors closes them.",
             "kernel-exit FILES:1"},
    LifeStep{"exit_fs", "The umask and the directory are let go of.", "kernel-exit FILES:1"},
    LifeStep{"exit_task_namespaces", "The thread lets go of its namespaces, but that of pids.",
             "kernel-exit STEPS:3"},
    LifeStep{"exit_task_work",
             "Work that was put off until the thread returns to its program: none is modelled; "
             "files are closed at once.",
             "kernel-exit STEPS:3", Errno::ok, true},
    LifeStep{"exit_thread", "Registers and the bitmap of I/O ports: neither is modelled.",
             "kernel-exit STEPS:3", Errno::ok, true},
    LifeStep{"cgroup_exit",
             "The thread keeps its control group no longer from being removed, and stays in it.",
             "kernel-cgroup EXIT:1"},
    LifeStep{"find_child_reaper",
             "The last thread of an init kills all others in its pid namespace, and goes on when "
             "they are gone (zap_pid_ns_processes).",
             "kernel-pid-namespace ZAP:5"},
    LifeStep{"forget_original_parent", "The children go to who adopts them.",
             "kernel-exit REAPER:5"},
    LifeStep{"kill_orphaned_pgrp", "The process's own group may be orphaned by its end.",
             "kernel-exit ORPHAN:4"},
    LifeStep{"exit_notify",
             "The task is a zombie; it is released, or its parent is told.",
             "kernel-exit STEPS:1"},
};

inline constexpr std::array kReleaseTask{
    LifeStep{"cgroup_release",
             "The control group of the task, and those above it, are given back the charge.",
             "kernel-cgroup-pids RELEASE:1"},
    LifeStep{"unhash_process",
             "The number stands for the task no more; a process leaves its parent, group, session "
             "and table of actions.",
             "kernel-exit RELEASE:3"},
    LifeStep{"free_pid", "The number is free, unless a group or a session is called by it.",
             "kernel-pid FREE:2"},
    LifeStep{"mourn_leader",
             "The last thread of a leader that is dead tells the parent what was held back. (If "
             "nobody will wait, the leader is released when the thread's record is given back.)",
             "kernel-exit RELEASE:2"},
    LifeStep{"flush_sigqueue",
             "What was queued for the thread alone counts no more; before 6.15 that came before "
             "mourn_leader.",
             "kernel-signal QUEUE:11"},
    LifeStep{"put_task_struct", "The record is given back.", "kernel-exit STEPS:2"},
};

}  // namespace forkproof::impl
