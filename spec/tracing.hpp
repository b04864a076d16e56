/// What the model knows of a task that another one traces.
#pragma once
#include "spec/numbers.hpp"
#include "spec/pool.hpp"
#include "spec/words.hpp"

namespace forkproof::spec {

struct Task;

/// How a task is traced, and what it is stopped for.
struct Tracing {
  Id<Task> by;            // none: it is not traced
  Place since = 0;        // its place among those that its tracer traces
  bool seized = false;    // and not attached to
  bool exitkill = false;  // it dies with its tracer
  enum class Trap : std::uint8_t {
    none,
    signal,  ///< for a signal that it takes
    stop,    ///< for a group stop, an interruption, a SIGCONT
  } trap = Trap::none;
  bool trapped = false;       // it is stopped, for that
  Signal code;                // the news of it; a signal that it takes it goes on with
  bool of_process = false;    // that signal was the process's, not its own
  bool may_stop = false;      // no SIGCONT came since it took that
  bool interrupted = false;   // it is to stop once more
  bool told_to_look = false;  // ... because of a SIGCONT
  Signal stopped_by;          // what the last group stop that it was asked to join was for
};

}  // namespace forkproof::spec
