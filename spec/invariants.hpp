/// What is true in every reachable world, each promise declared once: id, sentence, source and the
/// predicate `holds`, which is about one task and its neighbours, so that after a step only the
/// tasks that it touched need be looked at. A world is sound when every invariant holds of every
/// task, and what is about all tasks together holds of the world.
///
/// `applies` says of which tasks, or worlds, a promise asks something: of others it holds as a
/// matter of course, so that one which never applied was never put to the test. None applies to
/// init alone, as it is when a world begins.
///
/// Cost of `holds`: O(log) of the sizes nearby, or O(threads) of the task's process.
#pragma once
#include <algorithm>
#include <string_view>
#include <tuple>
#include <vector>

#include "spec/invariants/attributes.hpp"
#include "spec/invariants/limits.hpp"
#include "spec/invariants/kthreads.hpp"
#include "spec/invariants/cgroups.hpp"
#include "spec/invariants/namespaces.hpp"
#include "spec/invariants/ptrace.hpp"
#include "spec/invariants/user_namespaces.hpp"
#include "spec/invariants/waiting.hpp"
#include "spec/world.hpp"

namespace forkproof::spec {

struct OneParent {
  static constexpr std::string_view id = "TREE-1";
  static constexpr std::string_view says =
      "Every process but init has one parent, which lists it once; its threads have the same "
      "parent.";
  static constexpr std::string_view source = "kernel-fork PARENT:1";
  static bool applies(const auto& w, TaskId t) { return static_cast<bool>(w.tasks[t].parent); }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    const auto& task = w.tasks[t];
    const auto& leader = w.leader_of(task);
    const auto& siblings = w.tasks[task.parent].children;
    const auto at = siblings.find(leader.sibling);
    return leader.parent == task.parent && at != siblings.end() &&
           at->second == w.process_of(task).leader;
  }
};

struct OneRoot {
  static constexpr std::string_view id = "TREE-2";
  static constexpr std::string_view says =
      "Only the threads of init, and kthreadd, have no parent in the world.";
  static constexpr std::string_view source = "forkproof WORLD:1";
  static bool applies(const auto& w, TaskId t) { return w.leader_of(w.tasks[t]).tid != kInit; }
  static bool holds(const auto& w, TaskId t) {
    const bool root = w.leader_of(w.tasks[t]).tid == kInit || w.kthreadd == t;
    return static_cast<bool>(w.tasks[t].parent) != root;
  }
};

struct OrphansAreAdopted {
  static constexpr std::string_view id = "TREE-3";
  static constexpr std::string_view says =
      "A parent is alive: whoever ends has handed all its children on by the end of the step, but "
      "for an init that ends with its namespace.";
  static constexpr std::string_view source = "kernel-exit REAPER:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].exiting() || w.tasks[t].adopted_at != 0;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    const bool has_children = !task.children.empty() || !task.news.empty();
    if (task.zombie && has_children) return false;
    if (!task.parent) return true;
    if (!w.tasks.has(task.parent)) return false;
    return !w.tasks[task.parent].exiting() || w.tasks[task.parent].zaps();
  }
};

struct SomebodyOfInitAdopts {
  static constexpr std::string_view id = "TREE-4";
  static constexpr std::string_view says =
      "The threads of init adopt for the world: the one that does is alive, until the world is "
      "over.";
  static constexpr std::string_view source = "kernel-exit REAPER:1";
  static bool applies(const auto& w, TaskId t) {
    return !w.over && w.leader_of(w.tasks[t]).tid == kInit && w.tasks.size() > 1;
  }
  static bool holds(const auto& w, TaskId t) {
    if (w.over || w.leader_of(w.tasks[t]).tid != kInit) return true;
    return w.tasks.has(w.reaper) && !w.tasks[w.reaper].exiting() &&
           w.tasks[w.reaper].process == w.tasks[t].process;
  }
};

