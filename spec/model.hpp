/// The model: what Linux does, one function an op. First what refuses it, one line a reason, in the
/// order in which the kernel checks; a blank line; what it changes.
///
/// It is written to be compared with the books, not to be fast: straight-line code over the plain
/// data of spec/world.hpp. The functions are in files by verb: create, clone3, exec, exit, wait,
/// signal, queue, stop, ptrace, groups, memory, active_mm, files, attributes, limits, kthreads,
/// pids, pid_namespaces, namespaces, namespace_limits, pidfds, poll, cgroups, freezer,
/// user_namespaces. `"..."_rule` names the rule of the book that acts at this place: that counts
/// its coverage, and lets a violation say it.
#pragma once
#include <deque>
#include <span>

#include "spec/world.hpp"

namespace forkproof::spec {

/// Decides where the spec leaves a choice. The first candidate is the one that Linux prefers.
class Chooser {
 public:
  virtual ~Chooser() = default;
  /// Called only where there is more than one candidate. Answers an index into `candidates`.
  virtual std::size_t pick(RuleId rule, std::span<const Pid> candidates) = 0;
};

/// Always takes the first.
class FirstChoice final : public Chooser {
 public:
  std::size_t pick(RuleId, std::span<const Pid>) override { return 0; }
};

/// How deeply a task sleeps; `beyond` is where no wake finds it: new, or dead.
enum class Depth : std::uint8_t {
  awake,
  interruptible,
  uninterruptible,
  killable,
  idle,
  parked,
  stopped,
  traced,
  beyond
};

class Model {
 public:
  explicit Model(const WorldSpec& spec = {}) { reset(spec); }
  void reset(const WorldSpec&);
  /// Takes over the world of another model. The answer to its last op stays with it.
  void go_on_from(const Model& other) { world_ = other.world_; }

  /// Does one op and everything that follows from it (spec/sources/forkproof.md, Settling). All
  /// references to tasks in `op` must be numbers. The answer is good until the next call.
  const Effects& apply(Pid actor, const Op& op, Chooser& choose);

  /// The world, to be read: who takes a thing from `world_` to change it breaks its seal.
  const World& world() const { return world_; }
  /// The answer to the last op.
  const Effects& effects() const { return effects_; }
  TaskView view(Pid) const;
  void pages(Pid, std::vector<PageView>&) const;
  void tasks(std::vector<Pid>&) const;

  /// Of the last step: the rules that acted, in order; the rule behind the outcome and behind each
  /// returned call; the tasks that it touched and that still exist, repeats allowed.
  std::span<const RuleId> fired() const { return {fired_.data(), fired_count_}; }
  RuleId outcome_rule() const { return outcome_rule_; }
  std::span<const RuleId> return_rules() const { return return_rules_; }
  std::span<const TaskId> touched() const { return touched_; }
  /// Whether several tasks could run at once, so that their order (SETTLE:1) says what comes of it.
  bool was_crowded() const { return crowded_; }

 private:
  using Answer = std::optional<Outcome>;  // nothing: the call sleeps

