/// The optimised process manager: a machine with an init, to which ops are applied.
///
/// The records are in arenas, tied together by rings of indices; a copy of the machine is a
/// machine. After warm-up no op allocates, and none throws. Costs: fork, exec, exit and wait are
/// O(1) in the number of tasks; an op is O(what it changes).
///
/// Sources: Linux kernel/{fork,exit,signal,pid,sys}.c, fs/exec.c.
#pragma once
#include <optional>
#include <span>

#include "impl/bits/kernel_stack.hpp"
#include "impl/cgroups.hpp"
#include "impl/faults.hpp"
#include "impl/users.hpp"

namespace forkproof::impl {

class Machine : private Users {
 public:
  /// A defect to be found: proof that a check is awake.
  enum class Bug : std::uint8_t { none, lifo_wait };

  explicit Machine(const WorldSpec& spec = {}, Bug bug = Bug::none);
  /// A new world. Costs what the old one used.
  void reset(const WorldSpec& spec);

  /// Does `op`, whose tasks are numbers, as `actor`. The answer holds until the next call.
  const Effects& apply(Pid actor, const Op& op);

  TaskView view(Pid number) const;
  /// The mapped pages of a task, ascending; nothing of a zombie.
  void pages(Pid number, std::vector<PageView>& out) const;
  /// The numbers of all tasks that are not yet released, ascending.
  void tasks(std::vector<Pid>& out) const;

  /// Has the `nth` thing that can fail in the next copy_process fail; 0: none.
  void fail_at(unsigned nth) { faults_.arm(nth); }
  /// The step in which that failed, if it has.
  std::optional<CopyStep> failed_at() const { return faults_.struck(); }
  /// Whether both are the same machine, record for record, but for the room that they keep.
  bool same_as(const Machine& other) const;
  void pass_numbers(const Machine& after, Pid maker, bool in_new, std::size_t levels);
  void gets_processor(Pid who), has_waited(Pid who);
  void is_marked_as_in(const Machine& other, Pid who);

  std::vector<Slab> slabs() const;

  bool sound() const;
  /// The part of `sound` around one task. O(its threads), and its pages if `memory`.
  bool sound(Pid number, bool memory) const;

 private:
  enum class Scope : std::uint8_t { process, thread };
  enum class Fate : std::uint8_t { runs, stops, dies };

  // Who is who.
  Outcome number_for(const Task& t, std::int32_t n) const {
    return Outcome::task(Pid{seen_by(t, n)});
  }
  bool can_run(const Task& t) const {
    return !over_ && !t.zombie() && !t.halted() && !t.frozen && t.call == Call::none;
  }
  State state_of(const Task& t) const;
  std::int32_t parent_number(const Process& p) const;

  // Stacks (stack.cpp). The actor is the task on whose stack the stack pointer is.
  unsigned stack_shift() const {
    return profile_ == Profile::linux_6 ? bits::kStackShift16K : bits::kStackShift8K;
  }
  Index current() const {
    return sp_ == 0 ? kNobody : static_cast<Index>(bits::current_of(sp_, stack_shift()));
  }
  Outcome perform(Task& t, const Recurse& op);

  // The life of an op (machine.cpp).
  void act(Task& actor, const auto& op);
  void proceed(Task& t);
  void run(Task& t);
  void settle();
  void list_woken();
  void run_listed();
  void run_next(Index i);
  void conclude(Task& t);
  void answer(Task& t, const Outcome& outcome);
  void keep(Task& t, const Outcome& outcome);
  void make_room();
  void begin_world(std::int32_t pid_max);
  void begin_kthreads();
  void end_world(const Process& init);
  void forget_all(), forget_records();

  // Numbers (numbers.cpp).
  std::int32_t find_number() const;
  void take_number(std::int32_t n);
  /// Frees the number if it stands for nothing any more.
  void free_pid(std::int32_t n) {
    Number& number = numbers_[n];
    if (number.in_use()) return;
    ++number.generation;
    taken_.give_back(static_cast<std::size_t>(n));
    if (living_namespaces_ != 0) [[unlikely]] free_inner(n);
  }
  void join_group(Process& p, std::int32_t number);
  void leave_group(Process& p);
  void join_session(Process& p, std::int32_t n) {
    p.sid = n;
    ++numbers_[n].sessions;
  }
  void leave_session(Process& p) {
    --numbers_[p.sid].sessions;
    free_pid(p.sid);
  }

