/// The task flags (PF_*) that nothing is said of.
///
/// Sources: include/linux/sched.h of 4.12 and of 6.12.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace forkproof {

/// A task flag that the lifecycle has nothing to do with, by its name in 4.12 and in 6.12 (empty:
/// there is none), and why nothing is said of it.
struct OtherTaskFlag {
  std::uint64_t value;
  std::string_view in_4_12, in_6;
  std::string_view unseen;
};
inline constexpr std::array kOtherTaskFlags{
    OtherTaskFlag{0x1, "", "VCPU", "no task of a trace runs a virtual machine"},
    OtherTaskFlag{0x2, "IDLE", "IDLE", "the idle tasks are outside of every world"},
    OtherTaskFlag{0x10, "VCPU", "IO_WORKER", "no task of a trace is one"},
    OtherTaskFlag{0x20, "WQ_WORKER", "WQ_WORKER", "kernel threads only"},
    OtherTaskFlag{0x80, "MCE_PROCESS", "MCE_PROCESS", "no memory of a trace is broken"},
    OtherTaskFlag{0x200, "DUMPCORE", "DUMPCORE", "no core is written"},
    OtherTaskFlag{0x800, "MEMALLOC", "MEMALLOC", "within the kernel's allocations only"},
    OtherTaskFlag{0x2000, "USED_MATH", "USED_MATH", "the registers of numbers are not modelled"},
    OtherTaskFlag{0x4000, "USED_ASYNC", "USER_WORKER", "no task of a trace is one"},
    OtherTaskFlag{0x10000, "FROZEN", "KCOMPACTD", "suspension, or one kernel thread"},
    OtherTaskFlag{0x20000, "KSWAPD", "KSWAPD", "some kernel threads"},
    OtherTaskFlag{0x40000, "MEMALLOC_NOFS", "MEMALLOC_NOFS", "within the kernel's allocations"},
    OtherTaskFlag{0x80000, "MEMALLOC_NOIO", "MEMALLOC_NOIO", "within the kernel's allocations"},
    OtherTaskFlag{0x100000, "LESS_THROTTLE", "LOCAL_THROTTLE", "within writing to files"},
    OtherTaskFlag{0x800000, "SWAPWRITE", "", "within the kernel's allocations"},
    OtherTaskFlag{0x4000000, "NO_SETAFFINITY", "NO_SETAFFINITY", "kernel threads only"},
    OtherTaskFlag{0x8000000, "MCE_EARLY", "MCE_EARLY", "no memory of a trace is broken"},
    OtherTaskFlag{0x10000000, "", "MEMALLOC_PIN", "within the kernel's allocations"},
    OtherTaskFlag{0x20000000, "MUTEX_TESTER", "BLOCK_TS", "within the kernel only"},
    OtherTaskFlag{0x40000000, "FREEZER_SKIP", "", "within a sleep only"},
    OtherTaskFlag{0x80000000, "SUSPEND_TASK", "SUSPEND_TASK", "who suspends the machine"},
};

}  // namespace forkproof
