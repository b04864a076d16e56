/// States that a good campaign must witness: of borrowed memory, and of threads that are new.
#pragma once
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct BorrowedOfTheDead {
  static constexpr std::string_view
      id = "SOMETIMES-65",
      says = "The processor has memory that nobody uses any more.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].in_kernel() && w.active && w.spaces[w.active].users == 0;
  }
};

struct NewForTheDead {
  static constexpr std::string_view
      id = "SOMETIMES-66",
      says = "A kernel thread is new, and who asked for it was killed.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::unborn && !w.requests.front().creator;
  }
};

}  // namespace forkproof::spec