  // Pid namespaces (namespaces.cpp).
  Outcome perform(Task& t, const NsPidMax& op);
  Outcome perform(Task& t, const NsPidCursor& op);
  std::uint64_t alloc_inner(Task& maker, Index ns, std::span<const std::int32_t> wanted,
                            std::vector<std::int32_t>& numbers);
  Errno refuses_number(Task& maker, Index ns, std::int32_t n);
  void take_inner(Index ns, std::int32_t n, std::span<const std::int32_t> numbers);
  [[gnu::cold]] void free_inner(std::int32_t n);
  Index children_in(const Task& t) const;
  Errno may_make_namespace(const Task& t, Index owner) const;
  Errno may_create_namespaces(const Task& t, CloneFlags flags, Index owner) const;
  Index make_namespace(Index parent, Index owner);
  void put_namespace(Index ns);
  void divert_to(Task& t, Index ns);
  void end_diversion(Task& t);
  [[gnu::cold]] void exit_task_namespaces(Task& t);
  [[gnu::cold]] bool find_child_reaper(Task& t);
  void zap_pid_ns_processes(Task& t);
  bool go_on_zapping(Task& t);
  bool sound_namespaces() const;

  // The other namespaces, and reboot (nsproxy.cpp).
  Outcome perform(Task& t, const Setns& op), perform(Task& t, const SameNs& op);
  Outcome perform(Task& t, const MaxNamespaces& op), perform(Task& t, const GetMaxNamespaces& op);
  Outcome perform(Task& t, const Sethostname& op), perform(Task& t, const Gethostname&);
  Outcome perform(Task& t, const Reboot& op);
  Index proxy_index(const Task& t) const;
  std::array<Index, kNsKinds> namespaces_of(const Task& t) const;
  std::optional<Index> new_namespaces(const Task& t, CloneFlags flags, Index owner, CopyStep step);
  struct Unshared;
  Errno take_unshared(const Task& t, CloneFlags flags, Unshared& to);
  void enter_unshared(Task& t, CloneFlags flags, Unshared& fresh);
  Index new_proxy(const std::array<Index, kNsKinds>& of);
  void put_proxy(Index i);
  Index mounts_of(const Task& t) const;
  void follow_mounts(const Task& t, Index before, Index now);
  void switch_task_namespaces(Task& t, Index to), exec_task_namespaces(Task& t);
  bool child_is_elsewhere(const Task& maker, CloneFlags flags) const;
  std::optional<Index> proxy_of_child(const Task& maker, CloneFlags flags, Index owner);
  CloneFlags known_namespaces() const;
  bool are_kinds(CloneFlags flags) const;
  bool has_left_namespaces(const Task& t, bool by_file, CloneFlags flags) const;
  bool is_alone_in_memory(const Task& t) const;
  bool may_make_namespaces(Task& t, CloneFlags flags, Index owner);
  Errno may_set_namespaces(Task& t, const Task* to, const Setns& op);
  Errno validate_nsset(Task& t, const Task& to, CloneFlags flags);
  std::int32_t& host_of(const Task& t);
  bool sound_proxies() const;

