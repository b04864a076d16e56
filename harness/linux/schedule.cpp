/// How the puppets and their controller share a processor.
#include "harness/linux/schedule.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace forkproof::harness::kernel {

namespace {

// The scheduler prefers whose slice ends first. A kernel that gives no slices ignores them.
constexpr std::uint64_t kSliceOfPuppets = 10'000'000, kSliceOfController = 100'000'000;

void set(pid_t task, const SchedulingPlan& plan) {
  ::syscall(SYS_sched_setattr, task, &plan, 0);  // refused: then it stays as it is
}

}  // namespace

bool make_real_time(pid_t task) {
  sched_param priority{};
  priority.sched_priority = 1;
  return ::sched_setscheduler(task, SCHED_FIFO, &priority) == 0;
}

void run_after(pid_t task) {
  SchedulingPlan plan;
  plan.policy = SCHED_BATCH;
  plan.slice = kSliceOfPuppets;
  set(task, plan);
  plan = scheduling();
  plan.policy = SCHED_BATCH;
  plan.slice = kSliceOfController;
  set(0, plan);
}

SchedulingPlan scheduling() {
  SchedulingPlan plan;
  ::syscall(SYS_sched_getattr, 0, &plan, sizeof plan, 0);
  return plan;
}

void schedule(const SchedulingPlan& plan) { set(0, plan); }

}  // namespace forkproof::harness::kernel
