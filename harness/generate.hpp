/// Random traces that are worth running: made step by step with an eye on the model, so that there
/// are zombies to reap, groups to signal, waits to wake and numbers that wrap.
///
/// Swarm testing: each trace has its own weights, with some ops off altogether (Groce et al., ISSTA
/// 2012), and a theme: a few ops that belong together, beside which there is little else in half of
/// them. A trace is a function of its seed, the profile, and what a system can take (TraceScope).
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <rapidcheck/Random.h>

#include "harness/naming.hpp"
#include "harness/system.hpp"
#include "spec/model.hpp"

namespace forkproof::harness {

/// RapidCheck's generator of random numbers, with the throws that are needed here.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  /// 0 .. n-1, for n > 0 that is far below 2^32; for a small n evenly to a part in a hundred.
  std::uint32_t below(std::size_t n) {
    constexpr std::size_t kSmall = 1U << 9;
    if (n > kSmall) return static_cast<std::uint32_t>((random_.next() >> 32) * n >> 32);
    if (left_ == 0) bits_ = random_.next(), left_ = 4;  // a number of 64 bits is dear: four throws
    --left_;
    const auto part = static_cast<std::uint16_t>(bits_);
    bits_ >>= 16;
    return static_cast<std::uint32_t>(part * n >> 16);
  }
  std::int32_t between(std::int32_t least, std::int32_t most) {
    return least + static_cast<std::int32_t>(below(static_cast<std::size_t>(most - least) + 1));
  }
  bool percent(std::uint32_t p) { return below(100) < p; }
  template <class T>
  const T& one_of(std::span<const T> things) {
    return things[below(things.size())];
  }

 private:
  rc::Random random_;
  std::uint64_t bits_ = 0;
  int left_ = 0;
};

class Generator {
 public:
  Generator(std::uint64_t seed, Profile profile, TraceScope scope = {});

  /// Traces with the theme of another generator's.
  Generator(std::uint64_t seed, Profile profile, TraceScope scope, const Generator& about)
      : Generator(seed, profile, scope, &about) {}

  /// Short traces in the world of another, of hardly anything but what that one has in it.
  Generator(std::uint64_t seed, const Script& like);

  const WorldSpec& world() const { return world_; }

  /// Goes on with a trace that others began, and in which so many names are bound.
  void take_up(std::int32_t names);

  /// The next step, given where the trace is; nothing when it is long enough, or nobody can act.
  std::optional<Step> next(const spec::Model& model, const Naming& naming);

 private:
  /// What the arguments of a step are chosen from.
  struct Scene {
    const spec::World& world;
    const Naming& naming;
    std::int32_t actor;  // a name
    const spec::Task* me;
  };

  /// A number that a process sleeps for in a wait: that of a child, or of a group.
  struct Awaited {
    Pid number;
    spec::ProcessId sleeper;
    bool group;
    Descriptor fd = -1;  // of who polls
  };

  /// How much more often than others ops are chosen by who could do something rare with them.
  struct Eagerness {
    std::uint32_t makes = 1, clone3 = 1, executes = 1, ends = 1, pdeathsig = 1;
  };

  Generator(std::uint64_t seed, Profile profile, TraceScope scope, const Generator* about);
  void weigh_ops();
  void choose_theme(const Generator* about);
  void keep_those_that_come();
  void dwell_on(const std::array<std::uint32_t, kOps>& shares);
  void choose_favourites();
  void look_around(const spec::World& world, const Naming& naming);
  void note_sleep(const spec::Task& t, const spec::World& world);
  std::optional<Step> disturb(const spec::World& world, const Naming& naming);
  std::optional<Step> disturb_by_holder(const Awaited& awaited, TaskRef holder,
                                        const spec::World& world, const Naming& naming);
  std::optional<Step> disturb_from_outside(const Awaited& awaited, TaskRef holder,
                                           const spec::World& world, const Naming& naming);
  std::optional<Op> exchange_polled(const Awaited& awaited, std::int32_t sibling,
                                    const spec::World& world);
  std::optional<std::int32_t> sibling(const Awaited& awaited, const spec::World& world,
                                      const Naming& naming) const;
  bool can_act(TaskRef who) const;
  std::optional<Step> thaw(const spec::World& world);
  std::int32_t choose_actor();
  std::uint32_t tracing_weight(std::size_t op, const Scene& scene);
  Eagerness eagerness(const Scene& scene);
  static bool could_gain(const Scene& scene);
  static bool has_others_root(const Scene& scene);
  static bool is_made_again(const Scene& scene);
  static bool ends_watched_threads(const Scene& scene);
  bool has_heirs(const Scene& scene);
  std::size_t choose_op(const Scene& scene, bool crowded);
  std::uint32_t weight_by_kthreads(std::size_t op, const Scene& scene, std::uint32_t weight) const;
  Op fill(std::size_t op, const Scene& scene);
  Op as_it_was();

