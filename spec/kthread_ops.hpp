/// The ops about kernel threads, what they sleep in, and who wakes them: functions of the kernel,
/// which only worlds that have kernel threads answer. Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

struct KthreadCreate : CreatesTask, InKernel {
  static constexpr auto name = "kthread_create";
  static constexpr auto says =
      "Has kthreadd make a kernel thread, whose function is called when it is first woken.";
  static constexpr auto source = "kernel/kthread.c kthread_create_on_node()";
  static constexpr std::tuple args{};
  friend bool operator==(const KthreadCreate&, const KthreadCreate&) = default;
};

struct KthreadRun : CreatesTask, InKernel {
  static constexpr auto name = "kthread_run";
  static constexpr auto says = "Has kthreadd make a kernel thread, and wakes it.";
  static constexpr auto source = "include/linux/kthread.h kthread_run()";
  static constexpr std::tuple args{};
  friend bool operator==(const KthreadRun&, const KthreadRun&) = default;
};

struct KthreadStop : InKernel {
  static constexpr auto name = "kthread_stop";
  static constexpr auto says =
      "Asks a kernel thread to end, and sleeps until it has; answers what its function returned.";
  static constexpr auto source = "kernel/kthread.c kthread_stop()";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &KthreadStop::task}};
  friend bool operator==(const KthreadStop&, const KthreadStop&) = default;
};

struct KthreadPark : InKernel {
  static constexpr auto name = "kthread_park";
  static constexpr auto says = "Asks a kernel thread to park, and sleeps until it has.";
  static constexpr auto source = "kernel/kthread.c kthread_park()";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &KthreadPark::task}};
  friend bool operator==(const KthreadPark&, const KthreadPark&) = default;
};

struct KthreadUnpark : InKernel {
  static constexpr auto name = "kthread_unpark";
  static constexpr auto says = "Has a parked kernel thread go on.";
  static constexpr auto source = "kernel/kthread.c kthread_unpark()";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &KthreadUnpark::task}};
  friend bool operator==(const KthreadUnpark&, const KthreadUnpark&) = default;
};

struct WakeUpProcess : InKernel {
  static constexpr auto name = "wake_up_process";
  static constexpr auto says =
      "Wakes a task that sleeps, however deeply; answers 1 if it did sleep, else 0.";
  static constexpr auto source = "kernel/sched/core.c wake_up_process()";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &WakeUpProcess::task}};
  friend bool operator==(const WakeUpProcess&, const WakeUpProcess&) = default;
};

struct WakeUpState : InKernel {
  static constexpr auto name = "wake_up_state";
  static constexpr auto says =
      "Wakes a task if its state is one that the mask has, but out of no stop; answers 1 if so, "
      "else 0.";
  static constexpr auto source = "kernel/sched/core.c wake_up_state()";
  TaskRef task;
  WakeMask mask = WakeMask::normal;
  static constexpr std::tuple args{Arg{"task", &WakeUpState::task},
                                   Arg{"mask", &WakeUpState::mask}};
  friend bool operator==(const WakeUpState&, const WakeUpState&) = default;
};

struct KthreadShouldStop : ByKthread {
  static constexpr auto name = "kthread_should_stop";
  static constexpr auto says = "Answers 1 if the calling kernel thread was asked to end, else 0.";
  static constexpr auto source = "kernel/kthread.c kthread_should_stop()";
  static constexpr std::tuple args{};
  friend bool operator==(const KthreadShouldStop&, const KthreadShouldStop&) = default;
};

struct KthreadShouldPark : ByKthread {
  static constexpr auto name = "kthread_should_park";
  static constexpr auto says = "Answers 1 if the calling kernel thread was asked to park, else 0.";
  static constexpr auto source = "kernel/kthread.c kthread_should_park()";
  static constexpr std::tuple args{};
  friend bool operator==(const KthreadShouldPark&, const KthreadShouldPark&) = default;
};

struct KthreadParkme : ByKthread {
  static constexpr auto name = "kthread_parkme";
  static constexpr auto says =
      "Parks the calling kernel thread for as long as it was asked to, which may be not at all.";
  static constexpr auto source = "kernel/kthread.c kthread_parkme()";
  static constexpr std::tuple args{};
  friend bool operator==(const KthreadParkme&, const KthreadParkme&) = default;
};