  // Creation (create.cpp) and exec (exec.cpp).
  Outcome perform(Task& t, const Fork&) { return kernel_clone(t, {}, sig::chld.n); }
  Outcome perform(Task& t, const Vfork&);
  Outcome perform(Task& t, const Clone& op);
  Outcome perform(Task& t, const Clone3& op);
  Outcome perform(Task& t, const Exec&), perform(Task& t, const ExecFails& op);
  Outcome exec(Task& caller, ExecStep failing);
  Outcome exec_alone(Task& t, ExecStep failing, bool stays);
  Outcome begin_new_exec(Task& t, ExecStep failing, bool stays);
  bool fails_at(const Task& t, ExecStep step, ExecStep failing);
  Outcome kernel_clone(Task& t, CloneFlags flags, std::uint8_t exit_signal,
                       const Wanted& wanted = kNothingMore);
  struct Birth;
  Outcome postpone(const Birth& b), make_again(Task& t);
  void init_completion(Task& t, Task& child), ptrace_init_task(Task& t, const Task& maker);
  Outcome wait_for_vfork_done(Task& t, const Task& child);
  std::uint64_t copy_process(Birth& b, auto& faults);
  [[gnu::cold]] std::uint64_t copy_process_or_fail(Birth& b);
  std::uint64_t check_flags(Birth& b);
  std::uint64_t dup_task_struct(Birth& b, auto& faults);
  std::uint64_t copy_creds(Birth& b, auto& faults);
  std::uint64_t set_kthread_struct(Birth& b, Profile when, auto& faults);
  std::uint64_t sched_fork(Birth& b, auto& faults);
  std::uint64_t copy_files(Birth& b, auto& faults);
  std::uint64_t copy_fs(Birth& b, auto& faults);
  std::uint64_t copy_sighand(Birth& b, auto& faults);
  std::uint64_t copy_signal(Birth& b, auto& faults);
  std::uint64_t copy_mm(Birth& b, auto& faults);
  std::uint64_t copy_namespaces(Birth& b, auto& faults);
  std::uint64_t copy_pid_ns(Birth& b, auto& faults);
  std::uint64_t alloc_pid(Birth& b, auto& faults);
  void give_back_numbers(const Birth& b);
  [[gnu::cold]] void attach_in_namespaces(Birth& b, Task& t);
  [[gnu::cold]] std::uint64_t alloc_wanted(Birth& b, auto& faults);
  std::uint64_t pidfd_prepare(Birth& b, auto& faults);
  Errno choose_cgroup(const Task& maker, bool is_thread, const Wanted& wanted,
                      Index& group) const;
  std::uint64_t can_fork(Birth& b, auto& faults);
  void attach(Birth& b);
  void wake_up_new_task(Task& t);
  void attach_thread(Birth& b, Task& t);
  void attach_process(Birth& b, Task& t);
  [[gnu::cold]] void undo(Birth& b);
  void become_sole_thread(const Task& t), take_leadership(Task& t);
  bool is_sole_thread(const Task& t) const, is_execing(const Process& p) const;
  Outcome wait_for_tracers(Task& t, ExecStep failing, bool stays);
  void go_on_execing(Task& t), wake_execing(const Process& p);

  // The end (exit.cpp, reparent.cpp).
  Outcome perform(Task& t, const Exit& op);
  Outcome perform(Task& t, const ExitGroup& op);
  void exit_group(Task& t, std::int32_t code);
  void do_exit(Task& t, std::int32_t code);
  void leave_family(Task& t);
  bool synchronize_group_exit(Process& p, std::int32_t code);
  void exit_signals(Task& t), exit_mm(Task& t, bool group_dead);
  void doom_others(Task& t), list_others(const Task& t);
  void run_doomed(Index i);
  void release_vfork_parent(Task& t);
  void exit_notify(Task& t), release_task(Task& t);
  void unhash_process(Task& t), unhash_leader(Process& p);
  void flush_sigqueue(Task& t);
  void put_task_struct(Index task);
  bool mourn(Process& p), mourn_leader(Task& leader);
  bool notify_parent(Process& p);
  Task* alive_thread(const Process& p);
  Task& reaper_for(Task& father);
  void forget_original_parent(Task& father);
  void adopt(Process& child, Task& father, Task& reaper);
  bool orphaned(const Group& g, const Process* ignored) const;
  void kill_orphaned_pgrp(const Process& p, const Process& parent, const Process* ignored);

  // Waiting (wait.cpp), and sleeping in poll (poll.cpp).
  Outcome perform(Task& t, const Wait4& op);
  Outcome perform(Task& t, const Waitid& op);
  Outcome begin_wait(Task& t), look_or_sleep(Task& t), begin_poll(Task& t);
  [[gnu::cold]] Outcome begin_wait_by_pidfd(Task& t);
  std::int64_t poll_once(const Task& t, Descriptor fd) const;
  Outcome look(Task& t);
  Process* child_by_number(const Task& t);
  bool is_child_of(const Process& p, const Task& t) const, has_more(const Task&, const Task&) const;
  bool look_at_news(const Task& t, const Task& of, Outcome& found);
  bool exists_child(const Task& t) const;
  bool report(const Task& t, Process& child, Outcome& found);
  bool report_tracee(const Task& t, Task& tracee, Outcome& found);
  void report_death(const Task& t, Task& dead, Outcome& found);
  bool report_continue(const Task& t, const Task& child, Outcome& found);
  bool selects(const Task& t, const Task& child) const;
  bool stops_no_more(const Task& t, const Process& child) const;
  void wake_waiters(const Task& child, Index parent), wake_those_in_poll(std::int32_t number);
  void wake_pollers(std::int32_t number) {
    if (!pollers_.empty()) [[unlikely]] wake_those_in_poll(number);
  }
  void stop_waiting(Task& t), stop_polling(Task& t), look_in_poll(Task& t);
  bool has_news(const Process& p) const, polls(const Task& t) const;
  void update_news(Process& p);
  void set_exit_signal(Process& p, std::int16_t signal);

