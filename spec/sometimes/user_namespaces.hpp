/// States that a good campaign must witness: of user namespaces.
#pragma once
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct UserNamespaceInAnother {
  static constexpr std::string_view id = "SOMETIMES-58",
                                    says = "A task is two user namespaces below the world's own.";
  static bool holds(const World& w, TaskId t) {
    const UserNamespaceId ns = w.tasks[t].attributes.user_ns;
    return ns && w.user_namespaces[ns].level == 2;
  }
};

struct PowerlessWhereMapped {
  static constexpr std::string_view
      id = "SOMETIMES-59",
      says = "A task lost its capabilities before its user namespace was mapped.";
  static bool holds(const World& w, TaskId t) {
    const Attributes& a = w.tasks[t].attributes;
    return a.powerless && w.knows(a.user_ns, User::root);
  }
};

struct NamesBelongElsewhere {
  static constexpr std::string_view
      id = "SOMETIMES-60",
      says = "A task is in a user namespace that its UTS namespace does not belong to, and which "
             "is not the world's.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    const UserNamespaceId own = task.attributes.user_ns;
    return own && !task.exiting() && w.owner_of(w.proxy_of(task).uts) != own;
  }
};

struct UnknownUser {
  static constexpr std::string_view
      id = "SOMETIMES-61",
      says = "A task's real user is not known in its user namespace, where root is.";
  static bool holds(const World& w, TaskId t) {
    const Attributes& a = w.tasks[t].attributes;
    return w.knows(a.user_ns, User::root) && !w.knows(a.user_ns, a.user);
  }
};

struct PidsOfInnerUsers {
  static constexpr std::string_view
      id = "SOMETIMES-62",
      says = "A task is in a pid namespace that belongs to a user namespace below its own.";
  static bool holds(const World& w, TaskId t) {
    const UserNamespaceId owner = w.owner_of(w.process_of(w.tasks[t]).ns);
    return w.is_below(owner, w.tasks[t].attributes.user_ns);
  }
};

}  // namespace forkproof::spec
