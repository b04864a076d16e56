/// The invariants about signals, stops and waits: see spec/invariants.hpp.
#pragma once
#include <algorithm>
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct RunningThreadsAreCounted {
  static constexpr std::string_view id = "COUNT-1";
  static constexpr std::string_view says =
      "The counts of running and of stopping threads equal what they count.";
  static constexpr std::string_view source = "kernel-signal STOP:3";
  static bool applies(const auto& w, TaskId t) {
    return w.process_of(w.tasks[t]).threads.size() > 1;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    const auto running =
        std::ranges::count_if(p.threads, [&](TaskId thread) { return !w.tasks[thread].exiting(); });
    const auto stopping = std::ranges::count_if(
        p.threads, [&](TaskId thread) { return w.tasks[thread].stop_counted; });
    return running == static_cast<std::ptrdiff_t>(p.running_threads) &&
           stopping == p.stopping_threads && (w.tasks[t].stop_pending || !w.tasks[t].stop_counted);
  }
};

struct StopAndContExclude {
  static constexpr std::string_view id = "SIGNAL-1";
  static constexpr std::string_view says =
      "A stop signal and SIGCONT are never both pending in a process.";
  static constexpr std::string_view source = "kernel-signal STOP:1";
  static bool applies(const auto& w, TaskId t) {
    const SigSet pending = pending_in(w, w.process_of(w.tasks[t]));
    return pending.has(sig::cont) || !(pending & kStopSignals).empty();
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    if (w.tasks[p.leader].zombie && p.threads.size() == 1) return true;
    const SigSet pending = pending_in(w, p);
    return !pending.has(sig::cont) || (pending & kStopSignals).empty();
  }

 private:
  static SigSet pending_in(const auto& w, const auto& process) {
    SigSet pending = process.shared_pending;
    for (const TaskId thread : process.threads) pending = pending | w.tasks[thread].pending;
    return pending;
  }
};

struct KillAndStopAreBeyondReach {
  static constexpr std::string_view id = "SIGNAL-2";
  static constexpr std::string_view says =
      "SIGKILL and SIGSTOP are never blocked, ignored or caught but by kernel threads, and no "
      "signal is both ignored and caught.";
  static constexpr std::string_view source = "signal.7 KILL:1";
  static bool applies(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (task.zombie || task.in_kernel()) return false;
    const auto& h = w.handlers[task.handlers];
    return !(task.blocked | h.ignored | h.caught).empty();
  }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    const auto& task = w.tasks[t];
    const auto& h = w.handlers[task.handlers];
    return ((task.blocked | h.ignored | h.caught) & kUnblockable).empty() &&
           (h.ignored & h.caught).empty();
  }
};

struct NobodyForgetsSignals {
  static constexpr std::string_view id = "SIGNAL-3";
  static constexpr std::string_view says =
      "Who was told of a signal and has not dealt with it is stopped, also for a tracer, or asleep "
      "in vfork, or for a kernel thread.";
  static constexpr std::string_view source = "kernel-signal STOP:6";
  static bool applies(const auto& w, TaskId t) {
    return !w.tasks[t].exiting() && w.tasks[t].attention;
  }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    const auto& task = w.tasks[t];
    return task.stopped || task.trace.trapped || task.sleeps_deeply();
  }
};

struct StopsAreWhole {
  static constexpr std::string_view id = "STOP-1";
  static constexpr std::string_view says =
      "A process has stopped when all its living threads have that are not traced; only who sleeps "
      "deeply or has stopped for a tracer holds up a stop; stopped and continued are never both "
      "news.";
  static constexpr std::string_view source = "kernel-signal STOP:1";
  static bool applies(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    return p.stop_complete || p.stopping_threads > 0 || w.tasks[t].stopped;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    if (p.stop_complete && (p.continued || p.group_exit)) return false;
    if (w.tasks[t].stop_pending && !w.tasks[t].trace.trapped && !w.tasks[t].sleeps_deeply())
      return false;
    if (w.tasks[t].exiting() || w.tasks[t].trace.by) return true;
    if (p.stop_complete) return w.tasks[t].stopped || w.tasks[t].stop_pending;
    return !w.tasks[t].stopped || p.stopping_threads > 0;
  }
};

struct NewsIsKept {
  static constexpr std::string_view id = "WAIT-1";
  static constexpr std::string_view says =
      "A parent's list of what it can wait for is exactly its children with news.";
  static constexpr std::string_view source = "kernel-exit SCAN:2";
  static bool applies(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (!task.parent || !w.is_leader(t)) return false;
    return has_news(w, task) || w.tasks[task.parent].news.contains(task.sibling);
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (!task.parent || !w.is_leader(t)) return true;
    return w.tasks[task.parent].news.contains(task.sibling) == has_news(w, task);
  }

 private:
  static bool has_news(const auto& w, const auto& task) {
    const auto& p = w.process_of(task);
    return (task.zombie && p.threads.size() == 1) ||
           (p.stop_complete && p.stop_signal != sig::none) || p.continued ||
           (task.trace.trapped && task.trace.code != sig::none);
  }
};

struct NobodyOversleeps {
  static constexpr std::string_view id = "WAIT-2";
  static constexpr std::string_view says =
      "Nobody sleeps in a wait for any dead child, whatever its exit signal, while one can be "
      "reaped: no other process traces it.";
  static constexpr std::string_view source = "wait.2 BLOCK:1";
  static bool applies(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    return task.call.kind == Call::Kind::wait && !task.stopped && !task.frozen &&
           !task.trace.trapped &&
           task.call.query.whom == WaitQuery::Whom::any &&
           task.call.query.options.has(wait_option::exited | wait_option::all) &&
           !task.call.query.options.has(wait_option::nothread);
  }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    return std::ranges::none_of(w.tasks[t].news, [&](const auto& entry) {
      return w.tasks[entry.second].zombie &&
             w.process_of(w.tasks[entry.second]).threads.size() == 1 &&
             w.is_familys_own(w.tasks[entry.second]);
    });
  }
};

}  // namespace forkproof::spec
