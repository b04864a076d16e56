/// What the model knows of the world, as plain data: tasks, processes, numbers, memory. A `World`
/// is a value: copying it forks the universe.
///
/// Sharing is sharing an id; what is copied is copied. Nothing here decides anything: what may
/// happen is in spec/model.hpp, and what must always be true in spec/invariants.hpp.
#pragma once
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "spec/accounts.hpp"
#include "spec/files.hpp"
#include "spec/numbers.hpp"
#include "spec/outcome.hpp"
#include "spec/rules.hpp"
#include "spec/tracing.hpp"

namespace forkproof::spec {

struct Task;
struct Process;
struct AddressSpace;
struct Handlers;
struct NsProxy;
struct UtsName;
struct Cgroup;
using TaskId = Id<Task>;
using ProcessId = Id<Process>;
using SpaceId = Id<AddressSpace>;
using HandlersId = Id<Handlers>;
using NsProxyId = Id<NsProxy>;      // the other kinds; none is the world's own of each
using UtsNameId = Id<UtsName>;      // none is the world's own
using CgroupId = Id<Cgroup>;  // none is group 0

/// What a sleeping wait waits for. A group is remembered as it was when the call was made.
struct WaitQuery {
  enum class Whom : std::uint8_t { any, process, group } whom = Whom::any;
  Pid number{};
  Place use = 0;  // the use of `number` that is meant: not a later one by somebody else
  WaitOptions options{};
  friend bool operator==(const WaitQuery&, const WaitQuery&) = default;
};

/// The system call that a task is in, when it is in one.
struct Call {
  enum class Kind : std::uint8_t {
    none,
    wait,     ///< asleep until a child matching `query` has news
    pause,    ///< asleep until a handler has run
    poll,     ///< asleep until the task that `query` has the number of ends, or a handler has run
    vfork,    ///< asleep until `child` lets go of the memory it borrows
    restart,  ///< to be made again, from the start
    held,     ///< over, with `result`, but the task was stopped before it could return
    reap,     ///< the end of a namespace's init: asleep until its children are dead
    outlive,  ///< ... and then until it is alone in its namespace
    ask,      ///< asleep until kthreadd has made it a kernel thread
    park,     ///< asleep until a kernel thread has parked
    stop,     ///< asleep until a kernel thread has ended
    unwoken,  ///< a new kernel thread: asleep until it is woken for the first time
    sched,    ///< a kernel thread: asleep in what it said, until it is woken
    parked,   ///< a kernel thread: parked
    serve,    ///< kthreadd: asleep until somebody asks for a thread
    unborn,   ///< a kernel thread that was made, and has still to be woken: TASK_NEW
    lost,     ///< an exec that failed too late: there is no program to go back to
    exec,     ///< asleep until tracers have reaped those that its exec ended
  } kind = Kind::none;
  WaitQuery query{};
  TaskId child{};
  Pid child_number{};
  Op again{};  // the call as it was made
  Outcome result{};
  bool interrupted = false;  // a stop took the task out of its sleep
  /// What the first handler that ran during the call says of a call that it interrupts, as it was
  /// then: SA_RESTART or not.
  enum class Handled : std::uint8_t { nothing, restarts, interrupts } handled = Handled::nothing;
  Place since = 0;           // when it fell asleep
};

/// What a kernel thread has been asked, and by whom. Of others it says nothing.
struct Kthread {
  bool made = false;     // by kthread_create, which kthreadd is not
  bool started = false;  // its function was called
  bool should_stop = false, should_park = false;
  Sleep state = Sleep::running;  // what it sleeps in, or will if it sleeps now
  TaskId awaited_by;             // who sleeps until it has parked, or ended
};

/// A kernel thread that kthreadd has still to make.
struct Request {
  TaskId creator;  // none: it was killed meanwhile
  bool run = false;
  TaskId made{};  // the thread, if it has only to be woken
  friend bool operator==(const Request&, const Request&) = default;
};

/// A thread. The first of a process is its leader. What every step looks at comes first.
struct Task {
  Pid tid;
  ProcessId process;
  TaskId parent;  // the thread that made it or adopted it; none for init
  SpaceId space;
  HandlersId handlers;
  FilesId files;  // none of a task that has ended, as with `fs`
  FsInfoId fs;
  CgroupId cgroup;
  NamespaceId child_ns;  // that its children will be in; none of a task that has ended
  NsProxyId proxy;       // likewise
  TaskFlags flags;
  Place sibling = 0;  // a leader's place among its parent's children
  std::int32_t exit_code = 0, exit_signal = 0;  // exit_signal -1: not a leader
  Signal pdeath;
  std::uint32_t self_exec_id = 0;    // how often its program was replaced
  std::uint32_t parent_exec_id = 0;  // ... its creator's, when this task was made
  Pending pending;
  SigSet blocked;
  bool zombie = false;
  bool attention = false;     // it was told to look at its signals, and has not yet
  bool stop_pending = false;  // it still has to take part in a group stop
  bool stop_counted = false;  // ... which is not complete without it
  bool stopped = false, resumed = false;  // resumed: it looks at its signals in any case
  bool frozen = false;  // it sleeps for its control group
  bool queued = false;  // it is on the list of those that run next
  TaskId vfork_parent;  // the task that sleeps until this one lets go of its memory
  Place touched = 0;    // the last step that touched it
  Place cgroup_place = 0;  // since when it is in its control group
  Place born = 0;       // whom a trace's name means: goes on with the number in an exec
  Attributes attributes;
  Usage used;
  std::uint64_t caught = 0;  // handlers that ran since it began, or exec'd
  Kthread kthread;
  Tracing trace;