  // What each op does. The actor can run.
  Answer act(TaskId, const Fork&), act(TaskId, const Vfork&);
  Answer act(TaskId, const Clone&);
  Answer act(TaskId, const Exec&), act(TaskId, const ExecFails&);
  Answer act(TaskId, const Exit&), act(TaskId, const ExitGroup&);
  Answer act(TaskId, const Wait4&), act(TaskId, const Waitid&);
  Answer act(TaskId, const Kill&), act(TaskId, const Tgkill&);
  Answer act(TaskId, const Sigaction&);
  Answer act(TaskId, const Sigprocmask&);
  Answer act(TaskId, const Pause&);
  Answer act(TaskId, const Getpid&);
  Answer act(TaskId, const Gettid&);
  Answer act(TaskId, const Getppid&);
  Answer act(TaskId, const Getpgid&);
  Answer act(TaskId, const Getsid&);
  Answer act(TaskId, const Setpgid&);
  Answer act(TaskId, const Setsid&);
  Answer act(TaskId, const PrctlSubreaper&);
  Answer act(TaskId, const PrctlPdeathsig&);
  Answer act(TaskId, const Mmap&), act(TaskId, const Munmap&);
  Answer act(TaskId, const Madvise&);
  Answer act(TaskId, const Read&), act(TaskId, const Write&);
  Answer act(TaskId, const Open&);
  Answer act(TaskId, const Close&);
  Answer act(TaskId, const Dup&);
  Answer act(TaskId, const FcntlSetfd&);
  Answer act(TaskId, const Lseek&);
  Answer act(TaskId, const Umask&), act(TaskId, const Chdir&), act(TaskId, const Getcwd&);
  Answer act(TaskId, const Unshare&);
  Answer act(TaskId, const PrctlName&);
  Answer act(TaskId, const Setpriority&), act(TaskId, const Getpriority&);
  Answer act(TaskId, const SchedSetscheduler&), act(TaskId, const SchedGetscheduler&);
  Answer act(TaskId, const SchedSetattr&);
  Answer act(TaskId, const SchedSetaffinity&), act(TaskId, const SchedGetaffinity&);
  Answer act(TaskId, const Sigaltstack&), act(TaskId, const Personality&);
  Answer act(TaskId, const Setrlimit&), act(TaskId, const Getrlimit&);
  Answer act(TaskId, const Setresuid&), act(TaskId, const Capset&);
  Answer act(TaskId, const Getrusage&), act(TaskId, const Fault&);
  Answer act(TaskId, const Sigq&), act(TaskId, const Caught&);
  Answer act(TaskId, const Spend&), act(TaskId, const Times&);
  Answer act(TaskId, const KthreadCreate&);
  Answer act(TaskId, const KthreadRun&);
  Answer act(TaskId, const KthreadStop&);
  Answer act(TaskId, const KthreadPark&), act(TaskId, const KthreadUnpark&);
  Answer act(TaskId, const WakeUpProcess&), act(TaskId, const WakeUpState&);
  Answer act(TaskId, const TaskStateMatch&);
  Answer act(TaskId, const ActiveMm&), act(TaskId, const MmUsers&);
  Answer act(TaskId, const MmCount&);
  Answer act(TaskId, const KthreadShouldStop&), act(TaskId, const KthreadShouldPark&);
  Answer act(TaskId, const KthreadParkme&);
  Answer act(TaskId, const SetCurrentState&);
  Answer act(TaskId, const Schedule&);
  Answer act(TaskId, const NsPidMax&), act(TaskId, const NsPidCursor&);
  Answer act(TaskId, const Setns&), act(TaskId, const SameNs&);
  Answer act(TaskId, const Sethostname&), act(TaskId, const Gethostname&);
  Answer act(TaskId, const MaxNamespaces&), act(TaskId, const GetMaxNamespaces&);
  Answer act(TaskId, const MapIds&), act(TaskId, const Getuid&);
  Answer act(TaskId, const Reboot&), act(TaskId, const Recurse&);
  Answer act(TaskId, const Clone3&);
  Answer act(TaskId, const PidfdOpen&);
  Answer act(TaskId, const PidfdSendSignal&);
  Answer act(TaskId, const Poll&);
  Answer act(TaskId, const PtraceTraceme&);
  Answer act(TaskId, const PtraceAttach&), act(TaskId, const PtraceSeize&);
  Answer act(TaskId, const PtraceInterrupt&);
  Answer act(TaskId, const PtraceCont&), act(TaskId, const PtraceDetach&);
  Answer act(TaskId, const PtraceSetoptions&);
  Outcome turn(const SetPidMax&), turn(const SetPidCursor&);
  Outcome turn(const HoldKthreadd&);
  Outcome turn(const CopyProcess&);
  Outcome turn(const NrUninterruptible&);
  Outcome turn(const CgroupMake&), turn(const CgroupRemove&);
  Outcome turn(const CgroupMove&), turn(const CgroupOf&);
  Outcome turn(const PidsMax&), turn(const PidsCurrent&);
  Outcome turn(const CgroupFreeze&), turn(const CgroupThaw&);

