/// States that a good campaign must witness: of limits on namespaces.
#pragma once
#include <algorithm>
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct NamespacesBeyondLimit {
  static constexpr std::string_view
      id = "SOMETIMES-84",
      says = "There are more namespaces of a kind than may be made any more.";
  static bool holds(const World& w, TaskId t) {
    const UserNamespaceId ns = w.tasks[t].attributes.user_ns;
    return ns && std::ranges::any_of(w.user_namespaces[ns].counts, [](const NamespaceCount& c) {
             return c.living > static_cast<std::uint32_t>(c.most);
           });
  }
};

struct FullOnlyAbove {
  static constexpr std::string_view
      id = "SOMETIMES-85",
      says = "A user namespace with a limit of its own has room, and one above it has none.";
  static bool holds(const World& w, TaskId t) {
    const UserNamespaceId own = w.tasks[t].attributes.user_ns;
    for (UserNamespaceId ns = own; ns; ns = w.user_namespaces[ns].parent)
      for (std::size_t kind = 0; ns && kind < kNamespaceKinds.size(); ++kind) {
        const NamespaceCount& here = w.user_namespaces[own].counts[kind];
        const NamespaceCount& there = w.user_namespaces[ns].counts[kind];
        if (here.most != kNamespacesMost && !here.full() && there.full()) return true;
      }
    return false;
  }
};

struct ZombieFillsUserNamespace {
  static constexpr std::string_view
      id = "SOMETIMES-86",
      says = "A zombie is the last in its user namespace, and above there is room for no other.";
  static bool holds(const World& w, TaskId t) {
    const UserNamespaceId own = w.tasks[t].attributes.user_ns;
    if (!w.tasks[t].zombie || !own || !w.user_namespaces[own].parent) return false;
    std::size_t members = 0;
    w.tasks.for_each([&](TaskId, const Task& o) { members += o.attributes.user_ns == own; });
    return members == 1 && w.count_of(w.user_namespaces[own].parent, NsKind::user).full();
  }
};

}  // namespace forkproof::spec
