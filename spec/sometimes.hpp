/// States that a good campaign must witness. A campaign that never sees one of them is too weak,
/// and says so. The dual of the invariants, declared in the same way.
#pragma once
#include <algorithm>
#include <string_view>
#include <tuple>

#include "spec/sometimes/numbers.hpp"
#include "spec/sometimes/kthreads.hpp"
#include "spec/sometimes/namespace_limits.hpp"
#include "spec/sometimes/namespaces.hpp"
#include "spec/sometimes/polls.hpp"
#include "spec/sometimes/queue.hpp"
#include "spec/sometimes/records.hpp"
#include "spec/sometimes/user_namespaces.hpp"
#include "spec/world.hpp"

namespace forkproof::spec {

struct ZombieLeaderWithLiveThread {
  static constexpr std::string_view id = "SOMETIMES-1",
                                    says = "A leader is a zombie while another thread of it lives.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].zombie && w.process_of(w.tasks[t]).threads.size() > 1;
  }
};

struct NumberPinnedAsGroup {
  static constexpr std::string_view id = "SOMETIMES-2",
                                    says = "A number is in use only as a process group.";
  static bool holds(const World& w, TaskId t) {
    const Number* const at = w.numbers.find(w.process_of(w.tasks[t]).pgid.n);
    return at != nullptr && !at->task && at->session_members == 0;
  }
};

struct NumberPinnedAsSession {
  static constexpr std::string_view id = "SOMETIMES-3",
                                    says = "A number is in use only as a session.";
  static bool holds(const World& w, TaskId t) {
    const Number* const at = w.numbers.find(w.process_of(w.tasks[t]).sid.n);
    return at != nullptr && !at->task && at->group.empty();
  }
};

struct WrapWithLowNumbersFree {
  static constexpr std::string_view
      id = "SOMETIMES-4",
      says = "The numbers have wrapped to 300 while lower ones are free.";
  static bool holds(const World& w, TaskId t) {
    const Pid tid = w.tasks[t].tid;
    return tid.n == kReservedPids && w.cursor <= tid.n + 1 && !w.numbers.contains(2) &&
           w.numbers.contains(w.pid_max - 1);
  }
};

struct NestedVfork {
  static constexpr std::string_view id = "SOMETIMES-5",
                                    says = "A vfork child sleeps in a vfork of its own.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::vfork && static_cast<bool>(w.tasks[t].vfork_parent);
  }
};

struct VforkParentWithSignals {
  static constexpr std::string_view id = "SOMETIMES-6",
                                    says = "A vfork parent has signals to deal with when it wakes.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::vfork && w.tasks[t].attention;
  }
};

struct StopHeldUpByVfork {
  static constexpr std::string_view
      id = "SOMETIMES-7",
      says = "A group stop is incomplete because a thread sleeps in vfork.";
  static bool holds(const World& w, TaskId t) {
    return w.process_of(w.tasks[t]).stopping_threads > 0;
  }
};

struct TwoThreadsWait {
  static constexpr std::string_view id = "SOMETIMES-8",
                                    says = "Two threads of one process sleep in waits.";
  static bool holds(const World& w, TaskId t) {
    return std::ranges::count_if(w.process_of(w.tasks[t]).threads, [&](TaskId id) {
             return w.tasks[id].call.kind == Call::Kind::wait;
           }) >= 2;
  }
};

struct SubreaperHasAdopted {
  static constexpr std::string_view id = "SOMETIMES-9",
                                    says = "A subreaper that is not init has adopted a process.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    if (task.adopted_at == 0 || !task.parent) return false;
    const Process& parent = w.process_of(w.tasks[task.parent]);
    return parent.is_subreaper && !parent.unkillable;
  }
};

struct ThreadHasAdopted {
  static constexpr std::string_view id = "SOMETIMES-10",
                                    says = "A thread that is no leader has adopted a process.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return task.adopted_at != 0 && task.parent && !w.is_leader(task.parent);
  }
};

struct DeadSessionLeader {
  static constexpr std::string_view
      id = "SOMETIMES-11",
      says = "The leader of a session is a zombie while its session lives on.";
  static bool holds(const World& w, TaskId t) {
    const Process& p = w.process_of(w.tasks[t]);
    const Number* const session = w.numbers.find(p.sid.n);
    return w.tasks[t].zombie && p.session_leader && session != nullptr &&
           session->session_members > 1;
  }
};