  // Signals: sending (signal.cpp) and taking (deliver.cpp).
  Outcome perform(Task& t, const Kill& op), perform(Task& t, const Tgkill& op);
  Outcome perform(Task& t, const Sigaction& op), perform(Task& t, const Sigprocmask& op);
  Outcome perform(Task& t, const Pause& op);
  Errno kill_group(const Group* g, Signal s, const Task* from = nullptr);
  Errno kill_all(const Task& t, Signal s);
  bool send(Signal s, Task& to, Scope scope, const Task* from = nullptr, Origin = Origin::usual);
  bool prepare(Signal s, Task& to, const Task* from);
  [[gnu::cold]] bool shields(const Process& p, Signal s, const Task* from) const;
  void resume(Process& p);
  void flush(Process& p, SigSet which);
  bool wants(Signal s, const Task& t) const;
  void choose_taker(Signal s, Task& to, Scope scope);
  void doom(Process& p, Signal s);
  void alert(Task& t, bool fatal);
  bool look_again(Task& t);
  void retarget(Task& t);
  void set_flags(Process& p, std::uint8_t flags);
  Actions& own_actions(Process& p);
  void leave_actions(Process& p);
  Fate take_signals(Task& t);
  Fate act_on(Task& t, Signal s, bool may_stop), be_killed(Task& t, const Resumed& from);
  void tell_owed(Task& t);
  Signal next_signal(Task& t);
  void die(Task& t, Signal s), force_sigsegv(Task& t);
  void begin_stop(Task& t, Signal s);
  void take_part_in_stop(Task& t);
  bool leave_stop_count(Task& t);
  void tell_parent(Process& p);

  // Tracing (ptrace.cpp).
  Outcome perform(Task& t, const PtraceTraceme& op), perform(Task& t, const PtraceAttach& op);
  Outcome perform(Task& t, const PtraceSeize& op), perform(Task& t, const PtraceInterrupt& op);
  Outcome perform(Task& t, const PtraceCont& op), perform(Task& t, const PtraceDetach& op);
  Outcome perform(Task& t, const PtraceSetoptions& op);
  Outcome start_tracing(Task& t, TaskRef whom, bool seize, bool exitkill);
  Tracing* own_tracing(Task& t, TaskRef whom, bool stopped);
  Tracing& link_tracing(Task& t, Task& tracer);
  void unlink_tracing(Task& t);
  void leave_trap(Task& t);
  [[gnu::cold]] Resumed resumed(Task& t);
  [[gnu::cold]] bool traps(Task& t);
  [[gnu::cold]] bool traps_for(Task& t, Signal s, bool of_process);
  void trap(Task& t, Trap what, Signal code);
  void tell_tracer(Task& t);
  [[gnu::cold]] void mourn_traced(Task& t, bool was_zombie);
  [[gnu::cold]] void exit_ptrace(Task& tracer), release_forsaken();
  bool is_let_go(Task& t, const Task& tracer, bool own_child);
  [[gnu::cold]] void leave_tracings(Task& t);
  bool look_at_tracees(const Task& t, Index of, Outcome& found, bool& exists);
  [[gnu::cold]] bool look_at_all_tracees(const Task& t, Outcome& found, bool& exists);
  bool sound_tracings() const;

  // Identity and groups (identity.cpp).
  Outcome perform(Task& t, const Getpid&), perform(Task& t, const Gettid&);
  Outcome perform(Task& t, const Getppid&);
  Outcome perform(Task& t, const Getpgid& op);
  Outcome perform(Task& t, const Getsid& op);
  Outcome perform(Task& t, const Setpgid& op);
  Outcome perform(Task& t, const Setsid&);
  Outcome perform(Task& t, const PrctlSubreaper& op);
  Outcome perform(Task& t, const PrctlPdeathsig& op);

  // Memory (memory.cpp).
  Outcome perform(Task& t, const Mmap& op);
  Outcome perform(Task& t, const Munmap& op);
  Outcome perform(Task& t, const Madvise& op);
  Outcome perform(Task& t, const Read& op);
  Outcome perform(Task& t, const Write& op);
  Index own_space(Process& p);
  void leave_space(Process& p), touch_memory(Index space);

