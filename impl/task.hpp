/// The records: tasks, processes, groups, and tables of signal actions.
///
/// A task is a thread. What its process has in common is in the process's record; the leader is
/// the first of the process's threads. Each record fills whole cache lines, the members that a
/// fork, an exit and a wait touch first.
///
/// Sources: include/linux/sched.h task_struct, sched/signal.h signal_struct, sighand_struct.
#pragma once
#include "impl/bits/task_state.hpp"
#include "impl/page_table.hpp"
#include "impl/ring.hpp"
#include "spec/outcome.hpp"

namespace forkproof::impl {

struct Threads;    // the tasks of a process, as they were made
struct RunQueue;   // the tasks that were woken, as they were
struct Sleepers;   // the tasks of a process that sleep in a wait, as they fell asleep
struct Siblings;   // the children of a task, as they came to it
struct News;       // those of them that a wait could report, in the same order
struct Members;    // the processes of a group, as they joined
struct Processes;  // all processes, as they were made
struct Sharers;    // the processes that share a table of actions

/// The call that a task is inside.
///
/// `reap` and `outlive` are those of an init that ends: asleep until its children are dead, and
/// then until nobody else has a number in its namespace. `exec` is asleep until tracers have reaped
/// those that it ended; `lost` has failed too late, with no program to go back to. `ask`, `park`
/// and `stop` are those of who waits for kthreadd, or for a kernel thread to have parked or ended.
/// Those behind are kernel threads' own: `unborn` of a new one, `unwoken` of one that waits for its
/// first wake, `serve` of kthreadd.
enum class Call : std::uint8_t {
  none,
  wait,
  pause,
  poll,
  vfork,
  create,
  lost,
  exec,
  ask,
  park,
  stop,
  unborn,
  unwoken,
  schedule,
  parked,
  serve,
  reap,
  outlive
};

/// What the first handler that ran inside a call makes of it.
enum class Handled : std::uint8_t { nothing, restarts, interrupts };

/// Whom a wait is for: everybody, the process with a number, the group with it, the group that the
/// caller was in when the wait began, or the process that a pidfd stood for then.
enum class Whom : std::uint8_t { any, process, group, own_group, by_pidfd };

/// The arguments of a call that is blocked. A number is meant as of `generation`.
struct Blocked {
  std::int32_t number = 0;  // of a wait, or the exit signal of a clone
  std::uint32_t generation = 0;
  std::uint32_t options = 0;  // of a wait, or the flags of a clone
  friend bool operator==(const Blocked&, const Blocked&) = default;
};

/// The outcome of a call that has returned, for a task that cannot take it yet: an Outcome in
/// fewer bytes.
struct Kept {
  Outcome::Kind kind = Outcome::Kind::nothing;
  Errno error = Errno::ok;
  Change change = Change::exited;
  std::int32_t code = 0;
  std::uint32_t number = 0;  // of the task, or the value

  friend bool operator==(const Kept&, const Kept&) = default;
  static Kept of(const Outcome& o) {
    const auto value = static_cast<std::uint32_t>(o.value);
    const auto who = static_cast<std::uint32_t>(o.who.n);
    return {o.kind, o.error, o.change, o.code, o.kind == Outcome::Kind::value ? value : who};
  }
  Outcome outcome() const {
    const bool is_value = kind == Outcome::Kind::value;
    const TaskRef who{is_value ? 0 : static_cast<std::int32_t>(number), false};
    return {kind, error, change, code, who, is_value ? static_cast<std::int32_t>(number) : 0};
  }
};

struct alignas(64) Task : Link<Threads>, Link<RunQueue>, Link<Sleepers> {
  Index self = kNobody;
  Index process = kNobody;
  std::int32_t pid = 0;
  Ring<Siblings> children;
  Ring<News> news;
  std::uint32_t living[2] = {0, 0};  // children a wait could wait for: plain and clone ones
  std::uint16_t flags = 0;           // TaskFlags
  Call call = Call::none;
  Handled handled = Handled::nothing;
  std::uint8_t exit_state = 0;  // of impl/bits/task_state.hpp
  Whom whom = Whom::any;        // of a wait
  std::uint16_t state = 0;      // of its table for the profile
  Index files = kNobody;  // nobody: nothing open, and not shared
  SigSet pending;
  SigSet blocked;
  bool signalled : 1 = false;  // must look at its signals before it goes on
  bool continued : 1 = false;  // was stopped, and must look at them too
  std::uint8_t stopped_by = 0;  // what the last group stop that it was asked to join was for
  bool stop_pending : 1 = false;  // must take part in a group stop
  bool stop_counted : 1 = false;  // and is in its count
  bool queued : 1 = false;
  bool asleep : 1 = false;  // on its process's ring of sleepers
  bool has_result : 1 = false;
  bool frozen : 1 = false;  // sleeps for its control group
  bool traced : 1 = false;  // there is a Tracing of it
  bool traces : 1 = false;  // it is the tracer of one
  std::uint8_t pdeath_signal = 0;
  Index fs = kNobody;  // nobody: as at first, and not shared
  Index attributes = kNobody;  // nobody: those of a new world's init
  std::int32_t exit_code = 0;
  Index vfork_parent = kNobody;  // the task that sleeps until we let go of its memory
  Index vfork_child = kNobody;   // the task whose letting go we sleep for
  Blocked args;
  Kept result;