  // The arguments of an op; the others have none.
  void choose(Clone&, const Scene&);
  void choose(Exit&, const Scene&);
  void choose(ExitGroup&, const Scene&);
  void choose(Wait4&, const Scene&);
  void choose(Waitid&, const Scene&);
  void choose(Kill&, const Scene&);
  void choose(Tgkill&, const Scene&);
  void choose(Sigaction&, const Scene&);
  void choose(Sigprocmask&, const Scene&);
  void choose(Getpgid&, const Scene&);
  void choose(Getsid&, const Scene&);
  void choose(Setpgid&, const Scene&);
  void choose(PrctlSubreaper&, const Scene&);
  void choose(PrctlPdeathsig&, const Scene&);
  void choose(Mmap&, const Scene&);
  void choose(Munmap&, const Scene&);
  void choose(Madvise&, const Scene&);
  void choose(Read&, const Scene&);
  void choose(Write&, const Scene&);
  void choose(SetPidMax&, const Scene&);
  void choose(Open&, const Scene&);
  void choose(Close&, const Scene&);
  void choose(Dup&, const Scene&);
  void choose(FcntlSetfd&, const Scene&);
  void choose(Lseek&, const Scene&);
  void choose(Umask&, const Scene&);
  void choose(Chdir&, const Scene&);
  void choose(Unshare&, const Scene&);
  void choose(PrctlName&, const Scene&);
  void choose(Setpriority&, const Scene&);
  void choose(Getpriority&, const Scene&);
  void choose(SchedSetscheduler&, const Scene&);
  void choose(SchedGetscheduler&, const Scene&);
  void choose(SchedSetattr&, const Scene&);
  void choose(SchedSetaffinity&, const Scene&);
  void choose(SchedGetaffinity&, const Scene&);
  void choose(Sigaltstack&, const Scene&);
  void choose(Setrlimit&, const Scene&);
  void choose(Getrlimit&, const Scene&);
  void choose(Setresuid&, const Scene&);
  void choose(Capset&, const Scene&);
  void choose(Getrusage&, const Scene&);
  void choose(Fault&, const Scene&);
  void choose(Spend&, const Scene&);
  void choose(Recurse&, const Scene&);
  void choose(Times&, const Scene&);
  void choose(Setns&, const Scene&);
  void choose(SameNs&, const Scene&);
  void choose(Sethostname&, const Scene&);
  void choose(Reboot&, const Scene&);
  void choose(ExecFails&, const Scene&);
  void choose(Personality&, const Scene&);
  void choose(SetPidCursor&, const Scene&);
  void choose(NsPidMax&, const Scene&);
  void choose(NsPidCursor&, const Scene&);
  void choose(KthreadStop&, const Scene&);
  void choose(KthreadPark&, const Scene&);
  void choose(KthreadUnpark&, const Scene&);
  void choose(WakeUpProcess&, const Scene&);
  void choose(WakeUpState&, const Scene&);
  void choose(SetCurrentState&, const Scene&);
  void choose(HoldKthreadd&, const Scene&);
  void choose(MmUsers&, const Scene&);
  void choose(MmCount&, const Scene&);
  void choose(TaskStateMatch&, const Scene&);
  void choose(Clone3&, const Scene&);
  void choose(PidfdOpen&, const Scene&);
  void choose(PidfdSendSignal&, const Scene&);
  void choose(Poll&, const Scene&);
  void choose(CgroupMake&, const Scene&);
  void choose(CgroupRemove&, const Scene&);
  void choose(CgroupMove&, const Scene&);
  void choose(CgroupOf&, const Scene&);
  void choose(PidsMax&, const Scene&);
  void choose(PidsCurrent&, const Scene&);
  void choose(CgroupFreeze&, const Scene&);
  void choose(CgroupThaw&, const Scene&);
  void choose(PtraceAttach&, const Scene&);
  void choose(PtraceSeize&, const Scene&);
  void choose(PtraceInterrupt&, const Scene&);
  void choose(PtraceCont&, const Scene&);
  void choose(PtraceDetach&, const Scene&);
  void choose(PtraceSetoptions&, const Scene&);
  void choose(MapIds&, const Scene&);
  void choose(MaxNamespaces&, const Scene&);
  void choose(GetMaxNamespaces&, const Scene&);
  template <class O>
  requires(std::tuple_size_v<decltype(O::args)> == 0) void choose(O&, const Scene&) {}

