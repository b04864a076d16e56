/// What there is to know of a task that is traced, beside its record.
#pragma once
#include "impl/arena.hpp"
#include "spec/words.hpp"

namespace forkproof::impl {

/// What a task has stopped for: a signal that it is about to take, or a stop that has none.
enum class Trap : std::uint8_t { none, signal, stop };

/// A tracer and its tracee. Without a tracer it is one that was let go, and has not run since.
struct Tracing {
  Index tracee = kNobody;
  Index tracer = kNobody;
  Signal code;  // what the stop is reported as, and what its task goes on with; none once reported
  Trap trap = Trap::none;
  bool seized = false;
  bool exitkill = false;
  bool of_process = false;  // the signal came off the queue of the process
  bool may_stop = false;    // no SIGCONT was sent since it did
  bool again = false;       // must stop as soon as it can
  bool notify = false;      // likewise, because of a SIGCONT
  friend bool operator==(const Tracing&, const Tracing&) = default;

  bool is_called() const { return again || notify; }
  bool reports() const { return code != sig::none && trap != Trap::none; }
};

/// What a task goes on with after a stop for its tracer.
struct Resumed {
  Signal given;
  bool after_signal = false;  // the stop was for one
  bool of_process = false;    // which was, and is again, the process's
  bool may_stop = true;
};

}  // namespace forkproof::impl