  // Open files (files.cpp).
  Outcome perform(Task& t, const Open& op);
  Outcome perform(Task& t, const Close& op);
  Outcome perform(Task& t, const Dup& op);
  Outcome perform(Task& t, const FcntlSetfd& op);
  Outcome perform(Task& t, const Lseek& op);
  Outcome perform(Task& t, const Umask& op);
  Outcome perform(Task& t, const Chdir& op);
  Outcome perform(Task& t, const Getcwd&);
  Outcome perform(Task& t, const Unshare& op);
  bool has_open(const Task& t, Descriptor fd) const;
  Files& own_files(Task& t);
  std::uint32_t free_descriptor(Task& t);
  FsInfo& own_fs(Task& t);
  Index copy_of_fs(Index from);
  void install(Files& files, std::uint32_t fd, Index file, bool cloexec);
  void close_all(Files& files, std::uint32_t set);
  Index copy_of(Index files);
  void exit_files(Task& t);
  void exit_fs(Task& t);
  void unshare_files(Task& t), close_for_exec(Task& t);

  // Pidfds (pidfds.cpp).
  Outcome perform(Task& t, const PidfdOpen& op);
  Outcome perform(Task& t, const PidfdSendSignal& op);
  Outcome perform(Task& t, const Poll& op);
  void install_pidfd(Files& files, Index file, const Task& target, PidfdFlags flags);
  const OpenFile* pidfd_at(const Task& t, Descriptor fd) const;
  const Task* target_of(const OpenFile& pidfd) const;
  bool can_see(const Task& t, Index ns) const;
  // Attributes (attributes.cpp).
  Outcome perform(Task& t, const PrctlName& op);
  Outcome perform(Task& t, const Setpriority& op);
  Outcome perform(Task& t, const Getpriority& op);
  Outcome perform(Task& t, const SchedSetscheduler& op);
  Outcome perform(Task& t, const SchedGetscheduler& op);
  Outcome perform(Task& t, const SchedSetattr& op);
  Outcome perform(Task& t, const SchedSetaffinity& op);
  Outcome perform(Task& t, const SchedGetaffinity& op);
  Outcome perform(Task& t, const Sigaltstack& op), perform(Task& t, const Personality& op);
  Task* named(Task& t, TaskRef who) { return who.n == 0 ? &t : find_for(t, who.pid()); }
  void become_program(Task& t, bool stays), attributes_after_exec(Task& t, bool stays);
  bool sound_attributes() const;

  // Limits, users, usage (limits.cpp).
  Outcome perform(Task& t, const Setrlimit& op);
  Outcome perform(Task& t, const Getrlimit& op);
  Outcome perform(Task& t, const Setresuid& op);
  Outcome perform(Task& t, const Capset& op);
  Outcome perform(Task& t, const Getrusage& op);
  Outcome perform(Task& t, const Fault& op);
  Outcome perform(Task& t, const Sigq&), perform(Task& t, const Caught&);
  Outcome perform(Task& t, const Spend& op), perform(Task& t, const Times& op);
  void set_limits(Process& p, const LimitTable& to), leave_limits(Process& p);
  bool is_over_limit(User user, Index ns, Limit most, std::uint64_t more) const;
  Errno may_have_one_more(Task& t, Index ns);
  bool has_too_many_to_exec(Task& t);
  void count_user(const Attributes& a, bool in);
  Usage& usage_of(Process& p);
  void collect_usage(Process& waiter, const Process& child), leave_usage(Process& p);
  [[gnu::cold]] void leave_records(Process& p);
  bool sound_limits() const;
  // User namespaces (user_namespaces.cpp).
  Outcome perform(Task& t, const MapIds& op);
  Outcome perform(Task& t, const Getuid&);
  void set_cred_user_ns(Task& t, Index ns);
  bool is_fs_shared(const Task& t) const;
  // Kernel threads (kthreads.cpp).
  Outcome perform(Task& t, const KthreadCreate&) { return ask_for_kthread(t, false); }
  Outcome perform(Task& t, const KthreadRun&) { return ask_for_kthread(t, true); }
  Outcome perform(Task& t, const KthreadStop& op), perform(Task& t, const KthreadPark& op);
  Outcome perform(Task& t, const KthreadUnpark& op), perform(Task& t, const WakeUpProcess& op);
  Outcome perform(Task& t, const WakeUpState& op), perform(Task& t, const TaskStateMatch& op);
  Outcome perform(Task& t, const KthreadShouldStop&), perform(Task& t, const KthreadShouldPark&);
  Outcome perform(Task& t, const KthreadParkme&), perform(Task& t, const Schedule&);
  Outcome perform(Task& t, const SetCurrentState& op), perform(const HoldKthreadd& op);
  Outcome perform(const CopyProcess&), perform(const NrUninterruptible&);
  template <class O>
  bool is_refused(const Task& t) const;
  Kthread* to_kthread(const Task& t);
  Errno may_wait_for(const Task& t, TaskRef who);
  TaskFlags flags_of_kthread(const Process& p) const;
  void set_kthread_struct(Process& p), free_kthread_struct(Process& p);
  Outcome ask_for_kthread(Task& t, bool runs), run_new_kthread(Task& t, bool runs);
  Errno kernel_thread(Task*& child), copy_kthread(Task*& child);
  void serve_requests(), abandon_request(const Task& t), tell_creator(Index creator, Outcome made);
  Outcome sleep_for(Task& t, Kthread& k, Call call);
  void complete(Kthread& k, Call call, const Outcome& outcome);
  [[gnu::cold]] void exit_kthread(Task& t);
  bool wake_up(Task& t, std::uint64_t mask);
  void run_now(Task& t);
  void unpark(Task& t), park_self(Task& t);
  void first_run(Task& t);
  [[gnu::cold]] bool sleeps_on(Task& t);
  [[gnu::cold]] void conclude_kthread(Task& t);
  bool sound_kthread(const Task& t) const;
  bool sound_kthreads() const;
  // The memory that the processor has (active_mm.cpp).
  Outcome perform(Task& t, const ActiveMm&), perform(Task& t, const MmUsers& op);
  Outcome perform(Task& t, const MmCount& op);
  [[gnu::cold]] void switch_mm(const Task& t);
  std::int64_t mm_users(const Task& who, bool is_caller) const;
  bool sound_active_mm(std::vector<Index>& spaces) const;