  std::int32_t exit_code();
  TaskRef task(const Scene& scene);
  TaskRef self_or_task(const Scene& scene);
  TaskRef child(const Scene& scene);
  std::optional<TaskRef> dead_leader(const Scene& scene) const;
  TaskRef traceable(const Scene& scene);
  TaskRef tracee(const Scene& scene, bool trapped);
  Signal signal_to_go_on_with(const Scene& scene, TaskRef tracee);
  TaskRef kthread(const Scene& scene);
  static std::optional<TaskRef> new_kthread(const Scene& scene);
  TaskRef with_memory(const Scene& scene);
  /// One of those with a name that are so, if there are some.
  std::optional<TaskRef> someone(const Scene& scene, auto is) {
    std::vector<std::int32_t> names;
    for (const std::int32_t name : alive_) {
      const spec::TaskId id = scene.world.task_of(scene.naming.current(name, scene.world));
      if (id && std::invoke(is, scene.world.tasks[id])) names.push_back(name);
    }
    if (names.empty()) return std::nullopt;
    return TaskRef::name(dice_.one_of<std::int32_t>(names));
  }
  TaskRef deepest(const Scene& scene) const;
  TaskRef unmapped(const Scene& scene);
  TaskRef group_of_child(const Scene& scene);
  TaskRef named(Pid number, const Naming& naming) const;
  void signal_sleeping_leader(Kill& o, const Scene& scene);
  Signal signal();
  std::int32_t odd_number(const Scene& scene);
  std::int32_t once_taken(const Scene& scene);
  std::optional<Pid> number_left_behind(const Scene& scene);
  WaitOptions wait_options(bool waitid);
  Selector selector(const Scene& scene);
  Target target(const Scene& scene, Signal signal);
  Clone clone(const Scene& scene);
  ExitSignal exit_signal();
  CloneFlags kinds_of_namespaces();
  CloneFlags with_users(CloneFlags flags, std::uint32_t percent, const Scene& scene);
  CloneFlags elsewhere(const Scene& scene, TaskRef who);
  PageNo page(const Scene& scene);
  Descriptor descriptor();
  static bool is_of_the_gone(const Scene& scene, Descriptor fd);
  std::optional<Descriptor> own_pidfd(const Scene& scene);
  static bool is_full(const Scene& scene);
  Descriptor pidfd(const Scene& scene);
  Clone3Args clone3_args(CloneFlags flags, bool again);
  void make_wrong_twice(Clone3& o);
  NsKind kind_of_namespace(const Scene& scene);
  TidList tids(const Scene& scene, bool newpid);
  std::int32_t wanted_number(const Scene& scene, spec::NamespaceId ns);
  CgroupNo cgroup(const Scene& scene);
  TaskRef task_in_cgroup(const Scene& scene);
  CgroupNo cgroup_to_remove(const Scene& scene);
  CgroupNo cgroup_to_be_born_in(const Scene& scene);
  CgroupNo frozen_cgroup(const Scene& scene, bool frozen);
  FdFlags fd_flags();
  PageNo run_of_pages();
  static bool binds_from_above(const Scene& scene);
  Limit signals_near(const Scene& scene);
  bool shares_queue(const Scene& scene) const;
  Limit limit_near(const Scene& scene, Resource resource);
  User user();

  Dice dice_;
  WorldSpec world_;
  std::array<std::uint32_t, kOps> weights_{};
  std::vector<std::size_t> ops_;  // those that come at all
  std::uint32_t steps_left_;
  bool strays_ = false;  // functions of the kernel are tried in any world
  bool own_root_ = true;  // nobody else queues signals of root's
  bool adopts_ = false;   // it is about subreapers
  bool moves_ = false;    // tasks go into namespaces of all kinds
  std::vector<Op> models_;  // of the trace that this one is to be like
  bool of_kthreads_ = false;
  std::size_t theme_ = 0;  // of those about kernel threads, or of the others
  // What most of the trace is about, or nothing.
  CloneFlags theme_flags_, favourite_namespaces_;
  std::vector<Signal> favourite_signals_;
  bool is_tight_ = false;  // signals are queued up to the limit
  std::vector<CloneFlags> favourite_clones_;
  bool users_ = false;    // tasks go into those of users, too
  std::size_t crowd_;
  std::uint32_t persistent_ = 0;  // how often, in a hundred, who has just acted goes on
  std::int32_t last_actor_ = 0;
  std::int32_t names_ = 1;
  std::vector<std::int32_t> alive_{0}, runnable_, stopped_;
  std::vector<std::int32_t> tardy_;  // those that run, but have yet to look at a signal
  std::vector<Awaited> awaited_;
  std::vector<TaskRef> called_;  // the tracers of those that have stopped for one
};

/// A whole trace, by the model alone.
Script generate(std::uint64_t seed, Profile profile, TraceScope scope = {});
Script generate_like(const Script& like, std::uint64_t seed);

}  // namespace forkproof::harness
