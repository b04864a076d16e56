/// States that a good campaign must witness: of numbers that are asked for, and of processors.
#pragma once
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct NumberAhead {
  static constexpr std::string_view
      id = "SOMETIMES-63",
      says = "A task has a number that lies ahead of the search, below those that it begins anew "
             "with.";
  static bool holds(const World& w, TaskId t) {
    const Pid tid = w.tasks[t].tid;
    return tid.n >= w.cursor && tid.n < kReservedPids;
  }
};

struct ProcessorsDiffer {
  static constexpr std::string_view id = "SOMETIMES-64",
                                    says = "A child may run on other processors than its parent.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return task.parent &&
           task.attributes.processors != w.tasks[task.parent].attributes.processors;
  }
};

}  // namespace forkproof::spec
