/// Invariants of what a task has besides its memory and its signals: open files and attributes.
#pragma once
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct FilesAreHeld {
  static constexpr std::string_view id = "FILE-1";
  static constexpr std::string_view says =
      "A task has a table of descriptors and a umask until it ends; each descriptor stands for an "
      "open file, and only such are marked to be closed.";
  static constexpr std::string_view source = "kernel-exit FILES:1";
  static bool applies(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    return task.zombie || !w.files.has(task.files) || w.files[task.files].has_any();
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (task.exiting()) return !task.files && !task.fs && !task.child_ns;
    if (!w.files.has(task.files) || !w.fs.has(task.fs)) return false;
    const auto& files = w.files[task.files];
    for (std::size_t fd = 0; fd < files.open.size(); ++fd)
      if (files.open[fd] ? !w.open_files.has(files.open[fd]) : files.cloexec[fd]) return false;
    return true;
  }
};

struct PrioritiesFitPolicies {
  static constexpr std::string_view id = "SCHED-1";
  static constexpr std::string_view says =
      "A real-time task, and no other, has a priority; nice values are -20 to 19; a deadline task "
      "may run everywhere, others somewhere.";
  static constexpr std::string_view source = "sched_setscheduler.2 EINVAL:2";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].attributes != Attributes{};
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& a = w.tasks[t].attributes;
    const bool deadline = a.policy == Policy::deadline;
    if (is_real_time(a.policy) != (a.rt_priority != 0) || a.rt_priority > kRealTimeMax)
      return false;
    if (a.processors == 0 || (deadline && a.processors != kProcessors)) return false;
    return a.comm != Comm::too_long && a.nice >= kNiceMin && a.nice <= kNiceMax;
  }
};

}  // namespace forkproof::spec
