/// Kernel threads: what kthreadd and each of its children is besides a process of one thread. Other
/// processes have no such record, and pay nothing.
///
/// Sources: kernel/kthread.c struct kthread, struct kthread_create_info.
#pragma once
#include <vector>

#include "impl/arena.hpp"
#include "spec/outcome.hpp"

namespace forkproof::impl {

namespace kthread_bit {  // by the numbers that the kernel's have
inline constexpr std::uint8_t should_stop = 2, should_park = 4;
}

struct Kthread {
  Index self = kNobody;
  Index waiter = kNobody;  // the task that sleeps for `parked` or for `exited`
  std::int32_t result = 0;
  std::uint8_t bits = 0;
  bool made = false;     // by kthread_create: not kthreadd, nor the init of 4.12
  bool started = false;  // its function was called
  friend bool operator==(const Kthread&, const Kthread&) = default;
  bool should_stop() const { return (bits & kthread_bit::should_stop) != 0; }
  bool should_park() const { return (bits & kthread_bit::should_park) != 0; }
};

/// What kthreadd was asked for and has not made yet.
struct KthreadRequest {
  Index creator = kNobody;  // nobody: killed meanwhile
  bool runs = false;
  Index made = kNobody;  // the thread, if it has only to be woken
  friend bool operator==(const KthreadRequest&, const KthreadRequest&) = default;
};

/// kthreadd, if there is one.
struct Kthreadd {
  bool exists = false;  // so that the functions of the kernel are answered
  bool held = false;    // it does not get the processor
  Index task = kNobody;
  std::vector<KthreadRequest> requests;  // as they were made
  friend bool operator==(const Kthreadd&, const Kthreadd&) = default;
};

}  // namespace forkproof::impl
