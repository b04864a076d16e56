/// States that a good campaign must witness: of what a task is made of, in the kernel's memory.
#pragma once
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct NamespaceWithoutFirst {
  static constexpr std::string_view
      id = "SOMETIMES-70",
      says = "The first number of a pid namespace was for a task that was not made in the end.";
  static bool holds(const World& w, TaskId t) {
    const NamespaceId ns = w.tasks[t].child_ns;
    return ns && !w.namespaces[ns].accepts && !w.namespaces[ns].began;
  }
};

struct StackOverflown {
  static constexpr std::string_view
      id = "SOMETIMES-71",
      says = "A leader is dead of SIGSEGV, and others of its process live: it had no stack left.";
  static bool holds(const World& w, TaskId t) {
    const Process& p = w.process_of(w.tasks[t]);
    return w.tasks[t].zombie && p.leader == t && w.tasks[t].exit_code == sig::segv.n &&
           !p.group_exit && p.running_threads > 0;
  }
};

struct RecordUsedAgain {
  static constexpr std::string_view
      id = "SOMETIMES-72",
      says = "A task has a record that another had before: an older task's comes after it.";
  static bool holds(const World& w, TaskId t) {
    const TaskId parent = w.tasks[t].parent;
    if (!parent || t.n > parent.n) return false;
    const auto never_execd = [&](TaskId id) { return w.tasks[id].self_exec_id == 0; };
    return never_execd(t) && never_execd(parent) && w.tasks[parent].born < w.tasks[t].born;
  }
};

}  // namespace forkproof::spec
