/// The invariants about namespaces: see spec/invariants.hpp.
#pragma once
#include <algorithm>
#include <string_view>

#include "spec/world.hpp"

namespace forkproof::spec {

struct NumberInEachNamespace {
  static constexpr std::string_view id = "PIDNS-1";
  static constexpr std::string_view says =
      "A task has exactly one number in its pid namespace and in each above it, by which it is "
      "found there, and none in any other.";
  static constexpr std::string_view source = "pid_namespaces.7 NESTING:2";
  static bool applies(const auto& w, TaskId t) {
    return static_cast<bool>(w.process_of(w.tasks[t]).ns);
  }
  static bool holds(const auto& w, TaskId t) {
    const Pid tid = w.tasks[t].tid;
    const Number* const number = w.numbers.find(tid.n);
    if (number == nullptr) return false;
    NamespaceId at = w.process_of(w.tasks[t]).ns;
    for (const InnerNumber& inner : number->inner) {
      if (inner.ns != at || !at || w.meant_in(at, inner.number) != tid) return false;
      at = w.namespaces[at].parent;
    }
    return !at;
  }
};

struct InitsAreFirst {
  static constexpr std::string_view id = "PIDNS-2";
  static constexpr std::string_view says =
      "The process with number 1 in its pid namespace, and no other, is protected from signals; as "
      "long as it lives one of its threads adopts for the namespace.";
  static constexpr std::string_view source = "pid_namespaces.7 INIT:1";
  static bool applies(const auto& w, TaskId t) {
    return static_cast<bool>(w.process_of(w.tasks[t]).ns);
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    const bool first = w.seen_in(p.ns, w.tasks[p.leader].tid) == kInit;
    if (p.unkillable != first) return false;
    if (!applies(w, t) || !first || p.running_threads == 0) return true;
    const TaskId reaper = w.namespaces[p.ns].reaper;
    return w.tasks.has(reaper) && w.tasks[reaper].process == w.tasks[t].process &&
           !w.tasks[reaper].exiting();
  }
};

struct NamespacesEndWhole {
  static constexpr std::string_view id = "PIDNS-3";
  static constexpr std::string_view says =
      "When the init of a pid namespace is dead, with all its threads, nobody else is in there, "
      "and nobody comes; while it ends, whoever is in there is doomed.";
  static constexpr std::string_view source = "kernel-pid-namespace ZAP:5";
  static bool applies(const auto& w, TaskId t) {
    const NamespaceId ns = w.process_of(w.tasks[t]).ns;
    return ns && !w.namespaces[ns].accepts;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    if (!p.ns || (!p.unkillable && w.namespaces[p.ns].accepts)) return true;
    if (!p.unkillable) return w.tasks[p.leader].zombie || p.running_threads == 0;
    if (p.running_threads > 0) return w.namespaces[p.ns].accepts;
    const auto& ns = w.namespaces[p.ns];
    return !ns.accepts && (w.tasks[t].zaps() || p.threads.size() > 1 || ns.numbers.size() == 1);
  }
};

struct ParentsAreNotBelow {
  static constexpr std::string_view id = "PIDNS-4";
  static constexpr std::string_view says =
      "A task's parent, and who adopts for its parent's namespace, is in the task's own pid "
      "namespace or in one above.";
  static constexpr std::string_view source = "pid_namespaces.7 NESTING:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].parent && w.process_of(w.tasks[t]).ns;
  }
  static bool holds(const auto& w, TaskId t) {
    if (!w.tasks[t].parent) return true;
    const NamespaceId parents = w.process_of(w.tasks[w.tasks[t].parent]).ns;
    NamespaceId at = w.process_of(w.tasks[t]).ns;
    while (at && at != parents) at = w.namespaces[at].parent;
    return at == parents;
  }
};

