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
      "Every page fault is counted once: for a thread that is there, for its process once it is "
      "gone, for who waited for the process, or for nobody if nobody did.";
  static constexpr std::string_view source = "kernel-exit USAGE:1";
  static bool applies(const auto& w) { return w.faults_made != 0; }
  static bool holds(const auto& w) {
    std::uint64_t found = w.faults_lost;
    w.tasks.for_each([&](TaskId, const auto& t) { found += t.faults; });
    w.processes.for_each([&](ProcessId, const auto& p) {
      found += p.faults_of_dead_threads + p.faults_of_children;
    });
    return found == w.faults_made;
  }
};

}  // namespace forkproof::spec