struct StoppedInsideWait {
  static constexpr std::string_view id = "SOMETIMES-12",
                                    says = "A task is stopped in the middle of a wait.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].stopped && w.tasks[t].call.kind == Call::Kind::wait;
  }
};

struct AnswerHeldBack {
  static constexpr std::string_view
      id = "SOMETIMES-13",
      says = "A call is over, but its task was stopped before it could return.";
  static bool holds(const World& w, TaskId t) { return w.tasks[t].call.kind == Call::Kind::held; }
};

struct PendingInBothPlaces {
  static constexpr std::string_view
      id = "SOMETIMES-14",
      says = "One signal is pending both for a thread and for its process.";
  static bool holds(const World& w, TaskId t) {
    return !w.tasks[t].zombie &&
           !(w.tasks[t].pending & w.process_of(w.tasks[t]).shared_pending).empty();
  }
};

struct CloneChildZombie {
  static constexpr std::string_view id = "SOMETIMES-15",
                                    says = "A zombie's exit signal is not SIGCHLD.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].zombie && w.tasks[t].exit_signal != sig::chld.n;
  }
};

struct HandlersSharedByProcesses {
  static constexpr std::string_view id = "SOMETIMES-16",
                                    says = "Two processes share their dispositions.";
  static bool holds(const World& w, TaskId t) {
    return w.handlers[w.tasks[t].handlers].users > w.process_of(w.tasks[t]).threads.size();
  }
};

struct MemorySharedByProcesses {
  static constexpr std::string_view id = "SOMETIMES-17",
                                    says = "Two running processes share an address space.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return task.space && task.parent && !task.vfork_parent && task.call.kind != Call::Kind::vfork &&
           w.spaces[task.space].users > w.process_of(task).threads.size();
  }
};

struct IgnoredTooLate {
  static constexpr std::string_view
      id = "SOMETIMES-18",
      says = "A zombie's parent ignores SIGCHLD, but began to after its death.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    const auto ignores = [&](const Task& parent) {
      return w.handlers[parent.handlers].ignored.has(sig::chld);
    };
    return std::ranges::any_of(task.news,
                               [&](const auto& entry) { return w.tasks[entry.second].zombie; }) &&
           !task.zombie && ignores(task);
  }
};

struct WaiterLeftBehind {
  static constexpr std::string_view
      id = "SOMETIMES-19",
      says = "A task sleeps in a wait though no child of its process is left.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::wait &&
           std::ranges::all_of(w.process_of(w.tasks[t]).threads,
                               [&](TaskId id) { return w.tasks[id].children.empty(); });
  }
};

struct GroupOfZombies {
  static constexpr std::string_view id = "SOMETIMES-20",
                                    says = "A group of at least two has only zombies.";
  static bool holds(const World& w, TaskId t) {
    if (!w.tasks[t].zombie) return false;
    const Number* const at = w.numbers.find(w.process_of(w.tasks[t]).pgid.n);
    return at != nullptr && at->group.size() > 1 && at->group.size() < 9 &&
           std::ranges::all_of(at->group, [&](const auto& entry) {
             return w.tasks[w.processes[entry.second].leader].zombie;
           });
  }
};

struct FilesSharedByProcesses {
  static constexpr std::string_view id = "SOMETIMES-21",
                                    says = "Two processes share a table of descriptors.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return task.files && task.parent &&
           w.files[task.files].users > w.process_of(task).threads.size();
  }
};

struct OffsetSharedByTables {
  static constexpr std::string_view
      id = "SOMETIMES-22",
      says = "Two tables of descriptors have an open file in common that is not at its start.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    if (!task.files) return false;
    const auto& open = w.files[task.files].open;
    return std::ranges::any_of(open, [&](OpenFileId file) {
      return file && w.open_files[file].offset > 0 &&
             w.open_files[file].users > static_cast<std::size_t>(std::ranges::count(open, file));
    });
  }
};

struct NamesOfThreadsDiffer {
  static constexpr std::string_view id = "SOMETIMES-23",
                                    says = "Two threads of one process have different names.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return w.tasks[w.process_of(task).leader].attributes.comm != task.attributes.comm;
  }
};

struct RealTimeWithReset {
  static constexpr std::string_view
      id = "SOMETIMES-24",
      says = "A real-time task whose children are to begin anew has a nice value below 0.";
  static bool holds(const World& w, TaskId t) {
    const Attributes& a = w.tasks[t].attributes;
    return a.reset_on_fork && is_real_time(a.policy) && a.nice < 0;
  }
};