  // The world's knobs (numbers.cpp).
  Outcome perform(const SetPidMax& op);
  Outcome perform(const SetPidCursor& op);

  // Control groups (cgroups.cpp, freezer.cpp).
  Outcome perform(const CgroupMake& op) { return cgroups_.make(op); }
  Outcome perform(const CgroupRemove& op) { return cgroups_.remove(op); }
  Outcome perform(const PidsMax& op) { return cgroups_.set_limit(op); }
  Outcome perform(const CgroupMove& op);
  Outcome perform(const CgroupOf& op);
  Outcome perform(const PidsCurrent& op);
  Outcome perform(const CgroupFreeze& op) { return cgroup_freeze(op.group, true); }
  Outcome perform(const CgroupThaw& op) { return cgroup_freeze(op.group, false); }
  Outcome cgroup_freeze(CgroupNo number, bool freeze);
  void freeze_or_thaw(Task& t);
  [[gnu::cold]] void freezer_trap(Task& t);
  void cgroup_exit(const Task& t) { cgroups_.exit(id(t)); }
  void cgroup_release(const Task& t) { cgroups_.release(id(t)); }
  void leave_cgroups_but(Index leader);
  bool sound_cgroups() const;

  // Soundness (sound.cpp).
  std::uint64_t resting_state(const Task& t) const;
  bool sound_task(const Task& t) const;
  bool sound_process(const Process& p, bool memory) const;
  bool sound_family(const Process& p) const;
  bool sound_children(const Task& t) const;
  bool sound_numbers() const;
  bool sound_counts() const, sound_pollers() const;
  bool sound_files() const;

  std::uint64_t sp_ = 0;       // the stack pointer of the actor, until it has its outcome; or 0
  Index execing_ = kNobody;  // the task whose exec is ending its siblings
  Index execer_ = kNobody;   // the actor, if it sleeps in its exec
  Index reaper_ = kNobody;   // the thread of init that adopts
  std::uint64_t order_ = 0;  // of the youngest sibling anywhere
  std::int32_t pid_max_ = kPidMaxDefault;
  std::int32_t cursor_ = 2;  // the number to try next
  std::int32_t host_ = 0;    // the name of the world's own UTS namespace
  std::uint8_t reboot_ = 0;  // the signal that init dies of by a reboot
  Bug bug_ = Bug::none;
  bool over_ = false;
  Faults faults_;
  std::vector<Index> scratch_;
  std::vector<Index> doomed_;  // the threads that an exit_group or exec ends
  std::vector<Index> listed_;  // who runs before that exec goes on
};

}  // namespace forkproof::impl
