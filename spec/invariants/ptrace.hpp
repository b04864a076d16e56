/// The invariants about tasks that are traced: see spec/invariants.hpp.
#pragma once
#include <algorithm>
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct TracersKnowTheirTracees {
  static constexpr std::string_view id = "PTRACE-1";
  static constexpr std::string_view says =
      "The tracer of a task lives, is of another process, and has it on its list.";
  static constexpr std::string_view source = "kernel-ptrace LINK:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].trace.by || !w.tasks[t].tracees.empty();
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    const bool lists = std::ranges::all_of(task.tracees, [&](const auto& entry) {
      return w.tasks.has(entry.second) && w.tasks[entry.second].trace.by == t &&
             w.tasks[entry.second].trace.since == entry.first;
    });
    if (!lists || !task.trace.by) return lists;
    if (!w.tasks.has(task.trace.by)) return false;
    const auto& tracer = w.tasks[task.trace.by];
    return !tracer.exiting() && tracer.process != task.process &&
           tracer.tracees.contains(task.trace.since);
  }
};

struct OnlyTraceesAreTrapped {
  static constexpr std::string_view id = "PTRACE-2";
  static constexpr std::string_view says =
      "Only a living task that is traced is stopped for a tracer; then it is in no other stop.";
  static constexpr std::string_view source = "kernel-ptrace UNLINK:1";
  static bool applies(const auto& w, TaskId t) { return w.tasks[t].trace.trapped; }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (!task.trace.trapped) return task.trace.trap == Tracing::Trap::none || task.exiting();
    return task.trace.by && !task.stopped && !task.exiting() &&
           task.trace.trap != Tracing::Trap::none;
  }
};

struct TraceesStopForTheirTracers {
  static constexpr std::string_view id = "PTRACE-3";
  static constexpr std::string_view says =
      "A task that is traced stops for nobody but its tracer, be its process stopped or not.";
  static constexpr std::string_view source = "ptrace.2 GROUP:1";
  static bool applies(const auto& w, TaskId t) { return static_cast<bool>(w.tasks[t].trace.by); }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    return !task.trace.by || !task.stopped;
  }
};

struct ExecsWaitForTracers {
  static constexpr std::string_view id = "PTRACE-4";
  static constexpr std::string_view says =
      "Who sleeps in an exec lives alone in its process, with a dead thread that somebody traces.";
  static constexpr std::string_view source = "kernel-ptrace EXEC:2";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::exec;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    if (!applies(w, t)) return p.execing != t;
    const bool awaits = std::ranges::any_of(p.threads, [&](TaskId other) {
      return other != t && other != p.leader && w.tasks[other].trace.by;
    });
    return awaits && p.execing == t && p.running_threads == 1;
  }
};

}  // namespace forkproof::spec