struct SignalStackOfVforkChild {
  static constexpr std::string_view
      id = "SOMETIMES-25",
      says = "A vfork child has the signal stack that its sleeping parent has.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return task.vfork_parent && task.attributes.signal_stack != 0 &&
           w.tasks[task.vfork_parent].attributes.signal_stack == task.attributes.signal_stack;
  }
};

struct MarkedForTheLimit {
  static constexpr std::string_view id = "SOMETIMES-35",
                                    says = "A task and its child have NPROC_EXCEEDED.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return task.parent && task.flags.has(task_flag::nproc_exceeded) &&
           w.tasks[task.parent].flags.has(task_flag::nproc_exceeded);
  }
};

struct UsersOfThreadsDiffer {
  static constexpr std::string_view id = "SOMETIMES-36",
                                    says = "A thread has another real user than its leader.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return w.leader_of(task).attributes.user != task.attributes.user;
  }
};

struct LimitAtAZombie {
  static constexpr std::string_view
      id = "SOMETIMES-37",
      says = "A zombie belongs to a user who must have no more tasks than there are.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    const Limit most = w.process_of(task).limits_of(Resource::nproc).soft;
    return task.zombie && task.attributes.user != User::root && most.n == 1;
  }
};

struct UsageOfGrandchildren {
  static constexpr std::string_view
      id = "SOMETIMES-38",
      says = "A process that has waited for one with usage has used something itself.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return task.parent && task.used.faults != 0 &&
           w.process_of(task).used_by_children.faults != 0;
  }
};

struct KthreadParked {
  static constexpr std::string_view id = "SOMETIMES-49",
                                    says = "A kernel thread parked before its function was called.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::parked && !w.tasks[t].kthread.started;
  }
};

struct RequestAbandoned {
  static constexpr std::string_view
      id = "SOMETIMES-50",
      says = "kthreadd has a request of somebody who was killed, and another behind it.";
  static bool holds(const World& w, TaskId t) {
    return w.kthreadd == t && w.requests.size() > 1 && !w.requests.front().creator;
  }
};

struct KilledInDeepSleep {
  static constexpr std::string_view
      id = "SOMETIMES-51",
      says = "A task was killed, and sleeps on until a kernel thread has ended.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::stop && w.process_of(w.tasks[t]).group_exit;
  }
};

struct KthreadSleepsIdle {
  static constexpr std::string_view id = "SOMETIMES-52", says = "A kernel thread sleeps idle.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::sched && w.tasks[t].kthread.state == Sleep::idle;
  }
};

struct KthreadWaitsForKthread {
  static constexpr std::string_view
      id = "SOMETIMES-53", says = "A kernel thread waits for another to park.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].call.kind == Call::Kind::park && w.tasks[t].in_kernel();
  }
};

struct CgroupOverItsLimit {
  static constexpr std::string_view id = "SOMETIMES-54",
                                    says = "A control group has more tasks than its limit.";
  static bool holds(const World& w, TaskId t) {
    const CgroupId own = w.tasks[t].cgroup;
    if (!own || w.cgroups[own].limit == PidsLimit{}) return false;
    return w.cgroups[own].tasks > static_cast<std::uint32_t>(w.cgroups[own].limit.n);
  }
};

struct ZombieOfRemovedCgroup {
  static constexpr std::string_view id = "SOMETIMES-55",
                                    says = "A zombie is left of a control group that was removed.";
  static bool holds(const World& w, TaskId t) {
    const CgroupId own = w.tasks[t].cgroup;
    return own && w.cgroups[own].removed;
  }
};

struct LeaderLeftInCgroup {
  static constexpr std::string_view
      id = "SOMETIMES-56",
      says = "A dead leader is in another control group than its threads.";
  static bool holds(const World& w, TaskId t) {
    return w.leader_of(w.tasks[t]).cgroup != w.tasks[t].cgroup;
  }
};

struct FrozenWithSignals {
  static constexpr std::string_view id = "SOMETIMES-57",
                                    says = "A frozen task has signals that it could take.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].frozen && !w.deliverable(w.tasks[t]).empty();
  }
};

struct ZombieKeptByTracer {
  static constexpr std::string_view
      id = "SOMETIMES-39",
      says = "A zombie that another process traces waits for that before its parent can reap it.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].zombie && !w.is_familys_own(w.tasks[t]);
  }
};

