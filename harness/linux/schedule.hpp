/// How the puppets and their controller share a processor.
#pragma once
#include <sys/types.h>

#include <cstdint>

namespace forkproof::harness::kernel {

/// The kernel's struct sched_attr, as it was at first.
struct SchedulingPlan {
  std::uint32_t size = 48, policy = 0;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t slice = 0, deadline = 0, period = 0;  // in nanoseconds
};

/// Makes a task, and all that it makes, a real-time one: those run in the order in which they are
/// woken, each until it sleeps. Answers whether that is allowed.
bool make_real_time(pid_t task);

/// What can be had without that: nobody is interrupted by whom it wakes, the task and what it makes
/// run for long without a break, and this thread comes last.
void run_after(pid_t task);

/// How this thread is scheduled, and has it so again.
SchedulingPlan scheduling();
void schedule(const SchedulingPlan& plan);

}  // namespace forkproof::harness::kernel