  // Remembered for the invariants alone.
  bool was_zombie = false;
  bool told = false;     // its death was reported, or nobody wanted to know
  TaskId father;         // whose death made it an orphan last, and who that was
  Place father_born = 0;
  Place adopted_at = 0;  // the step of it, 0 for never

  Call call;              // mostly none: what it holds then is not looked at
  Line<TaskId> children;  // processes made or adopted by this thread, oldest first
  Line<TaskId> news;      // those of them that a wait could report something of
  Line<TaskId> tracees;   // whom it traces, the last one begun with at the end

  bool exiting() const { return flags.has(task_flag::exiting); }
  bool in_kernel() const { return flags.has(task_flag::kthread); }
  /// Whether no signal but a fatal one, or none at all, ends what it sleeps for.
  bool sleeps_deeply() const {
    using enum Call::Kind;
    return call.kind == vfork || call.kind == ask || call.kind == park || call.kind == stop ||
           call.kind == exec;
  }
  /// Whether it is the init of a namespace, and ends it.
  bool zaps() const { return call.kind == Call::Kind::reap || call.kind == Call::Kind::outlive; }
  static constexpr auto keeps() {
    return std::tuple{&Task::children, &Task::news, &Task::tracees, &Task::pending};
  }
};

/// What threads of one process share.
struct Process {
  TaskId leader;
  std::vector<TaskId> threads;  // not yet released, the leader first, then as they were made
  Pid pgid, sid;
  NamespaceId ns;
  bool session_leader = false;
  Place group_place = 0, process_place = 0;
  Pending shared_pending;
  TaskId signal_target;  // who took the last process-directed signal that its addressee could not
  TaskId execing;        // the thread whose exec ends all others
  bool group_exit = false;
  std::int32_t group_exit_code = 0;
  std::uint32_t running_threads = 1;  // not yet exiting
  std::int32_t stopping_threads = 0;  // still to take part in the group stop under way
  bool stop_complete = false;
  Signal stop_signal;      // what stopped it, none once it was reported
  bool continued = false;  // a continue that was not reported yet
  enum class Notice : std::uint8_t { none, stopped, continued } notice = Notice::none;
  bool is_subreaper = false, has_subreaper = false;
  bool unkillable = false;
  std::vector<ResourceLimits> limits;  // those that are not as at first, by resource
  Usage used_by_dead_threads;
  Usage used_by_children;  // those that were waited for, and theirs

