/// The steps of a world.
#include "harness/explore/domain.hpp"

#include <array>
#include <span>

#include "spec/derive.hpp"

namespace forkproof::harness {

namespace {

constexpr std::array kCodes{1};
constexpr std::array kSwitch{0, 1};
constexpr std::array kExecStepsTried{ExecStep::unshare_files, ExecStep::exec_task_namespaces,
                                     ExecStep::unshare_sighand, ExecStep::load_binary};
constexpr std::array<Persona, 2> kPersonasTried{Persona{}, persona_flag::addr_no_randomize};
constexpr std::array kRebootsTried{RebootCommand::restart, RebootCommand::cad_on};
constexpr std::array<CloneFlags, 4> kKindsTried{clone_flag::newpid, clone_flag::newuts,
                                                clone_flag::newtime, clone_flag::newuser};
constexpr std::array kIdMapsTried{IdMap::root};
constexpr std::array<FdFlags, 2> kFdFlagsTried{FdFlags{}, fd_flag::cloexec};
constexpr std::array kSleepsTried{Sleep::interruptible, Sleep::idle};
constexpr std::array kWakeMasksTried{WakeMask::normal, WakeMask::parked};
constexpr std::array kCommsTried{Comm::worker};
constexpr std::array kPoliciesTried{Policy::other, Policy::fifo};
constexpr std::array kSignalStacks{0, 8192};
constexpr std::array kNiceTried{-1, 1};
constexpr std::array kMasksTried{1, kProcessors};
constexpr std::array<SchedFlags, 2> kSchedFlagsTried{SchedFlags{}, sched_flag::reset_on_fork};
constexpr std::array<CloneFlags, 5> kUnshared{clone_flag::files, clone_flag::fs,
                                              clone_flag::newpid, clone_flag::newuser,
                                              clone_flag::newtime};
constexpr std::array kResourcesTried{Resource::nproc};
constexpr std::array<Limit, 2> kLimitsTried{Limit{1}, kUnlimited};
constexpr std::array kLimitKindsTried{LimitKind::soft};
constexpr std::array kUsersTried{User::root, User::alice};
constexpr std::array<Capabilities, 2> kCapabilitiesTried{Capabilities{}, capability::all};
constexpr std::array kWhoseTried{Whose::self, Whose::children};
constexpr std::array kModesTried{Mode::user};
constexpr std::array kAccountsTried{Account::utime, Account::cutime};
constexpr std::array<PageNo, 1> kOne{1};  // page at a time, and what is written
constexpr std::array kSent{sig::kill, sig::stop, sig::cont};
constexpr std::array kHandled{sig::chld, sig::usr1};
constexpr std::array kGivenByTracer{Signal{}, sig::stop};
constexpr std::array<TraceFlags, 2> kTraceFlagsTried{TraceFlags{}, trace_flag::exitkill};
constexpr std::array kAtDeath{Signal{}, sig::kill};
constexpr std::array<SigSet, 1> kMasks{sigset(sig::usr1.n)};
constexpr std::array<SaFlags, 1> kNoSaFlags{};
constexpr std::array kDispositionsTried{Disposition::default_, Disposition::ignore,
                                        Disposition::catch_};
constexpr std::array kHows{MaskHow::block, MaskHow::unblock};
constexpr std::array kMappingsTried{Mapping::private_, Mapping::shared};
constexpr std::array kAdvicesTried{Advice::dontfork, Advice::wipeonfork};
constexpr std::array<ExitSignal, 1> kExitSignals{};
static_assert(kTriesExitSignals == (kExitSignals.size() > 1));
constexpr std::array<PidsLimit, 2> kPidsLimits{PidsLimit{}, PidsLimit{1}};
constexpr std::array<CloneFlags, 8> kClones{
    clone_flag::vm | clone_flag::sighand | clone_flag::thread, clone_flag::parent, clone_flag::vm,
    clone_flag::vm | clone_flag::sighand, clone_flag::files | clone_flag::fs,
    clone_flag::newpid, clone_flag::pidfd, clone_flag::newuser};
/// Where failures are looked for: after each thing that is taken there is one with more to come.
constexpr std::array<CloneFlags, 13> kFailingClones{
    clone_flag::vm | clone_flag::sighand | clone_flag::thread, clone_flag::parent, clone_flag::vm,
    clone_flag::vm | clone_flag::sighand, clone_flag::files | clone_flag::fs,
    clone_flag::newpid, clone_flag::pidfd, clone_flag::newuser,
    clone_flag::newuts, clone_flag::newipc, clone_flag::sysvsem,
    clone_flag::newpid | clone_flag::newuts | clone_flag::pidfd,
    clone_flag::newuser | clone_flag::newns | clone_flag::newipc};
constexpr std::array<CloneFlags, 6> kFailingUnshares{
    clone_flag::files, clone_flag::fs, clone_flag::newpid, clone_flag::newuser,
    clone_flag::newuts | clone_flag::newipc,
    clone_flag::files | clone_flag::newuser | clone_flag::newpid | clone_flag::newns};
constexpr std::array<WaitOptions, 3> kWait4Tried{
    WaitOptions{}, wait_option::nohang,
    wait_option::nohang | wait_option::stopped | wait_option::continued};
constexpr std::array<WaitOptions, 3> kWaitidTried{
    wait_option::exited, wait_option::exited | wait_option::nohang | wait_option::nowait,
    wait_option::nohang | wait_option::stopped | wait_option::continued};

constexpr std::array<Clone3Flags, 3> kClones3{Clone3Flags{clone_flag::pidfd.bits},
                                              Clone3Flags{clone_flag::clear_sighand.bits},
                                              Clone3Flags{clone_flag::into_cgroup.bits}};
constexpr std::array<Signal, 1> kExitSignals3{sig::chld};
constexpr std::array<TidList, 2> kTidsTried{TidList{}, TidList{{kReservedPids}, 1}};
constexpr std::array kClone3ArgsTried{Clone3Args::plain, Clone3Args::pidfd_unwritable};
constexpr std::array kNamespaceKindsTried{NsKind::user, NsKind::pid, NsKind::uts};
constexpr std::array kTimeoutsTried{Timeout::zero, Timeout::infinite};
constexpr std::array<std::uint32_t, 2> kDepthsTried{1, 40};
constexpr std::array<PidfdSignalFlags, 2> kPidfdSignalsTried{PidfdSignalFlags{},
                                                             pidfd_signal::process_group};
constexpr std::array<PidfdFlags, 2> kPidfdsTried{PidfdFlags{}, pidfd_flag::thread};

/// What the references of a step may mean.
struct Scene {
  std::vector<TaskRef> tasks;  // that there are
  std::vector<Selector> selectors;
  std::vector<IdSelector> id_selectors;
  std::vector<Target> targets;
  std::vector<PageNo> pages;
  bool namespaces = false;
};

/// The domain of an argument whose type says all: of a flag word or an enumeration, mostly.
template <class V>
std::span<const V> values_of_type() {
  if constexpr (std::is_same_v<V, Sleep>) return kSleepsTried;
  if constexpr (std::is_same_v<V, WakeMask>) return kWakeMasksTried;
  if constexpr (std::is_same_v<V, Comm>) return kCommsTried;
  if constexpr (std::is_same_v<V, Resource>) return kResourcesTried;
  if constexpr (std::is_same_v<V, Limit>) return kLimitsTried;
  if constexpr (std::is_same_v<V, LimitKind>) return kLimitKindsTried;
  if constexpr (std::is_same_v<V, User>) return kUsersTried;
  if constexpr (std::is_same_v<V, Capabilities>) return kCapabilitiesTried;
  if constexpr (std::is_same_v<V, Whose>) return kWhoseTried;
  if constexpr (std::is_same_v<V, Mode>) return kModesTried;
  if constexpr (std::is_same_v<V, Account>) return kAccountsTried;
  if constexpr (std::is_same_v<V, Policy>) return kPoliciesTried;
  if constexpr (std::is_same_v<V, SchedFlags>) return kSchedFlagsTried;
  if constexpr (std::is_same_v<V, SigSet>) return kMasks;
  if constexpr (std::is_same_v<V, SaFlags>) return kNoSaFlags;
  if constexpr (std::is_same_v<V, Disposition>) return kDispositionsTried;
  if constexpr (std::is_same_v<V, MaskHow>) return kHows;
  if constexpr (std::is_same_v<V, Mapping>) return kMappingsTried;
  if constexpr (std::is_same_v<V, Advice>) return kAdvicesTried;
  if constexpr (std::is_same_v<V, ExitSignal>) return kExitSignals;
  if constexpr (std::is_same_v<V, RebootCommand>) return kRebootsTried;
  if constexpr (std::is_same_v<V, IdMap>) return kIdMapsTried;
  if constexpr (std::is_same_v<V, FdFlags>) return kFdFlagsTried;
  if constexpr (std::is_same_v<V, Clone3Flags>) return kClones3;
  if constexpr (std::is_same_v<V, TidList>) return kTidsTried;
  if constexpr (std::is_same_v<V, PidfdFlags>) return kPidfdsTried;
  if constexpr (std::is_same_v<V, PidfdSignalFlags>) return kPidfdSignalsTried;
  if constexpr (std::is_same_v<V, Timeout>) return kTimeoutsTried;
  if constexpr (std::is_same_v<V, NsKind>) return kNamespaceKindsTried;
  if constexpr (std::is_same_v<V, Clone3Args>) return kClone3ArgsTried;
  if constexpr (std::is_same_v<V, ExecStep>) return kExecStepsTried;
  if constexpr (std::is_same_v<V, Persona>) return kPersonasTried;
  return {};
}

template <class O>
std::span<const CloneFlags> clone_flags(bool namespaces) {
  using Flags = std::span<const CloneFlags>;
  if (std::is_same_v<O, Unshare>) return namespaces ? Flags(kFailingUnshares) : Flags(kUnshared);
  return namespaces ? Flags(kFailingClones) : Flags(kClones);
}

/// The domain of an argument.
template <class O, class V>
std::span<const V> values(const Scene& scene, std::string_view argument) {
  if constexpr (std::is_same_v<V, TaskRef>) return scene.tasks;
  if constexpr (std::is_same_v<V, Selector>) return scene.selectors;
  if constexpr (std::is_same_v<V, IdSelector>) return scene.id_selectors;
  if constexpr (std::is_same_v<V, Target>) return scene.targets;
  if constexpr (std::is_same_v<O, Recurse>) return kDepthsTried;
  if constexpr (std::is_same_v<V, PageNo>)  // and PageValue
    return argument == "page" ? std::span<const V>(scene.pages) : kOne;
  if constexpr (std::is_same_v<O, Sigaltstack>) return kSignalStacks;
  if constexpr (std::is_same_v<V, std::int32_t>) {
    if (argument == "nice") return kNiceTried;
    if (argument == "mask" && !std::is_same_v<O, Umask>) return kMasksTried;
    if (argument == "priority") return kSwitch;
  }
  if constexpr (std::is_same_v<V, std::int32_t>)
    return std::is_same_v<O, PrctlSubreaper> || argument == "fd" ? std::span<const V>(kSwitch)
                                                                 : kCodes;
  if constexpr (std::is_same_v<O, Sigaction> && std::is_same_v<V, Signal>) return kHandled;
  if constexpr (std::is_same_v<O, PrctlPdeathsig>) return kAtDeath;
  if constexpr (std::is_same_v<O, Clone3> && std::is_same_v<V, Signal>) return kExitSignals3;
  if constexpr (std::is_same_v<O, PtraceCont> || std::is_same_v<O, PtraceDetach>)
    if constexpr (std::is_same_v<V, Signal>) return kGivenByTracer;
  if constexpr (std::is_same_v<V, TraceFlags>) return kTraceFlagsTried;
  if constexpr (std::is_same_v<V, Signal>) return kSent;
  if constexpr (std::is_same_v<O, Setns> || std::is_same_v<O, SameNs>)
    if constexpr (std::is_same_v<V, CloneFlags>) return kKindsTried;
  if constexpr (std::is_same_v<V, PidsLimit>) return kPidsLimits;
  if constexpr (std::is_same_v<V, CloneFlags>) return clone_flags<O>(scene.namespaces);
  if constexpr (std::is_same_v<V, WaitOptions>)
    return std::is_same_v<O, Waitid> ? kWaitidTried : kWait4Tried;
  return values_of_type<V>();
}

/// Every combination of the arguments from the `I`th on.
template <std::size_t I, class O>
void combine(const Scene& scene, O& op, Step& step, std::vector<Step>& steps) {
  if constexpr (I == std::tuple_size_v<decltype(O::args)>) {
    step.op = op;
    steps.push_back(step);
  } else {
    const auto& arg = std::get<I>(O::args);
    using V = std::remove_reference_t<decltype(op.*(arg.at))>;
    for (const V& value : values<O, V>(scene, arg.name)) {
      op.*(arg.at) = value;
      combine<I + 1>(scene, op, step, steps);
    }
  }
}

bool can_act(const spec::Task& t) {
  return !t.zombie && !t.stopped && !t.trace.trapped && t.call.kind == spec::Call::Kind::none;
}

Scene scene_of(const spec::World& world, const Naming& naming, const Bounds& bounds) {
  Scene scene;
  scene.selectors.push_back({Selector::Kind::any, {}});
  scene.selectors.push_back({Selector::Kind::own_group, {}});
  scene.targets.push_back({Target::Kind::own_group, {}});
  for (std::size_t name = 0; name < naming.numbers().size(); ++name) {
    if (naming.current(static_cast<std::int32_t>(name), world).n == 0) continue;
    const TaskRef task = TaskRef::name(static_cast<std::int32_t>(name));
    scene.tasks.push_back(task);
    scene.selectors.push_back({Selector::Kind::task, task});
    scene.targets.push_back({Target::Kind::task, task});
  }
  scene.id_selectors.assign(scene.selectors.begin(), scene.selectors.end());
  scene.id_selectors.push_back(IdSelector(Descriptor{0}));
  scene.namespaces = bounds.namespaces;
  for (PageNo page = 0; page < bounds.pages; ++page) scene.pages.push_back(page);
  return scene;
}

}  // namespace

std::vector<Step> opening(const Bounds& bounds) {
  std::vector<Step> steps;
  if (bounds.pages != 0)
    steps.emplace_back().op =
        Mmap{.mapping = Mapping::private_, .pages = static_cast<PageNo>(bounds.pages)};
  if (bounds.cursor != 0) {
    SetPidCursor set;
    set.value = bounds.cursor;
    steps.emplace_back().op = set;
  }
  return steps;
}

void list_steps(const spec::World& world, const Naming& naming, const Bounds& bounds,
                std::vector<Step>& steps) {
  steps.clear();
  const Scene scene = scene_of(world, naming, bounds);
  const auto next_name = static_cast<std::int32_t>(naming.numbers().size());
  for (const TaskRef actor : scene.tasks) {
    const Pid number = naming.current(actor.n, world);
    if (!can_act(world.tasks[world.task_of(number)])) continue;
    for_each_op([&]<class O>() {
      constexpr std::size_t kIndex = *op_index(O::name);
      if (by_world<O> || !bounds.ops[kIndex]) return;
      if (creates_task<O> && world.tasks.size() >= bounds.tasks) return;
      Step step;
      step.actor = actor.n;
      if (creates_task<O>) step.binds = next_name;
      O op;
      combine<0>(scene, op, step, steps);
    });
  }
}

}  // namespace forkproof::harness
