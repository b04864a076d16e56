/// The records of a machine, and what they say of each other: who is who, by numbers and by ties.
///
/// Sources: include/linux/sched.h, sched/signal.h.
#pragma once
#include <array>
#include <vector>

#include "impl/attributes.hpp"
#include "impl/cgroups.hpp"
#include "impl/limits.hpp"
#include "impl/kthreads.hpp"
#include "impl/namespaces.hpp"
#include "impl/nsproxy.hpp"
#include "impl/open_files.hpp"
#include "impl/pid_bitmap.hpp"
#include "impl/pid_map.hpp"
#include "impl/ptrace.hpp"
#include "impl/queue.hpp"
#include "impl/task.hpp"
#include "impl/user_namespaces.hpp"

namespace forkproof::impl {

struct Records {
  static const Actions kAllDefault;
  static constexpr Attributes kUsual{};
  static const LimitTable kLimitsAtFirst;
  static const Task kKernel;  // who sends what no init is protected from

  Arena<Task> tasks_;
  Arena<Process> processes_;
  Arena<Group> groups_;
  Arena<Actions> actions_;
  PageTables memory_;
  Arena<OpenFile> open_files_;
  Arena<Files> files_;
  Arena<FsInfo> fs_;
  Arena<SharedAttributes> attributes_;
  Arena<SharedLimits> limits_;
  Arena<Usage> usage_;
  SparseNumbers thread_usage_;  // batches of page faults, by the task that had them
  std::array<std::uint64_t, kUsers.size()> user_tasks_{};  // of all but root, in the world's own
  std::array<std::uint64_t, kUsers.size()> user_signals_{};  // queued for those of the world's own
  SignalQueues queues_;
  SparseNumbers caught_;  // how many handlers have run in a task
  Arena<UserNamespace> user_ns_;
  Ucounts ucounts_;  // of the world's own user namespace
  Arena<Namespace> namespaces_;
  Arena<Kthread> kthreads_;
  Kthreadd kthreadd_;
  Index active_mm_ = kNobody;  // the memory that the processor has; nobody: the kernel's own
  Arena<NsProxy> proxies_;
  Arena<NsCommon> ns_;
  std::vector<Tracing> tracings_;  // the youngest last
  std::vector<Index> forsaken_;    // dead threads whose tracer ends
  std::vector<Index> pollers_;     // the tasks that sleep in a poll, as they fell asleep
  bool ever_traced_ = false;       // then news of stops may be owed until a signal comes
  SparseNumbers proxied_;    // the records of those who have one, by the task
  SparseNumbers innermost_;  // the namespaces of the tasks below the world's own, by number
  SparseNumbers diverted_;   // those that children will be in, by the task that makes them
  SparseNumbers asked_;      // what a wait is for, as its task's namespace has it, by the task
  std::vector<std::int32_t> birth_numbers_;
  /// What clone3 may ask for.
  struct Wanted {
    TidList tids;
    std::optional<CgroupNo> into;           // a control group
    Clone3Args args = Clone3Args::plain;    // what is odd about how it is asked
    friend bool operator==(const Wanted&, const Wanted&) = default;
  };
  static const Wanted kNothingMore;
  std::vector<Wanted> wanted_;  // by a clone3 that waits to be made again, by the task
  std::uint32_t living_namespaces_ = 0;
  PidMap numbers_;
  PidBitmap taken_;
  Ring<Processes> all_;
  Ring<RunQueue> woken_;
  ControlGroups cgroups_;
  Profile profile_ = Profile::linux_6;
  Effects effects_;