  // model.cpp: answering, and who runs next.
  bool can_run(TaskId) const;
  State state_of(const Task&) const;
  bool linux_6() const { return world_.profile == Profile::linux_6; }
  void cover(RuleId rule) {
    if (fired_count_ == fired_.size()) [[unlikely]] make_room_to_cover();
    fired_[fired_count_++] = rule;
  }
  [[gnu::cold]] void make_room_to_cover();
  Outcome answers(Outcome, RuleId);
  Outcome fails(Errno, RuleId);
  void answer_actor(const Answer&);
  static Outcome asleep(const Task&);
  void settle();
  void run_ahead(TaskId);
  void wake(TaskId);
  void run(TaskId);
  void go_on(TaskId, bool signalled);
  void make_again(TaskId);
  void finish(TaskId, Outcome);
  void touch(TaskId, bool memory = false);
  void touch(const Process&);
  Place next_place() { return world_.next_place++; }

  // pids.cpp
  /// The numbers of a task that is to be made: in the world, and in the namespaces below.
  struct Numbers {
    Pid number;
    std::vector<InnerNumber> inner;
  };
  std::optional<std::int32_t> search(std::int32_t& cursor, std::int32_t pid_max, const auto& used);
  std::int32_t pid_max_of(NamespaceId);
  Answer refuses_number(std::int32_t n, std::int32_t pid_max, bool began, auto&& may,
                        const auto& used);
  Answer fresh_numbers(TaskId maker, NamespaceId, const TidList&, Numbers&);
  void use_numbers(TaskId, Numbers);
  void give_back_if_free(Pid);

  // pid_namespaces.cpp
  Pid seen_by(TaskId, Pid) const;
  Pid meant_by(TaskId, Pid) const;
  TaskId find_for(TaskId me, Pid number) const { return world_.task_of(meant_by(me, number)); }
  bool is_from_above(TaskId sender, TaskId to) const;
  Answer refuses_namespace(const Task&, UserNamespaceId owner);
  NamespaceId make_namespace(NamespaceId parent, UserNamespaceId owner);
  void drop_if_unused(NamespaceId);
  void abandon_first_number(NamespaceId);
  void leave_number(InnerNumber);
  void enter_namespace(Task&, NamespaceId);
  void leave_namespace(Task&);
  void leave_namespace(NamespaceId);
  bool is_last_of_init(TaskId) const;
  bool zap(TaskId);
  bool go_on_zapping(TaskId);
  bool is_alone(TaskId) const;
  void forget_namespaces();

  // namespaces.cpp
  CloneFlags kinds_of_namespaces() const;
  NsProxy renewed(NsProxy, CloneFlags, UserNamespaceId owner);
  void enter_namespaces(Task&, NsProxy);
  void leave_namespaces(Task&);
  void drop_proxy(NsProxyId);
  void inherit_namespaces(Task& child, const Task& maker, CloneFlags, UserNamespaceId owner);
  void unshare_namespaces(Task&, CloneFlags, UserNamespaceId owner);
  void follow_mounts(const Task&, Place before);
  void time_after_exec(Task&);
  bool is_single_threaded(const Task&) const;
  Answer refuses_without_admin(TaskId, CloneFlags, UserNamespaceId owner);
  Answer refuses_setns(TaskId, const Setns&, TaskId to);
  Answer refuses_kinds(TaskId, CloneFlags, const Task& to);
  static bool are_same(const World&, const Task&, const Task&, CloneFlags);
  void end_by_reboot(TaskId);

  // user_namespaces.cpp
  bool can(const Task&, UserNamespaceId, Capabilities) const;
  bool can_anything(const Task& t, UserNamespaceId ns) const { return can(t, ns, {}); }
  bool capable(TaskId, UserNamespaceId = {}, Capabilities = {});
  bool is_as_strong(const Task&, const Task& other) const;
  bool may_access(TaskId, const Task& other, bool by_real);
  Answer refuses_user_namespace(const Task&);
  UserNamespaceId make_user_namespace(const Task&);
  static void enter_user_namespace(Task&, UserNamespaceId);
  Answer refuses_setns_of_user(const Task&, UserNamespaceId);
  Answer refuses_map(TaskId, UserNamespaceId, IdMap);
  Answer refuses_nice(TaskId, const Task& who, std::int32_t nice);
  Answer refuses_policy(TaskId, const Task& who, const SchedSetscheduler&);
  Answer refuses_stronger(TaskId, const Task& who);
  bool has_no_room(UserNamespaceId) const;
  void forget_user_namespaces();

