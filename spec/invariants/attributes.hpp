/// Invariants of what a task has besides its memory and its signals: open files and attributes.
#pragma once
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

/// Calls `f(pidfd, target)` for each pidfd in the table of a task; the target is none once that was
/// reaped.
void for_each_pidfd(const auto& w, TaskId t, auto&& f) {
  const FilesId id = w.tasks[t].files;
  if (!id || !w.files.has(id)) return;
  for (const OpenFileId at : w.files[id].open) {
    if (!at || !w.open_files.has(at) || !w.open_files[at].is_pidfd()) continue;
    f(w.open_files[at], w.target_of(w.open_files[at]));
  }
}

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

struct PidfdsOfProcesses {
  static constexpr std::string_view id = "PIDFD-1";
  static constexpr std::string_view says =
      "Whom a pidfd stands for, unless that was reaped, is in the pid namespace that it was in "
      "when the pidfd was made, and a leader unless the pidfd is one of a thread.";
  static constexpr std::string_view source = "pidfd_open.2 OPEN:1";
  static bool applies(const auto& w, TaskId t) {
    bool any = false;
    for_each_pidfd(w, t, [&](const OpenFile&, TaskId) { any = true; });
    return any;
  }
  static bool holds(const auto& w, TaskId t) {
    bool fine = true;
    for_each_pidfd(w, t, [&](const OpenFile& pidfd, TaskId target) {
      if (!target) return;
      const bool thread = pidfd.flags.has(pidfd_flag::thread);
      fine = fine && w.process_of(w.tasks[target]).ns == pidfd.ns &&
             (thread || w.is_leader(target));
    });
    return fine;
  }
};

struct PidfdsKeepNamespaces {
  static constexpr std::string_view id = "PIDFD-2";
  static constexpr std::string_view says =
      "The pid namespace of a pidfd's target is there as long as the pidfd is open, and a pidfd is "
      "at offset 0.";
  static constexpr std::string_view source = "kernel-pidfd REF:1";
  static bool applies(const auto& w, TaskId t) { return PidfdsOfProcesses::applies(w, t); }
  static bool holds(const auto& w, TaskId t) {
    bool fine = true;
    for_each_pidfd(w, t, [&](const OpenFile& pidfd, TaskId) {
      fine = fine && (!pidfd.ns || w.namespaces.has(pidfd.ns)) && pidfd.offset == 0;
    });
    return fine;
  }
};

struct PollersAreKnown {
  static constexpr std::string_view id = "PIDFD-3";
  static constexpr std::string_view says =
      "Who sleeps in poll is once among those whom an end looks for, and asked for an infinite "
      "timeout.";
  static constexpr std::string_view source = "kernel-pidfd WAKE:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::poll && !w.tasks[t].call.interrupted;
  }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    const Poll* const op = std::get_if<Poll>(&w.tasks[t].call.again);
    return op != nullptr && op->timeout == Timeout::infinite &&
           std::ranges::count(w.pollers, t) == 1;
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