  Task* find(Pid p) {
    const Index i = numbers_.find(p.n).task;
    return i == kNobody ? nullptr : &tasks_[i];
  }
  const Task* find(Pid p) const { return const_cast<Records*>(this)->find(p); }
  static Index id(const Task& t) { return t.self; }
  static Index id(const Process& p) { return p.self; }
  Process& process_of(const Task& t) { return processes_[t.process]; }
  const Process& process_of(const Task& t) const { return processes_[t.process]; }
  Task& leader_of(const Process& p) { return tasks_[p.leader()]; }
  const Task& leader_of(const Process& p) const { return tasks_[p.leader()]; }
  bool is_leader(const Task& t) const { return process_of(t).leader() == id(t); }
  bool is_init(const Process& p) const { return p.tgid == kInit.n; }
  /// All its threads are dead, and its parent can know.
  bool dead(const Process& p) const { return p.thread_count == 1 && leader_of(p).zombie(); }
  const Tracing& tracing_of(const Task& t) const;
  Tracing& tracing_of(Task& t) { return const_cast<Tracing&>(std::as_const(*this).tracing_of(t)); }
  Index tracer_of(const Task& t) const { return t.traced ? tracing_of(t).tracer : kNobody; }
  bool is_traced(const Task& t) const { return tracer_of(t) != kNobody; }
  bool is_familys(const Task& t) const;
  [[gnu::cold]] void drop_tracing(Task& t);
  void count_tracings(Index tracer);
  [[gnu::cold]] bool is_trapped(const Process& p) const;
  /// Dead, and for its parent to reap.
  bool ready(const Process& p) const {
    return dead(p) && (!leader_of(p).traced || is_familys(leader_of(p)));
  }
  /// Dead for its tracer, who may hear of a thread before its process is.
  bool is_gone(const Task& t) const {
    return t.zombie() && (!is_leader(t) || dead(process_of(t)));
  }
  /// A group stop is in effect, or under way.
  static bool stops(const Process& p) {
    return (p.flags & process_flag::stopped) != 0 || p.to_stop > 0;
  }
  /// The same, by the number that `t`'s namespace has.
  Task* find_for(const Task& t, Pid p) { return find({meant_by(t, p.n)}); }
  std::int32_t meant_by(const Task& t, std::int32_t n) const {
    const Index ns = process_of(t).ns;
    return ns == kNobody ? n : number_outside(process_of(t).pid_ns(), n);
  }
  /// What `t`'s namespace calls what is `n` in the world; 0 what it does not see.
  std::int32_t seen_by(const Task& t, std::int32_t n) const {
    const Index ns = process_of(t).ns;
    return ns == kNobody ? n : number_in(process_of(t).pid_ns(), n);
  }
  std::int32_t level_of(Index ns) const { return ns == kNobody ? 0 : namespaces_[ns].level; }
  std::int32_t number_in(Index ns, std::int32_t n) const;
  std::int32_t number_outside(Index ns, std::int32_t n) const;
  const Actions& actions_of(const Process& p) const {
    return p.actions == kNobody ? kAllDefault : actions_[p.actions];
  }
  const Attributes& attributes_of(const Task& t) const {
    return t.attributes == kNobody ? kUsual : attributes_[t.attributes].value;
  }
  const LimitTable& limits_of(const Process& p) const {
    return p.limits == kNobody ? kLimitsAtFirst : limits_[p.limits].value;
  }
  bool is_kthread(const Task& t) const { return process_of(t).kthread != kNobody; }
  void count_child(const Process& p, bool in) {
    if (p.parent == kNobody) return;
    std::uint32_t& living = tasks_[p.parent].living[p.clone_child()];
    in ? ++living : --living;
  }
  /// Calls `f(thread)` for each thread, as they were made. `f` must not release them.
  void for_each_thread(const Process& p, auto f) {
    for (Index i = p.threads.first; i != kNobody; i = p.threads.after(tasks_, i)) f(tasks_[i]);
  }
  void enqueue(Task& t) {
    if (t.queued) return;
    t.queued = true;
    woken_.push_back(tasks_, id(t));
  }
  void dequeue(Task& t) {
    if (!t.queued) return;
    t.queued = false;
    woken_.remove(tasks_, id(t));
  }
  void touch(const Task& t, bool memory = false) {
    effects_.touched.emplace_back(Pid{t.pid}, memory);
  }
  void touch(const Process& p, bool memory = false) {
    for_each_thread(p, [&](const Task& t) { touch(t, memory); });
  }
  /// The table of states of the profile.
  const bits::StateTable& states() const {
    return profile_ == Profile::linux_6 ? bits::kStates6 : bits::kStates412;
  }
  static void set_state(Task& t, std::uint64_t state) {
    t.state = static_cast<std::uint16_t>(state);
  }
  static void set_exit_state(Task& t, std::uint64_t to) {
    t.exit_state = static_cast<std::uint8_t>(
        bits::exit_forward(std::uint32_t{t.exit_state}, static_cast<std::uint32_t>(to)));
  }
  /// Has a task run that the mask reaches. One that runs anyway looks once more.
  void wake(Task& t, std::uint64_t mask) {
    const std::uint32_t state = t.state;
    if (state != bits::kRunning && !bits::reaches(static_cast<std::uint32_t>(mask), state)) return;
    set_state(t, bits::kRunning);
    enqueue(t);
  }
};

}  // namespace forkproof::impl