  bool stops() const { return stop_complete || stopping_threads > 0; }
  Limits limits_of(Resource r) const {
    const auto at = std::ranges::find(limits, r, &ResourceLimits::resource);
    return at == limits.end() ? limits_at_first(r) : at->limits;
  }
  static constexpr auto keeps() {
    return std::tuple{&Process::threads, &Process::limits, &Process::shared_pending};
  }
};

/// The table of dispositions that threads, or clones with SIGHAND, share.
struct Handlers {
  SigSet ignored, caught, restart;
  bool nocldwait = false, nocldstop = false;
  std::uint32_t users = 0;

  Disposition of(Signal s) const {
    return ignored.has(s)  ? Disposition::ignore
           : caught.has(s) ? Disposition::catch_
                           : Disposition::default_;
  }
  static constexpr auto keeps() { return std::tuple{}; }
};

using SharedPage = std::uint32_t;  // an index into World::shared_pages

struct Page {
  PageNo no = 0;
  Mapping mapping = Mapping::private_;
  bool dontfork = false, wipeonfork = false;
  PageValue value = 0;    // of a private page
  SharedPage shared = 0;  // of a shared page
  Place written_at = 0;   // when `value` was written, and in which space: for the invariants
  Place written_in = 0;
};

struct AddressSpace {
  std::vector<Page> pages;  // ascending
  Place made = 0;           // when: by exec, or by the fork that copied it
  std::uint32_t users = 0;

  static constexpr auto keeps() { return std::tuple{&AddressSpace::pages}; }
};

/// The members of a group in the order in which signals reach them.
inline std::vector<ProcessId> newest_first(const Line<ProcessId>& members) {
  std::vector<ProcessId> ids;
  for (auto at = members.rbegin(); at != members.rend(); ++at) ids.push_back(at->second);
  return ids;
}

/// A pid namespace below the world's own. Its tasks have numbers in all those above it, too.
struct Namespace {
  NamespaceId parent;
  Place made = 0;
  std::int32_t level = 1;
  TaskId reaper;  // the thread of its init that adopts; none before and after
  std::int32_t cursor = 1;
  std::int32_t pid_max = kPidMaxLimit;
  bool accepts = true;                   // new tasks: not since its init has ended
  Signal reboot;                         // by which its init dies of a reboot; none without one
  bool began = false;                    // it has, or had, an init
  UserNamespaceId owner{};
  std::uint32_t users = 0;  // tasks whose children will be in it, namespaces in it, pidfds of it
  std::map<std::int32_t, Pid> numbers;   // those in use, and what they are in the world

  static constexpr auto keeps() { return std::tuple{}; }
};

/// A namespace of the host's name.
struct UtsName {
  std::int32_t host = 0;
  std::uint32_t users = 0;  // tasks
  UserNamespaceId owner{};

  static constexpr auto keeps() { return std::tuple{}; }
};

/// A control group, but for group 0. When it is removed it stays until the zombies in it are gone.
struct Cgroup {
  CgroupId parent;
  CgroupNo number = 0;
  Place made = 0;
  PidsLimit limit;
  std::uint32_t tasks = 0;  // not yet released, in it and below it
  bool removed = false;
  bool frozen = false;  // it, and not one above

  static constexpr auto keeps() { return std::tuple{}; }
};

/// The namespaces that a thread is in, but those of pids: what tells them apart is when they were
/// made; 0 is the world's own.
struct NsProxy {
  Place mnt = 0, ipc = 0, net = 0, cgroup = 0, time = 0;
  Place children_time = 0;  // that its children will be in
  UtsNameId uts;