  // namespace_limits.cpp
  Answer refuses_more(UserNamespaceId owner, NsKind);
  Answer refuses_more(const Task&, CloneFlags, UserNamespaceId owner);
  void give_back(UserNamespaceId owner, NsKind), undo_namespaces(CloneFlags, NamespaceId pids);

  // create.cpp
  /// What a new task is to be like.
  struct Wish {
    CloneFlags flags{};
    std::int32_t exit_signal = 0;
    TidList tids{};
    std::optional<CgroupNo> into{};  // a control group that is asked for
    Clone3Args args = Clone3Args::plain;
    UserNamespaceId user_ns{};  // told when it is made
    CgroupId cgroup{};          // told when the task may be in it
  };
  Answer create(TaskId, const Wish&, const Op& again);
  Answer refuses_struct(const Clone3&), refuses_args(const Clone3&), refuses_folder(Clone3Args);
  Answer refuses_flags(const Task&, CloneFlags);
  Answer choose_user_namespace(const Task&, Wish&);
  Answer refuses_unnumbered(TaskId, const Wish&), refuses_numbered(TaskId, Wish&);
  Answer refuses_new_namespaces(TaskId, const Wish&);
  Answer sleep_for(TaskId child, TaskId maker, CloneFlags, Pid seen);
  TaskId new_task(TaskId maker, const Wish&, NamespaceId, Numbers);
  void inherit(Task& child, const Task& maker, CloneFlags);
  void inherit_files(Task& child, const Task& maker, CloneFlags);
  void join_process(TaskId child, const Task& maker), join_stop(TaskId, const Task& maker);
  void trace_as_well(TaskId child, TaskId maker, CloneFlags);
  void new_process(TaskId child, const Process& maker, NamespaceId);
  SpaceId fork_space(SpaceId);
  HandlersId copy_handlers(HandlersId);

  // exec.cpp
  Answer exec(TaskId, ExecStep failing), execute(TaskId, ExecStep failing, bool shared_fs);
  Answer lose_program(TaskId), waits_for_tracers(TaskId, ExecStep failing, bool shared_fs);
  bool fails_at(TaskId, ExecStep) const, become_only_thread(TaskId), is_left_alone(TaskId) const;
  void take_leaders_place(TaskId), go_on_execing(TaskId), leave_tracer(TaskId leader, Pid);
  void change_memory(Task&), become_program(Task&, bool shared_fs);
  void cover_what_is_kept(const Task&), renew_handlers(Task&);
  static void set_to_default(Handlers&);

  // exit.cpp
  void exit_thread(TaskId, std::int32_t code), leave_tracing(TaskId);
  void finish_exit(TaskId);
  void lose_queue(TaskId);
  void last_thread_exits(Process&, TaskId, std::int32_t code);
  void leader_is_dead(TaskId);
  void exit_group(TaskId, std::int32_t code);
  std::vector<TaskId> others_round(TaskId) const;
  void end_threads(std::span<const TaskId>, ProcessId);
  bool is_doomed(TaskId) const;
  void begin_group_exit(Process&, std::int32_t code);
  void let_go_of_memory(Task&);
  std::vector<TaskId> adopt_children(TaskId father);
  TaskId reaper_for(TaskId father);
  void reparent_process(TaskId leader, TaskId father, std::vector<TaskId>& dead);
  TaskId live_thread(const Process&) const;
  bool notify_parent(TaskId leader), tell_at_last(TaskId leader);
  void thread_is_dead(TaskId), notify_tracer(TaskId, Signal);
  void tell(TaskId leader);
  void release(TaskId);
  void detach(TaskId);
  void end_world();

  // wait.cpp
  Answer wait(TaskId, WaitQuery, const Op&);
  Answer look(TaskId, const WaitQuery&);
  enum class Verdict : std::uint8_t { not_there, there, news };
  Verdict consider(const WaitQuery&, TaskId child, bool as_tracer = false);
  std::vector<TaskId> tracees_of(TaskId) const;
  bool selects(const WaitQuery&, TaskId child) const;
  Outcome report(TaskId waiter, const WaitQuery&, TaskId child, bool as_tracer);
  Outcome report_death(TaskId waiter, const WaitQuery&, TaskId child);
  bool ready(TaskId) const;
  bool has_news(TaskId leader) const;
  void update_news(TaskId leader);
  void wake_waiters(TaskId child, TaskId parent);

