/// The invariants about kernel threads: see spec/invariants.hpp.
#pragma once
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct KthreadsAreKthreadds {
  static constexpr std::string_view id = "KTHREAD-1";
  static constexpr std::string_view says =
      "A kernel thread has no memory, ignores all signals and blocks none, is alone in its process "
      "and is kthreadd or its child; only the init of linux-4.12 is one otherwise.";
  static constexpr std::string_view source = "kernel-kthread MM:1";
  static bool applies(const auto& w, TaskId t) { return w.tasks[t].kthread.made; }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (!task.in_kernel()) return !task.kthread.made && w.kthreadd != t;
    if (task.space || !task.blocked.empty()) return false;
    if (!task.kthread.made && w.kthreadd != t) return task.tid == kInit;
    const auto& p = w.process_of(task);
    return ~w.handlers[task.handlers].ignored.bits == 0 && p.threads.size() == 1 &&
           p.pgid.n == 0 && p.sid.n == 0 && !p.ns && (w.kthreadd == t || task.parent == w.kthreadd);
  }
};

struct WhoAwaitsIsAwaited {
  static constexpr std::string_view id = "KTHREAD-2";
  static constexpr std::string_view says =
      "A kernel thread that somebody awaits was asked for it, and who awaits it sleeps; who waits "
      "for kthreadd has one request there.";
  static constexpr std::string_view source = "kernel-kthread STOP:1";
  static bool applies(const auto& w, TaskId t) {
    return static_cast<bool>(w.tasks[t].kthread.awaited_by) ||
           w.tasks[t].call.kind == Call::Kind::ask;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    std::size_t asked = 0;
    for (const Request& request : w.requests) asked += request.creator == t;
    if (asked != (task.call.kind == Call::Kind::ask)) return false;
    const TaskId by = task.kthread.awaited_by;
    if (!by) return true;
    if (!w.tasks.has(by)) return false;
    return (w.tasks[by].call.kind == Call::Kind::stop && task.kthread.should_stop) ||
           (w.tasks[by].call.kind == Call::Kind::park && task.kthread.should_park);
  }
};

struct NewIsWoken {
  static constexpr std::string_view id = "KTHREAD-3";
  static constexpr std::string_view says =
      "A thread that is new is what kthreadd, which is held, has made for its first request, and "
      "nobody has asked anything of it; it alone has a request.";
  static constexpr std::string_view source = "kernel-kthread NEW:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::unborn;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    for (const Request& request : w.requests)
      if (request.made == t && (&request != &w.requests.front() || !applies(w, t))) return false;
    if (!applies(w, t)) return true;
    const auto& k = task.kthread;
    return w.held && !w.requests.empty() && w.requests.front().made == t && k.made &&
           !k.started && !k.should_stop && !k.should_park && !k.awaited_by;
  }
};

/// Of the world.
struct MemoryIsUsedOrBorrowed {
  static constexpr std::string_view id = "KTHREAD-4";
  static constexpr std::string_view says =
      "Memory that nobody uses is what the processor has, and has no pages; the processor has none "
      "but in a world with kernel threads.";
  static constexpr std::string_view source = "kernel-kthread MM:3";
  static bool applies(const auto& w) { return static_cast<bool>(w.active); }
  static bool holds(const auto& w) {
    if (w.active && (!w.kthreads || !w.spaces.has(w.active))) return false;
    bool kept = true;
    w.spaces.for_each([&](SpaceId id, const auto& s) {
      kept = kept && (s.users > 0 || (id == w.active && s.pages.empty()));
    });
    return kept;
  }
};

struct ParkedWasAsked {
  static constexpr std::string_view id = "STATE-1";
  static constexpr std::string_view says =
      "A parked thread was asked to park, and nobody waits for that any more; a thread that never "
      "ran was asked nothing; what a thread will sleep in says nothing of one that sleeps for "
      "somebody.";
  static constexpr std::string_view source = "kernel-kthread PARK:7";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::parked ||
           w.tasks[t].call.kind == Call::Kind::unwoken;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    const auto& k = task.kthread;
    if (!task.in_kernel()) return k.state == Sleep::running;
    if (task.call.kind == Call::Kind::sched) return k.state != Sleep::running;
    if (task.call.kind == Call::Kind::none) return true;
    if (k.state != Sleep::running) return false;
    if (task.call.kind == Call::Kind::unwoken) return !k.should_stop && !k.should_park;
    return task.call.kind != Call::Kind::parked || (k.should_park && !k.awaited_by);
  }
};

}  // namespace forkproof::spec
