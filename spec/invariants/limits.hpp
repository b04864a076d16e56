/// Invariants of limits, and of what was used.
#pragma once
#include <cstdint>
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct SoftLimitsAreBelowHardOnes {
  static constexpr std::string_view id = "LIMIT-1";
  static constexpr std::string_view says =
      "No soft limit is above its hard one, and no limit of descriptors above the machine's.";
  static constexpr std::string_view source = "getrlimit.2 EINVAL:1";
  static bool applies(const auto& w, TaskId t) { return !w.process_of(w.tasks[t]).limits.empty(); }
  static bool holds(const auto& w, TaskId t) {
    for (const auto& [resource, limits] : w.process_of(w.tasks[t]).limits) {
      if (limits.soft > limits.hard) return false;
      if (resource == Resource::nofile && limits.hard.n > kOpenFilesMost) return false;
    }
    return true;
  }
};

struct RootIsNeverMarked {
  static constexpr std::string_view id = "LIMIT-2";
  static constexpr std::string_view says =
      "No task whose real user is root has NPROC_EXCEEDED.";
  static constexpr std::string_view source = "kernel-cred NPROC:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].flags.has(task_flag::nproc_exceeded);
  }
  static bool holds(const auto& w, TaskId t) {
    return !applies(w, t) || w.tasks[t].attributes.user != User::root;
  }
};

struct UsageIsCountedOnce {
  static constexpr std::string_view id = "USAGE-1";
  static constexpr std::string_view says =
      "Every page fault and every tick is counted once: for a thread that is there, for its "
      "process once it is gone, for who waited for the process, or for nobody if nobody did.";
  static constexpr std::string_view source = "kernel-exit USAGE:1";
  static bool applies(const auto& w) { return w.used != Usage{}; }
  static bool holds(const auto& w) {
    Usage found = w.usage_lost;
    w.tasks.for_each([&](TaskId, const auto& t) { found += t.used; });
    w.processes.for_each([&](ProcessId, const auto& p) {
      found += p.used_by_dead_threads + p.used_by_children;
    });
    return found == w.used;
  }
};

struct EntriesAreCounted {
  static constexpr std::string_view id = "QUEUE-1";
  static constexpr std::string_view says =
      "The entries of a user's signals are as many as are queued: in the user namespace that they "
      "were queued in, and for root in those above.";
  static constexpr std::string_view source = "kernel-signal QUEUE:7";
  static bool applies(const auto& w) { return w.queued != decltype(w.queued){}; }
  static bool holds(const auto& w) {
    UserNamespaces found;
    found.user_namespaces = w.user_namespaces;
    std::vector<UserNamespaceId> all;
    found.user_namespaces.for_each([&](UserNamespaceId ns, const auto&) { all.push_back(ns); });
    for (const UserNamespaceId ns : all) found.user_namespaces[ns].queued = {};
    const auto count = [&](const auto& pending) {
      for (const Queued& q : pending.queue) found.count_queued(q.ns, q.user, true);
    };
    w.tasks.for_each([&](TaskId, const auto& t) { count(t.pending); });
    w.processes.for_each([&](ProcessId, const auto& p) { count(p.shared_pending); });
    bool same = found.queued == w.queued;
    for (const UserNamespaceId ns : all)
      same = same && found.user_namespaces[ns].queued == w.user_namespaces[ns].queued;
    return same;
  }
};

struct EntriesAreOfPendingSignals {
  static constexpr std::string_view id = "QUEUE-2";
  static constexpr std::string_view says =
      "Every entry is of a signal that is pending, and below 32 there is one at most.";
  static constexpr std::string_view source = "kernel-signal QUEUE:3";
  static bool applies(const auto& w, TaskId t) {
    return !w.tasks[t].pending.queue.empty() ||
           !w.process_of(w.tasks[t]).shared_pending.queue.empty();
  }
  static bool holds(const auto& w, TaskId t) {
    return is_good(w.tasks[t].pending) && is_good(w.process_of(w.tasks[t]).shared_pending);
  }

 private:
  static bool is_good(const auto& pending) {
    SigSet met;
    for (const Queued& q : pending.queue) {
      if (!pending.has(q.signal) || (q.signal.n < kFirstRealTimeSignal && met.has(q.signal)))
        return false;
      met.add(q.signal);
    }
    return true;
  }
};

}  // namespace forkproof::spec