struct NearestReaperAdopts {
  static constexpr std::string_view id = "TREE-5";
  static constexpr std::string_view says =
      "An orphan comes to a living thread of its dead parent's process; if there is none, to the "
      "nearest ancestor that is a subreaper; if there is none, to init: as far as the parent's "
      "zombie is there to tell.";
  static constexpr std::string_view source = "kernel-exit REAPER:2";
  static bool applies(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (task.adopted_at != w.step || !task.parent) return false;
    // Its dead parent's zombie, if it is still there, knows its ancestors.
    return w.tasks.has(task.father) && w.tasks[task.father].born == task.father_born;
  }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    const auto& task = w.tasks[t];
    const TaskId father = task.father;
    const auto& family = w.process_of(w.tasks[father]);
    const auto lives = [&](TaskId thread) { return !w.tasks[thread].exiting(); };
    if (std::ranges::any_of(family.threads, lives))
      return w.tasks[task.parent].process == w.tasks[father].process;
    TaskId reaper = w.tasks[father].parent;
    const auto ns = w.process_of(w.tasks[father]).ns;
    while (reaper && w.process_of(w.tasks[reaper]).ns == ns &&
           !w.process_of(w.tasks[reaper]).is_subreaper)
      reaper = w.tasks[reaper].parent;
    const bool inside = reaper && w.process_of(w.tasks[reaper]).ns == ns;
    const TaskId by = inside ? reaper : w.reaper_of(ns);
    if (!by) return false;
    return w.tasks[task.parent].process == w.tasks[by].process;
  }
};

struct ThreadsLeaveNothing {
  static constexpr std::string_view id = "ZOMBIE-1";
  static constexpr std::string_view says =
      "Only a leader, or who is traced, can be a zombie: other threads leave nothing behind.";
  static constexpr std::string_view source = "kernel-exit RELEASE:1";
  static bool applies(const auto& w, TaskId t) { return w.tasks[t].zombie; }
  static bool holds(const auto& w, TaskId t) {
    return !applies(w, t) || w.is_leader(t) || w.tasks[t].trace.by;
  }
};

struct DeathsCanBeReported {
  static constexpr std::string_view id = "ZOMBIE-2";
  static constexpr std::string_view says =
      "A zombie whose threads are gone stays, and its parent can wait for it, until that was done "
      "once.";
  static constexpr std::string_view source = "exit.2 ZOMBIE:1";
  static bool applies(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    return task.zombie && task.parent && w.process_of(task).threads.size() == 1;
  }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    const auto& task = w.tasks[t];
    return w.tasks[task.parent].news.contains(task.sibling);
  }
};

struct DeathIsFinal {
  static constexpr std::string_view id = "ZOMBIE-3";
  static constexpr std::string_view says =
      "Who was a zombie once is one until it is gone, and has no memory, no call and no stop.";
  static constexpr std::string_view source = "exit.2 ZOMBIE:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].was_zombie || w.tasks[t].zombie;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (task.was_zombie != task.zombie) return false;
    if (task.zaps()) return task.exiting() && !task.space;
    if (!task.zombie) return static_cast<bool>(task.space) != task.in_kernel() && !task.exiting();
    return task.exiting() && !task.space && !task.stopped && !task.trace.trapped &&
           task.call.kind == Call::Kind::none;
  }
};

struct DeathsAreReportedOnce {
  static constexpr std::string_view id = "ZOMBIE-4";
  static constexpr std::string_view says =
      "Whose death was reported, or need not be, is gone: it cannot be reported twice.";
  static constexpr std::string_view source = "wait.2 ZOMBIE:1";
  static bool applies(const auto& w, TaskId t) { return w.tasks[t].told || w.told > 0; }
  static bool holds(const auto& w, TaskId t) { return !w.tasks[t].told; }
};

struct NumbersAreUnique {
  static constexpr std::string_view id = "PID-1";
  static constexpr std::string_view says =
      "No two tasks have one number, and none has number 0 or less.";
  static constexpr std::string_view source = "clone.2 THREAD:2";
  static bool applies(const auto& w, TaskId t) {
    (void)t;
    return w.tasks.size() > 1;
  }
  static bool holds(const auto& w, TaskId t) {
    return w.tasks[t].tid.n > 0 && w.task_of(w.tasks[t].tid) == t;
  }
};

struct NumbersArePinned {
  static constexpr std::string_view id = "PID-2";
  static constexpr std::string_view says =
      "The number of a group or a session is in use as long as a process is in it, zombies "
      "included.";
  static constexpr std::string_view source = "kernel-pid FREE:2";
  static bool applies(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    const Pid own = w.leader_of(w.tasks[t]).tid;
    return p.pgid != own || p.sid != own;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    if (p.pgid.n == 0 && p.sid.n == 0) return w.tasks[t].in_kernel();
    const Number* const group = w.numbers.find(p.pgid.n);
    const Number* const session = w.numbers.find(p.sid.n);
    if (group == nullptr || session == nullptr) return false;
    const auto at = group->group.find(p.group_place);
    return at != group->group.end() && at->second == w.tasks[t].process &&
           session->session_members > 0;
  }
};