struct ChildrenAreNotAbove {
  static constexpr std::string_view id = "PIDNS-5";
  static constexpr std::string_view says =
      "The pid namespace that a task's children will be in is its own, or lies in it.";
  static constexpr std::string_view source = "pid_namespaces.7 UNSHARE:1";
  static bool applies(const auto& w, TaskId t) {
    return !w.tasks[t].exiting() && w.tasks[t].child_ns != w.process_of(w.tasks[t]).ns;
  }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    const NamespaceId own = w.process_of(w.tasks[t]).ns;
    NamespaceId at = w.tasks[t].child_ns;
    while (at && at != own) at = w.namespaces[at].parent;
    return at == own;
  }
};

struct TheDeadAreNowhere {
  static constexpr std::string_view id = "NS-1";
  static constexpr std::string_view says =
      "A task that has ended is in no namespace but that of its pid.";
  static constexpr std::string_view source = "kernel-nsproxy EXIT:1";
  static bool applies(const auto& w, TaskId t) { return w.tasks[t].exiting() && !w.over; }
  static bool holds(const auto& w, TaskId t) {
    return !w.tasks[t].exiting() || (!w.tasks[t].proxy && !w.tasks[t].child_ns);
  }
};

struct RecordsAreOfUse {
  static constexpr std::string_view id = "NS-2";
  static constexpr std::string_view says =
      "Who is in other namespaces than the world's own has a record of them, and nobody else has.";
  static constexpr std::string_view source = "forkproof NS:4";
  static bool applies(const auto& w, TaskId t) { return static_cast<bool>(w.tasks[t].proxy); }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    const auto& proxy = w.tasks[t].proxy;
    if (!w.proxies.has(proxy)) return false;
    return !w.proxies[proxy].is_worlds_own() &&
           (!w.proxies[proxy].uts || w.uts.has(w.proxies[proxy].uts));
  }
};

struct NamespacesAreCounted {
  static constexpr std::string_view id = "NS-3";
  static constexpr std::string_view says =
      "As many namespaces of each kind are counted in a user namespace as there are that belong to "
      "it, or to one below it.";
  static constexpr std::string_view source = "kernel-ucount COUNT:1";
  static bool applies(const auto& w) { return w.counts != decltype(w.counts){}; }
  static bool holds(const auto& w) {
    UserNamespaces found;
    found.user_namespaces = w.user_namespaces;
    std::vector<UserNamespaceId> all;
    w.user_namespaces.for_each([&](UserNamespaceId ns, const auto&) { all.push_back(ns); });
    const auto forget = [](NamespaceCounts& counts) {
      for (NamespaceCount& count : counts) count.living = 0;
    };
    found.counts = w.counts;
    forget(found.counts);
    for (const UserNamespaceId ns : all) forget(found.user_namespaces[ns].counts);
    for (const UserNamespaceId ns : all)
      found.count_namespace(w.user_namespaces[ns].parent, NsKind::user, true);
    count_made(w, found);
    bool same = found.counts == w.counts && found.others == w.others;
    for (const UserNamespaceId ns : all)
      same = same && found.user_namespaces[ns].counts == w.user_namespaces[ns].counts;
    return same;
  }

 private:
  /// Counts those of all kinds but users, and who is in them.
  static void count_made(const auto& w, UserNamespaces& found) {
    w.namespaces.for_each([&](NamespaceId, const auto& ns) {
      found.count_namespace(ns.owner, NsKind::pid, true);
    });
    w.uts.for_each(
        [&](UtsNameId, const auto& uts) { found.count_namespace(uts.owner, NsKind::uts, true); });
    w.proxies.for_each([&](NsProxyId, const NsProxy& p) {
      constexpr std::array kKinds{NsKind::mnt,    NsKind::ipc,  NsKind::net,
                                  NsKind::cgroup, NsKind::time, NsKind::time};
      for (std::size_t i = 0; i < kKinds.size(); ++i) {
        const Place place = p.others()[i];
        if (place == 0) continue;
        MadeNamespace& made = found.others[place];
        if (made.users++ > 0) continue;
        made.kind = kKinds[i], made.owner = w.owner_of(place);
        found.count_namespace(made.owner, made.kind, true);
      }
    });
  }
};

}  // namespace forkproof::spec
