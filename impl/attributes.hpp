/// The records of what most tasks have as usual: name, scheduling, signal stack, credentials.
///
/// A task whose attributes are those of a new world's init has no record. A record is shared by
/// tasks until one of them changes it.
///
/// Sources: include/linux/sched.h task_struct: comm, static_prio, policy, rt_priority, cpus_mask,
/// sas_ss_size; kernel/sched/core.c sched_fork().
#pragma once
#include <cstdint>

#include "impl/arena.hpp"
#include "spec/words.hpp"

namespace forkproof::impl {

struct Attributes {
  Comm comm = Comm::puppet;
  Policy policy = Policy::other;
  bool reset_on_fork = false;
  std::int8_t rt_priority = 0;
  std::int8_t nice = 0;
  std::uint8_t processors = kProcessors;
  User user = User::root;
  std::uint32_t capabilities = static_cast<std::uint32_t>(capability::all.bits);  // in effect
  std::int32_t signal_stack = 0;  // bytes
  Index user_ns = kNobody;        // nobody: the world's own
  bool powerless = false;         // it has no capabilities at all
  bool fixed = false;             // its memory is not laid out at random
  bool no_randomize = false;      // nor is that of what it executes
  friend bool operator==(const Attributes&, const Attributes&) = default;

  bool can(Capabilities what) const { return Capabilities{capabilities}.has(what); }
  void enter(Index ns) {
    user_ns = ns;
    powerless = false;
    capabilities = static_cast<std::uint32_t>(capability::all.bits);
  }
  /// What a child gets. One that runs beside its maker in one memory has no signal stack.
  Attributes of_child(bool runs_beside) const;
};

struct SharedAttributes {
  Attributes value;
  std::uint32_t users = 0;  // tasks
  friend bool operator==(const SharedAttributes&, const SharedAttributes&) = default;
};

}  // namespace forkproof::impl