struct SetCurrentState : ByKthread {
  static constexpr auto name = "set_current_state";
  static constexpr auto says = "Says what the calling kernel thread is about to sleep in.";
  static constexpr auto source = "include/linux/sched.h set_current_state()";
  Sleep state = Sleep::interruptible;
  static constexpr std::tuple args{Arg{"state", &SetCurrentState::state}};
  friend bool operator==(const SetCurrentState&, const SetCurrentState&) = default;
};

struct Schedule : ByKthread {
  static constexpr auto name = "schedule";
  static constexpr auto says =
      "Leaves the processor: a kernel thread whose state is not running sleeps until it is woken.";
  static constexpr auto source = "kernel/sched/core.c schedule()";
  static constexpr std::tuple args{};
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

struct HoldKthreadd : ByWorld, InKernel {
  static constexpr auto name = "hold_kthreadd";
  static constexpr auto says =
      "Keeps kthreadd from the processor, so that who asks for a thread waits; 0 lets it go.";
  static constexpr auto source = "forkproof KTHREAD:2";
  std::int32_t on = 1;
  static constexpr std::tuple args{Arg{"on", &HoldKthreadd::on}};
  friend bool operator==(const HoldKthreadd&, const HoldKthreadd&) = default;
};

struct NrUninterruptible : ByWorld, InKernel {
  static constexpr auto name = "nr_uninterruptible";
  static constexpr auto says =
      "Answers how many tasks sleep so that they count as load: uninterruptibly, and not idle.";
  static constexpr auto source = "kernel/sched/core.c task_contributes_to_load()";
  static constexpr std::tuple args{};
  friend bool operator==(const NrUninterruptible&, const NrUninterruptible&) = default;
};

struct ActiveMm : ByKthread {
  static constexpr auto name = "active_mm";
  static constexpr auto says =
      "Answers whose memory the calling kernel thread runs on: the oldest process that uses it, or "
      "0 if none does.";
  static constexpr auto source = "include/linux/sched.h task_struct::active_mm";
  static constexpr std::tuple args{};
  friend bool operator==(const ActiveMm&, const ActiveMm&) = default;
};

struct MmUsers : InKernel {
  static constexpr auto name = "mm_users";
  static constexpr auto says = "Answers how many tasks use the memory that a task runs on.";
  static constexpr auto source = "include/linux/mm_types.h mm_struct::mm_users";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &MmUsers::task}};
  friend bool operator==(const MmUsers&, const MmUsers&) = default;
};

struct MmCount : InKernel {
  static constexpr auto name = "mm_count";
  static constexpr auto says =
      "Answers what keeps the memory that a task runs on: 1 for all who use it, and 1 for who has "
      "borrowed it.";
  static constexpr auto source = "include/linux/mm_types.h mm_struct::mm_count";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &MmCount::task}};
  friend bool operator==(const MmCount&, const MmCount&) = default;
};

struct TaskStateMatch : InKernel {
  static constexpr auto name = "task_state_match";
  static constexpr auto says =
      "Answers 1 if a wake with this mask would reach a task, as it is now, else 0; wakes nobody.";
  static constexpr auto source = "kernel/sched/core.c try_to_wake_up(), task_state_match()";
  TaskRef task;
  WakeMask mask = WakeMask::normal;
  static constexpr std::tuple args{Arg{"task", &TaskStateMatch::task},
                                   Arg{"mask", &TaskStateMatch::mask}};
  friend bool operator==(const TaskStateMatch&, const TaskStateMatch&) = default;
};

struct CopyProcess : ByWorld, InKernel {
  static constexpr auto name = "copy_process";
  static constexpr auto says =
      "Has kthreadd make the thread that it was asked for first, and keeps it from waking that; "
      "answers the number of the thread.";
  static constexpr auto source = "kernel/fork.c kernel_clone(); forkproof KTHREAD:9";
  static constexpr std::tuple args{};
  friend bool operator==(const CopyProcess&, const CopyProcess&) = default;
};

}  // namespace forkproof