  std::array<Place, 6> others() const { return {mnt, ipc, net, cgroup, time, children_time}; }
  bool is_worlds_own() const { return others() == std::array<Place, 6>{} && !uts; }
  static constexpr auto keeps() { return std::tuple{}; }
};

/// What the same thing is called in a namespace below the world's own.
struct InnerNumber {
  NamespaceId ns;
  Pid number;
};

/// What a number is used for. It is free when it is used for nothing.
struct Number {
  TaskId task;                        // the task that has it, as thread and perhaps as process
  Line<ProcessId> group;              // the processes whose group it is, as they joined
  std::uint32_t session_members = 0;  // how many processes have it as their session
  Place session_since = 0;            // since when it is one
  Place use = 0;                      // since when it has been in use without a break
  std::vector<InnerNumber> inner;     // innermost first
  bool free() const { return !task && group.empty() && session_members == 0; }
  static constexpr auto keeps() { return std::tuple{&Number::group, &Number::inner}; }
};

struct World : UserNamespaces {
  Profile profile = Profile::linux_6;
  std::int32_t pid_max = kPidMaxDefault;
  std::int32_t cursor = 2;  // the next number to try; linux-4.12 remembers the last, one less
  bool over = false;  // init has ended
  std::int32_t host = 0;  // the name of the world's own UTS namespace
  Signal reboot;          // as in a namespace below
  Place next_place = 1;
  Place step = 0;  // how many ops were applied
  std::uint64_t made = 0, told = 0;  // processes, and those of their deaths that nobody need report
  Usage used, usage_lost;  // in all, and by those whom nobody waited for
  TaskId reaper;   // the thread of init that adopts orphans
  bool kthreads = false, held = false;  // kthreadd is there; it does not get the processor
  TaskId kthreadd;        // the parent of all kernel threads; none without them, and at the end
  std::vector<Request> requests;  // of kernel threads, as they were made
  SpaceId active;  // the memory that the processor has; none, the kernel's own
  std::vector<TaskId> pollers;    // who sleep in poll, as they fell asleep, and some who did

  Pool<Task> tasks;
  Pool<Process> processes;
  Pool<AddressSpace> spaces;
  Pool<Handlers> handlers;
  Pool<OpenFile> open_files;
  Pool<Files> files;
  Pool<FsInfo> fs;
  Pool<Namespace> namespaces;
  Pool<NsProxy> proxies;
  Pool<UtsName> uts;
  Pool<Cgroup> cgroups;
  PidsLimit limit;  // of group 0
  NumberTable<Number> numbers;
  Line<ProcessId> all_processes;  // as they were made
  std::vector<PageValue> shared_pages;

  /// An empty world. What it used it keeps for what comes, which changes nothing that can be seen.
  void clear() {
    tasks.clear();
    processes.clear();
    spaces.clear();
    handlers.clear();
    open_files.clear();
    files.clear();
    fs.clear();
    namespaces.clear();
    proxies.clear();
    uts.clear();
    cgroups.clear();
    limit = {};
    clear_user_namespaces();
    numbers.clear();
    all_processes.clear();
    shared_pages.clear();
    cursor = 2;
    over = false, host = 0, reboot = {};
    next_place = 1;
    step = 0;
    made = told = 0;
    used = usage_lost = {};
    reaper = kthreadd = {};
    kthreads = held = false;
    requests.clear(), pollers.clear(), active = {};
  }

  /// Whether nothing that can be seen has changed since one of two worlds was copied from the
  /// other. What comes and goes in `all_processes` does so in `processes`, too.
  bool is_sealed_as(const World& other) const {
    return cursor == other.cursor && pid_max == other.pid_max && over == other.over &&
           reaper == other.reaper && held == other.held && requests == other.requests &&
           host == other.host && active == other.active && shared_pages == other.shared_pages &&
           tasks.is_sealed_as(other.tasks) && processes.is_sealed_as(other.processes) &&
           spaces.is_sealed_as(other.spaces) && handlers.is_sealed_as(other.handlers) &&
           open_files.is_sealed_as(other.open_files) && files.is_sealed_as(other.files) &&
           fs.is_sealed_as(other.fs) && numbers.is_sealed_as(other.numbers) &&
           namespaces.is_sealed_as(other.namespaces) && proxies.is_sealed_as(other.proxies) &&
           uts.is_sealed_as(other.uts) && limit == other.limit &&
           cgroups.is_sealed_as(other.cgroups) && has_sealed_user_namespaces(other);
  }