  bool zombie() const { return exit_state != 0; }
  bool stopped() const { return (state & bits::kStoppedBit) != 0; }
  bool trapped() const { return (state & bits::kTracedBit) != 0; }
  bool halted() const { return (state & (bits::kStoppedBit | bits::kTracedBit)) != 0; }
  friend bool operator==(const Task&, const Task&) = default;
};

/// Process flags, as signal_struct has them.
namespace process_flag {
inline constexpr std::uint8_t stopped = 1;         // a group stop is complete
inline constexpr std::uint8_t continued = 2;       // a continue has not been reported
inline constexpr std::uint8_t exits = 4;           // a group exit is under way, or over
inline constexpr std::uint8_t tell_stopped = 16;   // the parent is owed the news of a stop
inline constexpr std::uint8_t tell_continued = 32;  // or of a continue
inline constexpr std::uint8_t tells = tell_stopped | tell_continued;
}

struct alignas(64) Process : Link<Siblings>,
                             Link<News>,
                             Link<Members>,
                             Link<Processes>,
                             Link<Sharers>,
                             Link<Borrowers> {
  Index self = kNobody;
  Ring<Threads> threads;
  Index parent = kNobody;   // the task that made it, or adopted it
  std::uint64_t order = 0;  // its place among its siblings: the later, the larger
  std::int32_t tgid = 0;
  std::int32_t sid = 0;
  Index group = kNobody;
  Index actions = kNobody;  // nobody: all default, and not shared
  Index space = kNobody;    // nobody: empty, and not shared
  Ring<Sleepers> sleepers;
  std::uint32_t thread_count = 0;  // not yet released
  std::uint32_t live = 0;          // threads that have not begun to exit
  std::uint32_t to_stop = 0;       // that a group stop still waits for
  std::int32_t exit_code = 0;      // of the group exit, or the signal of an unreported stop
  std::int16_t exit_signal = 0;
  std::uint8_t flags = 0;
  bool is_subreaper = false;
  bool has_subreaper = false;
  bool leads_session = false;
  bool unkillable = false;  // an init
  Index detour = kNobody;  // the thread that last took a signal in another's place
  SigSet pending;
  Index ns = kNobody;  // its pid namespace, nobody: the world's own; and what is beside it
  Index kthread = kNobody;  // what it is as a kernel thread, nobody: it is none
  std::uint64_t exec_id = 0;         // how often it has exec'd, counted down the generations
  std::uint64_t parent_exec_id = 0;  // its parent's, when it was made
  Index limits = kNobody;  // nobody: those of a new world
  Index usage = kNobody;   // nobody: nothing was counted

  friend bool operator==(const Process&, const Process&) = default;
  Index leader() const { return threads.first; }
  bool exits() const { return (flags & process_flag::exits) != 0; }
  /// A thread of it makes its children in another namespace, or did.
  static constexpr Index kDiverts = Index{1} << 31;
  /// A thread of it is in other namespaces than the world's own, or was.
  static constexpr Index kProxied = Index{1} << 30;
  bool diverts() const { return (ns & kDiverts) != 0; }
  bool proxied() const { return (ns & kProxied) != 0; }
  Index pid_ns() const { return ns & ~(kDiverts | kProxied); }
  bool clone_child() const { return exit_signal != sig::chld.n; }
};

static_assert(sizeof(Task) == 128 && sizeof(Process) == 192);  // two and three lines

struct Group {
  std::int32_t number = 0;
  std::int32_t sid = 0;
  Ring<Members> members;
  std::uint32_t stopped = 0;  // members in a complete group stop
  friend bool operator==(const Group&, const Group&) = default;
};

/// What a process does with each signal, and the flags it asked for.
struct Actions {
  SigSet ignored;
  SigSet caught;
  SigSet restarts;           // SA_RESTART
  SaFlags child;             // of SIGCHLD: SA_NOCLDSTOP, SA_NOCLDWAIT
  Ring<Sharers> sharers;

  friend bool operator==(const Actions&, const Actions&) = default;
  bool all_default() const {
    return (ignored | caught | restarts).empty() && child.bits == 0;
  }
};

}  // namespace forkproof::impl