struct NumbersAreFreeWhenGiven {
  static constexpr std::string_view id = "PID-3";
  static constexpr std::string_view says =
      "A number is given out only when no task, process, group or session has it: a group or "
      "session that has a task's number began after the task.";
  static constexpr std::string_view source = "fork.2 COPY:1";
  static bool applies(const auto& w, TaskId t) {
    const Pid tid = w.tasks[t].tid;
    const Number* const number = w.numbers.find(tid.n);
    return tid != kInit && number != nullptr &&
           (!number->group.empty() || number->session_members > 0);
  }
  static bool holds(const auto& w, TaskId t) {
    const Number* const number = w.numbers.find(w.tasks[t].tid.n);
    if (number == nullptr) return false;
    const Place born = w.tasks[t].born;
    return (number->group.empty() || number->group.begin()->first > born) &&
           (number->session_members == 0 || number->session_since > born);
  }
};

struct GroupsAreInOneSession {
  static constexpr std::string_view id = "GROUP-1";
  static constexpr std::string_view says =
      "All processes of a group are in one session, and a session's leader leads its group.";
  static constexpr std::string_view source = "credentials.7 SESSION:1";
  static bool applies(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    const Pid own = w.leader_of(w.tasks[t]).tid;
    return p.pgid != own || (p.session_leader && own != kInit);
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    if (p.pgid.n == 0) return p.sid.n == 0 && !p.session_leader;
    const Number* const number = w.numbers.find(p.pgid.n);
    if (number == nullptr || number->group.empty()) return false;
    if (w.processes[number->group.begin()->second].sid != p.sid) return false;
    const Pid self = w.tasks[p.leader].tid;
    return !p.session_leader || (p.sid == self && p.pgid == self);
  }
};

struct PrivatePagesAreIsolated {
  static constexpr std::string_view id = "MEM-1";
  static constexpr std::string_view says =
      "What a private page holds was written in this address space, or before the fork that made "
      "it.";
  static constexpr std::string_view source = "fork.2 MEM:2";
  static bool applies(const auto& w, TaskId t) {
    if (!w.tasks[t].space) return false;
    const auto& space = w.spaces[w.tasks[t].space];
    return std::ranges::any_of(space.pages, [&](const Page& page) {
      return page.mapping == Mapping::private_ && page.written_at != 0 &&
             page.written_in != space.made;
    });
  }
  static bool holds(const auto& w, TaskId t) {
    if (!w.tasks[t].space) return true;
    const auto& space = w.spaces[w.tasks[t].space];
    return std::ranges::all_of(space.pages, [&](const Page& page) {
      return page.mapping == Mapping::shared || page.written_in == space.made ||
             page.written_at < space.made;
    });
  }
};

struct SharedPagesAreOne {
  static constexpr std::string_view id = "MEM-2";
  static constexpr std::string_view says =
      "A shared page has no value of its own: all who map it read and write one object.";
  static constexpr std::string_view source = "mmap.2 SHARED:1";
  static bool applies(const auto& w, TaskId t) {
    if (!w.tasks[t].space) return false;
    return std::ranges::any_of(w.spaces[w.tasks[t].space].pages, [](const Page& page) {
      return page.mapping == Mapping::shared;
    });
  }
  static bool holds(const auto& w, TaskId t) {
    if (!w.tasks[t].space) return true;
    return std::ranges::all_of(w.spaces[w.tasks[t].space].pages, [&](const Page& page) {
      return page.mapping == Mapping::private_ ||
             (page.value == 0 && page.shared < w.shared_pages.size());
    });
  }
};

struct PagesAreInOrder {
  static constexpr std::string_view id = "MEM-3";
  static constexpr std::string_view says =
      "No page of an address space is mapped twice, and none lies outside it.";
  static constexpr std::string_view source = "mmap.2 ENOMEM:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].space && w.spaces[w.tasks[t].space].pages.size() > 1;
  }
  static bool holds(const auto& w, TaskId t) {
    if (!w.tasks[t].space) return true;
    const auto& pages = w.spaces[w.tasks[t].space].pages;
    for (std::size_t i = 1; i < pages.size(); ++i)
      if (pages[i - 1].no >= pages[i].no) return false;
    return pages.empty() || pages.back().no < kPages;
  }
};