  /// The task with this number, released ones excluded.
  TaskId task_of(Pid p) const {
    const Number* const number = numbers.find(p.n);
    return number == nullptr ? TaskId::none() : number->task;
  }
  /// The number that a pidfd stands for; null once it has been free.
  const Number* number_of(const OpenFile& pidfd) const {
    const Number* const number = numbers.find(pidfd.target.n);
    return number != nullptr && number->use == pidfd.use ? number : nullptr;
  }
  /// The task that a pidfd stands for; none once that was reaped.
  TaskId target_of(const OpenFile& pidfd) const {
    const Number* const number = number_of(pidfd);
    return number == nullptr ? TaskId::none() : number->task;
  }
  /// What a namespace calls that which is `p` in the world; 0 if it is not in there.
  Pid seen_in(NamespaceId ns, Pid p) const {
    if (!ns) return p;
    if (const Number* const number = numbers.find(p.n))
      for (const InnerNumber& inner : number->inner)
        if (inner.ns == ns) return inner.number;
    return {};
  }
  /// What is `p` in a namespace, in the world; kNeverAPid if nothing is.
  Pid meant_in(NamespaceId ns, Pid p) const {
    if (!ns) return p;
    const auto at = namespaces[ns].numbers.find(p.n);
    return at == namespaces[ns].numbers.end() ? kNeverAPid : at->second;
  }
  /// The namespace of a task, by its number in the world.
  NamespaceId namespace_of(Pid task) const {
    const TaskId id = namespaces.size() == 0 ? TaskId::none() : task_of(task);
    return id ? processes[tasks[id].process].ns : NamespaceId::none();
  }
  /// The namespaces of a task that has not ended, but those of pids.
  NsProxy proxy_of(const Task& t) const { return t.proxy ? proxies[t.proxy] : NsProxy{}; }
  /// The group that is called so, removed ones excluded; none also where no other than 0 is.
  CgroupId cgroup_called(CgroupNo number) const {
    CgroupId found;
    cgroups.for_each([&](CgroupId id, const Cgroup& g) {
      if (g.number == number && !g.removed) found = id;
    });
    return found;
  }
  /// Whether a group, or one that it lies in, is frozen.
  bool freezes(CgroupId id) const {
    for (; id; id = cgroups[id].parent)
      if (cgroups[id].frozen) return true;
    return false;
  }
  bool freezes(const Task& t) const { return !t.in_kernel() && freezes(t.cgroup); }
  bool has_cgroup(CgroupNo number) const {
    return number == 0 || static_cast<bool>(cgroup_called(number));
  }
  using UserNamespaces::owner_of;
  auto owner_of(NamespaceId ns) const { return ns ? namespaces[ns].owner : UserNamespaceId{}; }
  auto owner_of(UtsNameId ns) const { return ns ? uts[ns].owner : UserNamespaceId{}; }
  TaskId reaper_of(NamespaceId ns) const { return ns ? namespaces[ns].reaper : reaper; }
  std::int32_t level_of(NamespaceId ns) const { return ns ? namespaces[ns].level : 0; }
  const Process& process_of(const Task& t) const { return processes[t.process]; }
  Process& process_of(const Task& t) { return processes[t.process]; }
  const Task& leader_of(const Task& t) const { return tasks[process_of(t).leader]; }
  /// What is pending for a task and not blocked by it.
  SigSet deliverable(const Task& t) const {
    return (t.pending | process_of(t).shared_pending) - t.blocked;
  }
  bool is_leader(TaskId id) const { return process_of(tasks[id]).leader == id; }
  /// Whether a task is traced by its parent's process, or not at all.
  bool is_familys_own(const Task& t) const {
    return !t.trace.by || (t.parent && tasks[t.trace.by].process == tasks[t.parent].process);
  }
};

}  // namespace forkproof::spec