  // signal.cpp
  enum class Scope : std::uint8_t { process, thread };
  Outcome send_to_each(TaskId from, std::span<const ProcessId>, Signal);
  bool send(Signal, TaskId to, Scope, bool from_above = false, Sender = Sender::anybody);
  void choose_taker(Signal, TaskId to, Scope);
  bool init_falls();
  bool does_as_most(RuleId);
  bool is_lost_on_the_dead(Signal);
  bool is_dropped(Signal, const Task&, bool from_above);
  bool can_take(Signal, TaskId) const;
  TaskId taker(Signal, TaskId to, Scope);
  void kill_process(Process&, Signal);
  void draw_attention(TaskId, bool fatal);
  void retarget(TaskId leaving);
  std::optional<Signal> take_next_signal(Task&);
  bool deal_with_signals(TaskId);
  enum class From : std::uint8_t { queue, tracer };  // where a signal comes from
  bool takes(TaskId, Signal, From), default_action(TaskId, Signal, From);
  void force_segv(TaskId);

  // queue.cpp
  bool enter_queue(Pending&, Signal, const Task& to, Sender);
  bool has_own_room(const Task& to) const, has_room(const Task& to) const;
  void leave_queue(Pending&, Signal);
  void flush(Pending&, SigSet);
  void lose_entries(TaskId);

  // stop.cpp
  void forget_stops_or_continues(Process&, Signal);
  void begin_group_stop(TaskId, Signal);
  void take_part_in_stop(TaskId);
  void tell_parent_of_stop(Process&, Process::Notice);
  bool leave_stop_count(Task&, Process&);
  bool will_be_orphaned(Pid group, TaskId ignored) const;
  void hang_up_if_orphaned(TaskId leader, TaskId father);

  // ptrace.cpp
  Answer attach(TaskId, TaskRef, bool seize, TraceFlags);
  Answer refuses_tracer(TaskId, TaskId whom);
  void link(TaskId tracee, TaskId tracer);
  void unlink(TaskId tracee);
  std::optional<TaskId> my_tracee(TaskId, TaskRef, bool trapped);
  void resume(TaskId tracee);
  void tell_tracee_of_continue(TaskId);
  bool joins_stop(TaskId);
  void trap(TaskId, Tracing::Trap, Signal), put_back(TaskId);
  std::optional<Signal> signal_after_trap(TaskId);
  void tell_of_notice(TaskId);
  void tell_tracer_of_stop(TaskId);
  void send_exec_trap(TaskId);
  Outcome dies_with_world();
  std::vector<TaskId> let_tracees_go(TaskId);
  bool let_dead_tracee_go(TaskId tracee, TaskId tracer);

  // groups.cpp
  void join_group(ProcessId, Pid);
  void leave_group(ProcessId);
  void join_session(ProcessId, Pid);
  void leave_session(ProcessId);

  // memory.cpp
  Page* page_at(const Task&, PageNo);

  // files.cpp
  static std::optional<std::size_t> free_descriptor(const Files&);
  bool has_room_for_descriptor(TaskId);
  Files& files_of(TaskId id) { return world_.files[world_.tasks[id].files]; }
  FilesId copy_files(FilesId);
  FsInfoId copy_fs(FsInfoId);
  void close(Files&, std::size_t fd);
  void leave_files(FilesId);
  void leave_fs(FsInfoId);
  Answer refuses_unshare(const Task&, CloneFlags);
  bool unshare_files(Task&);
  void let_go_of_files(Task&);
  void close_for_exec(Task&);

  // pidfds.cpp
  std::size_t open_pidfd(TaskId opener, TaskId target, PidfdFlags);
  void open_pidfd_of_child(TaskId maker, TaskId child, CloneFlags);
  const OpenFile* pidfd_at(TaskId, Descriptor) const;
  TaskId find_target(const OpenFile&);
  bool is_within(NamespaceId, NamespaceId outer) const;
  Answer wait_by_pidfd(TaskId, const Waitid&), send_to_group_of(TaskId, const OpenFile&, Signal);

