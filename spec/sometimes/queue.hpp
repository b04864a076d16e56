/// States of queued signals that a good campaign must witness.
#pragma once
#include <algorithm>
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct QueuedSeveralTimes {
  static constexpr std::string_view id = "SOMETIMES-79",
                                    says = "A real-time signal is queued three times in one place.";
  static bool holds(const World& w, TaskId t) {
    const auto& queue = w.tasks[t].pending.queue;
    return std::ranges::any_of(queue, [&](const Queued& q) {
      return std::ranges::count(queue, q.signal, &Queued::signal) >= 3;
    });
  }
};

struct QueuedForTwoUsers {
  static constexpr std::string_view
      id = "SOMETIMES-80",
      says = "What is queued in one place counts for two users.";
  static bool holds(const World& w, TaskId t) {
    const auto& queue = w.tasks[t].pending.queue;
    return std::ranges::any_of(queue,
                               [&](const Queued& q) { return q.user != queue.front().user; });
  }
};

struct PendingWithoutEntry {
  static constexpr std::string_view
      id = "SOMETIMES-81",
      says = "A real-time signal is pending without an entry, beside one that has some.";
  static bool holds(const World& w, TaskId t) {
    const Pending& pending = w.process_of(w.tasks[t]).shared_pending;
    SigSet bare = pending;
    for (const Queued& q : pending.queue) bare.remove(q.signal);
    return !pending.queue.empty() && bare.bits >> (kFirstRealTimeSignal - 1) != 0;
  }
};

struct ZombieWithEntries {
  static constexpr std::string_view
      id = "SOMETIMES-82",
      says = "A zombie has entries of a user who has as many as his limit.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    const Process& p = w.process_of(task);
    const bool by_namespace = w.profile == Profile::linux_6;
    const UserNamespaceId ns = by_namespace ? task.attributes.user_ns : UserNamespaceId::none();
    return task.zombie && !p.shared_pending.queue.empty() &&
           w.queued_for(ns, task.attributes.user) >=
               p.limits_of(Resource::sigpending).soft.n;
  }
};

}  // namespace forkproof::spec
