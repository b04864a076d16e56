/// The invariants about user namespaces: see spec/invariants.hpp.
#pragma once
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct ThreadsAreOfOneUserNamespace {
  static constexpr std::string_view id = "USERNS-1";
  static constexpr std::string_view says = "The threads of a process are in one user namespace.";
  static constexpr std::string_view source = "user_namespaces.7 THREAD:1";
  static bool applies(const auto& w, TaskId t) { return !w.is_leader(t); }
  static bool holds(const auto& w, TaskId t) {
    return !applies(w, t) ||
           w.tasks[t].attributes.user_ns == w.leader_of(w.tasks[t]).attributes.user_ns;
  }
};

struct NobodySharesRootAcrossUsers {
  static constexpr std::string_view id = "USERNS-2";
  static constexpr std::string_view says =
      "Nobody has root and working directory in common with one in another user namespace.";
  static constexpr std::string_view source = "user_namespaces.7 FS:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].fs && w.tasks[t].attributes.user_ns && w.fs[w.tasks[t].fs].users > 1;
  }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    bool same = true;
    w.tasks.for_each([&](TaskId, const auto& other) {
      same = same && (other.fs != w.tasks[t].fs ||
                      other.attributes.user_ns == w.tasks[t].attributes.user_ns);
    });
    return same;
  }
};

struct PidNamespacesBelongInward {
  static constexpr std::string_view id = "USERNS-3";
  static constexpr std::string_view says =
      "A pid namespace belongs to the user namespace that the one above it belongs to, or to one "
      "in that.";
  static constexpr std::string_view source = "kernel-user-namespace OWNER:2";
  static bool applies(const auto& w, TaskId t) {
    const NamespaceId ns = w.process_of(w.tasks[t]).ns;
    return w.profile == Profile::linux_6 && ns && w.namespaces[ns].owner;
  }
  static bool holds(const auto& w, TaskId t) {
    const NamespaceId ns = w.process_of(w.tasks[t]).ns;
    if (w.profile != Profile::linux_6 || !ns) return true;
    const UserNamespaceId own = w.namespaces[ns].owner;
    const UserNamespaceId above = w.owner_of(w.namespaces[ns].parent);
    return own == above || w.is_below(own, above);
  }
};

struct PowerlessAreBelow {
  static constexpr std::string_view id = "USERNS-4";
  static constexpr std::string_view says =
      "Only below the machine's own user namespace is anybody without capabilities, and then none "
      "is in effect.";
  static constexpr std::string_view source = "user_namespaces.7 EXEC:1";
  static bool applies(const auto& w, TaskId t) { return w.tasks[t].attributes.powerless; }
  static bool holds(const auto& w, TaskId t) {
    const auto& a = w.tasks[t].attributes;
    return !a.powerless || (a.user_ns && a.capabilities == Capabilities{});
  }
};

struct UserNamespacesAreThere {
  static constexpr std::string_view id = "USERNS-5";
  static constexpr std::string_view says =
      "A user namespace is there as long as somebody is in it, or one below it, or something "
      "belongs to it; those that have others below them are mapped.";
  static constexpr std::string_view source = "kernel-user-namespace NEW:2";
  static bool applies(const auto& w, TaskId t) {
    return static_cast<bool>(w.tasks[t].attributes.user_ns);
  }
  static bool holds(const auto& w, TaskId t) {
    const auto is_there = [&](UserNamespaceId ns) { return !ns || w.user_namespaces.has(ns); };
    const auto& task = w.tasks[t];
    const NsProxy p = w.proxy_of(task);
    for (const Place place : {p.mnt, p.ipc, p.net, p.cgroup, p.time, p.children_time})
      if (!is_there(w.owner_of(place))) return false;
    if (!is_there(w.owner_of(p.uts)) || !is_there(w.owner_of(w.process_of(task).ns))) return false;
    for (UserNamespaceId ns = task.attributes.user_ns; ns; ns = w.user_namespaces[ns].parent) {
      if (!is_there(ns)) return false;
      if (ns != task.attributes.user_ns && !w.user_namespaces[ns].mapped) return false;
    }
    return true;
  }
};

}  // namespace forkproof::spec