struct VforkParentsSleep {
  static constexpr std::string_view id = "VFORK-1";
  static constexpr std::string_view says =
      "A vfork parent sleeps exactly as long as its child has neither execed nor died.";
  static constexpr std::string_view source = "vfork.2 SLEEP:1";
  static bool applies(const auto& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::vfork || w.tasks[t].vfork_parent;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& task = w.tasks[t];
    if (task.call.kind == Call::Kind::vfork) {
      if (!w.tasks.has(task.call.child) || w.tasks[task.call.child].vfork_parent != t) return false;
    }
    if (!task.vfork_parent) return true;
    const auto& parent = w.tasks[task.vfork_parent];
    return parent.call.kind == Call::Kind::vfork && parent.call.child == t && !task.exiting() &&
           task.flags.has(task_flag::forknoexec);
  }
};

struct ThreadsShare {
  static constexpr std::string_view id = "THREAD-1";
  static constexpr std::string_view says =
      "The living threads of a process share memory and dispositions.";
  static constexpr std::string_view source = "clone.2 THREAD:1";
  static bool applies(const auto& w, TaskId t) {
    return !w.tasks[t].zombie && w.process_of(w.tasks[t]).threads.size() > 1;
  }
  static bool holds(const auto& w, TaskId t) {
    if (!applies(w, t)) return true;
    const auto& task = w.tasks[t];
    return std::ranges::all_of(w.process_of(task).threads, [&](TaskId other) {
      const auto& o = w.tasks[other];
      return o.zombie || (o.space == task.space && o.handlers == task.handlers);
    });
  }
};

struct LeadersLeaveLast {
  static constexpr std::string_view id = "THREAD-2";
  static constexpr std::string_view says =
      "A leader is released after its threads: every thread has one, and it comes first.";
  static constexpr std::string_view source = "kernel-exit LEADER:1";
  static bool applies(const auto& w, TaskId t) {
    return w.process_of(w.tasks[t]).threads.size() > 1;
  }
  static bool holds(const auto& w, TaskId t) {
    const auto& p = w.process_of(w.tasks[t]);
    return w.tasks.has(p.leader) && !p.threads.empty() && p.threads.front() == p.leader &&
           std::ranges::count(p.threads, t) == 1 &&
           (w.tasks[t].exit_signal == -1) == (p.leader != t);
  }
};

/// The register.
using Invariants =
    std::tuple<OneParent, OneRoot, OrphansAreAdopted, SomebodyOfInitAdopts, NearestReaperAdopts,
               ThreadsLeaveNothing, DeathsCanBeReported, DeathIsFinal, DeathsAreReportedOnce,
               NumbersAreUnique, NumbersArePinned, NumbersAreFreeWhenGiven, GroupsAreInOneSession,
               PrivatePagesAreIsolated, SharedPagesAreOne, PagesAreInOrder, VforkParentsSleep,
               ThreadsShare, LeadersLeaveLast, RunningThreadsAreCounted, StopAndContExclude,
               KillAndStopAreBeyondReach, NobodyForgetsSignals, StopsAreWhole, NewsIsKept,
               NobodyOversleeps, FilesAreHeld, PrioritiesFitPolicies, NumberInEachNamespace,
               InitsAreFirst, NamespacesEndWhole, ParentsAreNotBelow, SoftLimitsAreBelowHardOnes,
               RootIsNeverMarked, KthreadsAreKthreadds, WhoAwaitsIsAwaited, ParkedWasAsked,
               NewIsWoken, ChildrenAreNotAbove, TheDeadAreNowhere, RecordsAreOfUse,
               PidfdsOfProcesses, PidfdsKeepNamespaces, PollersAreKnown,
               GroupsOfTheLivingAreThere, FrozenTasksAreOfFrozenGroups, TracersKnowTheirTracees,
               OnlyTraceesAreTrapped, TraceesStopForTheirTracers, ExecsWaitForTracers,
               ThreadsAreOfOneUserNamespace, NobodySharesRootAcrossUsers,
               PidNamespacesBelongInward, PowerlessAreBelow, UserNamespacesAreThere,
               EntriesAreOfPendingSignals>;