  // poll.cpp
  std::int64_t poll_now(TaskId, Descriptor);
  std::vector<TaskId> pollers_of(Pid) const;
  bool is_polling(TaskId) const, may_be_reaped_first(const Task& leader);
  void wake_pollers(Pid), wake_pollers_at_last(TaskId);

  // attributes.cpp
  TaskId named(TaskRef, TaskId caller) const;
  void inherit_attributes(Task& child, const Task& maker, CloneFlags);
  void reset_scheduling(Attributes&), choose_layout(Task&, bool gained);
  void attributes_after_exec(Task&);

  // limits.cpp
  std::uint64_t tasks_of(UserNamespaceId, User) const;
  bool is_over(UserNamespaceId, User, Limit, std::uint64_t more) const;
  std::uint64_t open_files_most(TaskId id) const {
    return world_.process_of(world_.tasks[id]).limits_of(Resource::nofile).soft.n;
  }
  static void set_limits(Process&, Resource, Limits);
  void inherit_limits(Process& child, const Process& maker);
  Answer refuses_one_more(TaskId, UserNamespaceId);
  Answer refuses_exec(TaskId);
  bool shares_fs(const Task&) const;
  void credentials_after_exec(Task&, bool shared_fs);
  Usage used_by(const Process&) const;
  void use(TaskId, const Usage&);
  void account(TaskId waiter, TaskId child);
  void account_end(TaskId);
  // kthreads.cpp
  void begin_kthreads();
  template <class O>
  Answer act_if_may(TaskId, const O&);
  static Depth depth_of(const Task&);
  Answer ask_for_kthread(TaskId creator, bool run);
  Outcome copy_kthread();
  Outcome make_kthread(bool run);
  TaskId new_kthread(Pid);
  Outcome wake_new_kthread(TaskId, bool run);
  void tell_creator(TaskId, Outcome);
  bool is_known(TaskId) const;
  void serve_requests();
  void abandon_request(TaskId creator);
  Answer refuses_wait_for(TaskId me, TaskRef);
  Answer refuses_ask(TaskId me);
  Answer sleep_for(TaskId me, TaskId kthread, Call::Kind);
  void tell_awaiting(TaskId kthread, Call::Kind, Outcome);
  bool reaches(WakeMask, Depth) const;
  bool wake_up(TaskId, WakeMask);
  void first_run(TaskId);
  void parkme(TaskId);
  void unpark(TaskId);
  void end_kthread(TaskId, Outcome);
  // active_mm.cpp
  void take_processor(TaskId);
  void load(SpaceId);
  void drop_space(SpaceId);
  Answer memory_of(TaskId me, TaskRef, SpaceId&);
  // cgroups.cpp
  PidsLimit limit_of(CgroupId g) const { return g ? world_.cgroups[g].limit : world_.limit; }
  std::uint32_t tasks_in(CgroupId) const;
  bool is_populated(CgroupId) const;
  bool has_groups_below(CgroupId) const;
  bool has_room_for_task(CgroupId);
  void enter_cgroup(Task&, CgroupId);
  void leave_cgroup(Task&);

  // freezer.cpp
  Answer refuses_freezer(CgroupNo);
  std::vector<TaskId> living_in(CgroupId) const;
  void freeze_or_thaw(TaskId);
  void freeze(TaskId);

  World world_;
  std::deque<TaskId> next_;
  Chooser* choose_ = nullptr;

  // Of the step under way.
  TaskId actor_;         // none once it is gone
  TaskId execing_;       // the actor, if it sleeps in an exec
  bool acting_ = false;  // the actor has not been answered yet
  bool answered_ = false;
  bool crowded_ = false;
  Signal death_;  // of the actor
  Effects effects_;
  RuleId outcome_rule_{};
  std::vector<RuleId> fired_ =
      std::vector<RuleId>(64);  // the first `fired_count_` of them: a step covers some fifteen
  std::size_t fired_count_ = 0;
  std::vector<RuleId> return_rules_;
  std::vector<TaskId> touched_;
};

}  // namespace forkproof::spec