struct ThreadKeptByTracer {
  static constexpr std::string_view
      id = "SOMETIMES-83",
      says = "A process cannot be reaped only because a tracer has not reaped a thread of it.";
  static bool holds(const World& w, TaskId t) {
    const Process& p = w.process_of(w.tasks[t]);
    return w.tasks[t].zombie && !w.is_leader(t) && p.running_threads == 0 &&
           w.tasks[p.leader].zombie;
  }
};

struct TraceeRunsInStoppedProcess {
  static constexpr std::string_view
      id = "SOMETIMES-40",
      says = "A traced task runs although its process is stopped.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return task.trace.by && !task.trace.trapped && !task.exiting() &&
           w.process_of(task).stop_complete;
  }
};

struct TracerIsTraced {
  static constexpr std::string_view id = "SOMETIMES-41",
                                    says = "A task that is traced traces another.";
  static bool holds(const World& w, TaskId t) {
    return w.tasks[t].trace.by && !w.tasks[t].tracees.empty();
  }
};

struct ParentIsTraced {
  static constexpr std::string_view id = "SOMETIMES-42",
                                    says = "A child traces its parent.";
  static bool holds(const World& w, TaskId t) {
    const TaskId tracer = w.tasks[t].trace.by;
    return tracer && w.tasks[tracer].parent == t;
  }
};

struct SignalHeldForTracer {
  static constexpr std::string_view
      id = "SOMETIMES-43",
      says = "A task is stopped for its tracer before it takes SIGTERM.";
  static bool holds(const World& w, TaskId t) {
    const Task& task = w.tasks[t];
    return task.trace.trapped && task.trace.trap == Tracing::Trap::signal &&
           task.trace.code == sig::term;
  }
};

/// The register.
using AllSometimes =
    std::tuple<ZombieLeaderWithLiveThread, NumberPinnedAsGroup, NumberPinnedAsSession,
               WrapWithLowNumbersFree, NestedVfork, VforkParentWithSignals, StopHeldUpByVfork,
               TwoThreadsWait, SubreaperHasAdopted, ThreadHasAdopted, DeadSessionLeader,
               StoppedInsideWait, AnswerHeldBack, PendingInBothPlaces, CloneChildZombie,
               HandlersSharedByProcesses, MemorySharedByProcesses, IgnoredTooLate, WaiterLeftBehind,
               GroupOfZombies, FilesSharedByProcesses, OffsetSharedByTables,
               NamesOfThreadsDiffer, RealTimeWithReset, SignalStackOfVforkChild,
               NamespaceInNamespace, InitOutlivesItsNamespace, OrphanOfInnerInit, InnerInitStopped,
               NumberPinnedFromAbove, MarkedForTheLimit, UsersOfThreadsDiffer, LimitAtAZombie,
               UsageOfGrandchildren, KthreadParked, RequestAbandoned, KilledInDeepSleep,
               KthreadSleepsIdle, KthreadWaitsForKthread, ThreadsWithNamesOfTheirOwn,
               ChildrenTwoBelow, InjectedAndOrphaned, TimeOfChildrenDiffers, EndedByReboot,
               PidfdOfNumberReused, PidfdOfDelayedLeader, SleepsByPidfd, PidfdOutOfSight,
               CgroupOverItsLimit, ZombieOfRemovedCgroup, LeaderLeftInCgroup, FrozenWithSignals,
               ZombieKeptByTracer, TraceeRunsInStoppedProcess, TracerIsTraced, ParentIsTraced,
               SignalHeldForTracer, UserNamespaceInAnother, PowerlessWhereMapped,
               NamesBelongElsewhere, UnknownUser, PidsOfInnerUsers, NumberAhead,
               ProcessorsDiffer, BorrowedOfTheDead, NewForTheDead, NamespaceWithoutFirst,
               StackOverflown, RecordUsedAgain, QueuedSeveralTimes, QueuedForTwoUsers,
               PendingWithoutEntry, ZombieWithEntries, StoppedInPoll, PolledDescriptorChanged,
               NamespacesBeyondLimit, FullOnlyAbove, ZombieFillsUserNamespace,
               ThreadKeptByTracer>;
inline constexpr std::size_t kSometimes = std::tuple_size_v<AllSometimes>;

/// Calls `f.operator()<S>(index)` for each of them.
constexpr void for_each_sometimes(auto&& f) {
  [&]<class... S>(std::tuple<S...>*) {
    std::size_t index = 0;
    (f.template operator()<S>(index++), ...);
  }(static_cast<AllSometimes*>(nullptr));
}

}  // namespace forkproof::spec
