/// What the model counts of tasks: the entries of the signals that are queued for them, and what
/// they have used. A part of spec/world.hpp.
#pragma once
#include <vector>

#include "spec/users.hpp"

namespace forkproof::spec {

/// Who sends a signal, as far as its entry hangs on it: the kernel or who calls kill; the kernel to
/// somebody for good; who calls tgkill; a child.
enum class Sender : std::uint8_t { anybody, force, thread, child };

/// The entry of a signal, and for whom it counts: who the receiver was in reality when it was sent.
struct Queued {
  Signal signal;
  UserNamespaceId ns{};
  User user = User::root;
  friend bool operator==(const Queued&, const Queued&) = default;
};

/// What is pending in one place, with the entries that there are of it, as they were sent.
struct Pending : SigSet {
  std::vector<Queued> queue;
  void clear() { bits = 0, queue.clear(); }
};

/// Batches of page faults, and ticks of processor time in the program and in the kernel.
struct Usage {
  std::uint64_t faults = 0, user = 0, system = 0;

  Usage& operator+=(const Usage& more) {
    faults += more.faults, user += more.user, system += more.system;
    return *this;
  }
  friend Usage operator+(Usage a, const Usage& b) { return a += b; }
  friend bool operator==(const Usage&, const Usage&) = default;
};

struct ResourceLimits {
  Resource resource = Resource::cpu;
  Limits limits;
  friend bool operator==(const ResourceLimits&, const ResourceLimits&) = default;
};

}  // namespace forkproof::spec