struct CountsAreTrue {
  static constexpr std::string_view id = "COUNT-2";
  static constexpr std::string_view says =
      "Users of memory, dispositions, descriptors, open files, umasks and namespaces, members of "
      "sessions and the lists of tasks equal what they count.";
  static constexpr std::string_view source = "forkproof WORLD:7";
  static bool applies(const auto& w) { return w.tasks.size() > 1; }
  static bool holds(const auto& w) {
    std::vector<std::uint32_t> spaces(w.spaces.capacity()), handlers(w.handlers.capacity()),
        files(w.files.capacity()), open_files(w.open_files.capacity()), fs(w.fs.capacity()),
        namespaces(w.namespaces.capacity()), uts(w.uts.capacity());
    std::vector<Pid> sessions;
    std::size_t processes = 0, counted = 0;
    w.tasks.for_each([&](TaskId id, const auto& t) {
      if (t.space) ++spaces[t.space.n];
      ++handlers[t.handlers.n];
      if (t.files) ++files[t.files.n], ++fs[t.fs.n];
      if (t.child_ns) ++namespaces[t.child_ns.n];
      processes += w.is_leader(id);
      if (w.is_leader(id) && w.process_of(t).sid.n != 0) sessions.push_back(w.process_of(t).sid);
    });
    w.proxies.for_each([&](NsProxyId, const auto& proxy) {
      if (proxy.uts) ++uts[proxy.uts.n];
    });
    bool same = w.processes.size() == processes && w.all_processes.size() == processes;
    w.spaces.for_each([&](SpaceId id, const auto& s) { same = same && spaces[id.n] == s.users; });
    w.handlers.for_each(
        [&](HandlersId id, const auto& h) { same = same && handlers[id.n] == h.users; });
    w.files.for_each([&](FilesId id, const auto& f) {
      same = same && files[id.n] == f.users;
      for (const OpenFileId file : f.open)
        if (file) ++open_files[file.n];
    });
    w.open_files.for_each(
        [&](OpenFileId id, const auto& f) { same = same && open_files[id.n] == f.users; });
    w.fs.for_each([&](FsInfoId id, const auto& f) { same = same && fs[id.n] == f.users; });
    w.uts.for_each([&](UtsNameId id, const auto& u) { same = same && uts[id.n] == u.users; });
    w.namespaces.for_each([&](NamespaceId, const auto& ns) {
      if (ns.parent) ++namespaces[ns.parent.n];
    });
    w.open_files.for_each([&](OpenFileId, const auto& f) {
      if (f.ns) ++namespaces[f.ns.n];
    });
    w.namespaces.for_each([&](NamespaceId id, const auto& ns) {
      same = same && namespaces[id.n] == ns.users && (ns.users > 0 || !ns.numbers.empty());
    });
    std::ranges::sort(sessions);
    w.numbers.for_each([&](std::int32_t n, const Number& use) {
      const auto members = std::ranges::equal_range(sessions, Pid{n});
      same = same && !use.free() && members.size() == use.session_members;
      counted += use.session_members;
    });
    return same && counted == sessions.size();
  }
};

struct NoDeathIsLost {
  static constexpr std::string_view id = "COUNT-3";
  static constexpr std::string_view says =
      "Every process that was made is there, or its death was reported, or nobody wanted to know.";
  static constexpr std::string_view source = "exit.2 ZOMBIE:1";
  static bool applies(const auto& w) { return w.made != w.processes.size(); }
  static bool holds(const auto& w) { return w.made == w.processes.size() + w.told; }
};

/// The register of what no single task can vouch for. O(tasks): for the full check.
using WorldInvariants = std::tuple<CountsAreTrue, NoDeathIsLost, UsageIsCountedOnce, ChargesAreTrue,
                                   GroupsLieInGroups, MemoryIsUsedOrBorrowed, EntriesAreCounted,
                                   NamespacesAreCounted>;

/// Calls `f.operator()<I>()` for each invariant about all tasks together.
constexpr void for_each_world_invariant(auto&& f) {
  [&]<class... I>(std::tuple<I...>*) {
    (f.template operator()<I>(), ...);
  }(static_cast<WorldInvariants*>(nullptr));
}

/// Calls `f.operator()<I>()` for each invariant about a task.
constexpr void for_each_invariant(auto&& f) {
  [&]<class... I>(std::tuple<I...>*) {
    (f.template operator()<I>(), ...);
  }(static_cast<Invariants*>(nullptr));
}

inline constexpr std::size_t kInvariants =
    std::tuple_size_v<Invariants> + std::tuple_size_v<WorldInvariants>;

/// The id of the first invariant about all tasks together that a world breaks, if it breaks one.
inline std::string_view broken_by(const World& w) {
  std::string_view id;
  for_each_world_invariant([&]<class I>() {
    if (id.empty() && !I::holds(w)) id = I::id;
  });
  return id;
}

/// The id of the first invariant that a task breaks, empty when it breaks none.
inline std::string_view broken_by(const World& w, TaskId t) {
  std::string_view id;
  for_each_invariant([&]<class I>() {
    if (id.empty() && !I::holds(w, t)) id = I::id;
  });
  return id;
}

}  // namespace forkproof::spec
