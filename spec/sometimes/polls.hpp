/// States that a good campaign must witness: of who sleeps in poll.
#pragma once
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

/// Whether a task sleeps in a poll of a pidfd, and whether its descriptor still is that.
struct PollOfPidfd {
  const Task& task;
  const Files* files = nullptr;
  Descriptor fd = 0;

  PollOfPidfd(const World& w, TaskId t) : task(w.tasks[t]) {
    if (!is()) return;
    files = &w.files[task.files];
    fd = std::get<Poll>(task.call.again).fd;
  }
  bool is() const { return task.call.kind == Call::Kind::poll && task.call.query.number.n != 0; }
  bool is_still(const World& w) const {
    if (!files->has(fd)) return false;
    const OpenFile& file = w.open_files[files->open[static_cast<std::size_t>(fd)]];
    return file.target == task.call.query.number && file.use == task.call.query.use;
  }
};

struct StoppedInPoll {
  static constexpr std::string_view
      id = "SOMETIMES-75",
      says = "A task that polls a pidfd is stopped, and whom it polls is gone meanwhile.";
  static bool holds(const World& w, TaskId t) {
    const PollOfPidfd poll(w, t);
    if (!poll.is() || !poll.task.stopped) return false;
    const Number* const number = w.numbers.find(poll.task.call.query.number.n);
    return number == nullptr || number->use != poll.task.call.query.use || !number->task;
  }
};

struct PolledDescriptorChanged {
  static constexpr std::string_view
      id = "SOMETIMES-76",
      says = "The descriptor of a pidfd that somebody sleeps for is closed, or another.";
  static bool holds(const World& w, TaskId t) {
    const PollOfPidfd poll(w, t);
    return poll.is() && !poll.is_still(w);
  }
};

}  // namespace forkproof::spec
