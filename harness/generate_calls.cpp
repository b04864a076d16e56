/// The calls of random traces that are about files, attributes, namespaces and pidfds.
#include "harness/generate.hpp"

#include <algorithm>

#include "harness/op_roles.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness {

void Generator::choose(Open& o, const Scene&) { o.flags = fd_flags(); }
void Generator::choose(Close& o, const Scene&) { o.fd = descriptor(); }
void Generator::choose(Dup& o, const Scene&) { o.fd = descriptor(); }

void Generator::choose(FcntlSetfd& o, const Scene&) {
  o.fd = descriptor();
  o.flags = fd_flags();
}

void Generator::choose(Lseek& o, const Scene&) {
  o.fd = descriptor();
  o.by = dice_.between(-2, 7);
}

void Generator::choose(Umask& o, const Scene&) {
  o.mask = dice_.percent(90) ? dice_.between(0, kUmaskBits) : dice_.between(-1, 4096);
}

void Generator::choose(Chdir& o, const Scene&) {
  o.directory = dice_.between(dice_.percent(5) ? -1 : 0, kDirectories - (dice_.percent(5) ? 0 : 1));
}

void Generator::choose(Unshare& o, const Scene& scene) {
  namespace fl = clone_flag;
  for (const Word& w : CloneKind::words) {
    const CloneFlags flag{w.value};
    if (clone_flag::new_any.has(flag) && flag != clone_flag::newpid) continue;
    if (flag == clone_flag::newuser) continue;
    if (dice_.percent(flag == clone_flag::fs || flag == clone_flag::files ? 60 : 6))
      o.flags = o.flags | flag;
  }
  if (moves_ && dice_.percent(12))
    o.flags = clone_flag::newns;
  else if (moves_ && dice_.percent(60))
    o.flags = (dice_.percent(80) ? CloneFlags{} : o.flags) | kinds_of_namespaces();
  else if (dice_.percent(40))
    o.flags = clone_flag::newpid;
  const CloneFlags about = theme_flags_ & (fl::new_any | fl::newuser | fl::files | fl::fs);
  if (about.bits != 0 && dice_.percent(50)) o.flags = about;
  o.flags = with_users(o.flags, 55, scene);
}

void Generator::choose(Setns& o, const Scene& scene) {
  o.task = task(scene);
  o.flags = kinds_of_namespaces();
  const std::uint32_t way = dice_.below(100);
  if (way < 15) o.flags = clone_flag::newns;
  if (way >= 80) o.flags = clone_flag::newtime;
  if (way >= 90) o.flags = clone_flag::newtime | clone_flag::newuts;
  if (dice_.percent(30)) {
    o.flags = clone_flag::newpid;
    if (dice_.percent(50)) o.task = deepest(scene);
  }
  if (theme_flags_.has(clone_flag::newpid) && dice_.percent(40)) o.flags = clone_flag::newpid;
  if (theme_flags_.has(clone_flag::fs) && dice_.percent(30))
    o.flags = clone_flag::newns | clone_flag::newuts;
  if (users_ && dice_.percent(40)) {
    if (dice_.percent(60)) o.flags = {};
    o.flags = o.flags | clone_flag::newuser;
    if (dice_.percent(60)) o.task = child(scene);
  }
  if (const CloneFlags kinds = elsewhere(scene, o.task); kinds.bits != 0 && dice_.percent(50))
    o.flags = dice_.percent(20) ? kinds | clone_flag::newtime : kinds;  // which is asked for last
  if (dice_.percent(3)) o.flags = dice_.percent(50) ? CloneFlags{} : o.flags | clone_flag::fs;
}

/// Who is furthest below in pid namespaces.
TaskRef Generator::deepest(const Scene& scene) const {
  std::int32_t found = scene.actor, level = -1;
  for (const std::int32_t name : alive_) {
    const spec::TaskId id = scene.world.task_of(scene.naming.current(name, scene.world));
    const std::int32_t own =
        id ? scene.world.level_of(scene.world.process_of(scene.world.tasks[id]).ns) : -1;
    if (own > level) found = name, level = own;
  }
  return TaskRef::name(found);
}

void Generator::choose(SameNs& o, const Scene& scene) {
  o.task = task(scene);
  o.flags = dice_.percent(35) ? clone_flag::newtime : kinds_of_namespaces();
  if (users_ && dice_.percent(50)) o.flags = clone_flag::newuser;
  if (dice_.percent(2)) o.flags = {};
}

void Generator::choose(Sethostname& o, const Scene&) { o.host = dice_.between(0, 3); }

/// Mostly where it does not end the world.
void Generator::choose(Reboot& o, const Scene& scene) {
  const bool below = scene.me != nullptr && scene.world.process_of(*scene.me).ns;
  o.command = static_cast<RebootCommand>(dice_.one_of<Word>(kReboots).value);
  if (!below && dice_.percent(users_ ? 60 : 90)) o.command = RebootCommand::cad_on;
}

void Generator::choose(Personality& o, const Scene&) {
  if (dice_.percent(65)) o.persona = persona_flag::addr_no_randomize;
}

/// Mostly a step that has something to do.
void Generator::choose(ExecFails& o, const Scene& scene) {
  if (dice_.percent(30)) o.step = static_cast<ExecStep>(dice_.one_of<Word>(kExecSteps).value);
  if (scene.me == nullptr || !scene.me->files) return;
  const spec::NsProxy proxy = scene.world.proxy_of(*scene.me);
  if (scene.world.handlers[scene.me->handlers].users > 1 && dice_.percent(40))
    o.step = ExecStep::unshare_sighand;
  if (scene.world.files[scene.me->files].users > 1 && dice_.percent(40))
    o.step = ExecStep::unshare_files;
  if (proxy.time != proxy.children_time && dice_.percent(60))
    o.step = ExecStep::exec_task_namespaces;
}

/// What is refused seldom, or all traces of it would be the same.
void Generator::choose(Clone3& o, const Scene& scene) {
  namespace fl = clone_flag;
  const Clone like = clone(scene);
  const bool again = is_made_again(scene);  // when it must remember all that it was told
  o.flags.bits = (like.flags - fl::detached).bits;
  o.exit_signal = {like.exit_signal.n};
  if (dice_.percent(is_full(scene) ? 80 : 45)) o.flags.bits |= fl::pidfd.bits;
  if (dice_.percent(40)) o.flags.bits &= ~(fl::files | fl::parent_settid).bits;
  if (dice_.percent(30)) o.flags.bits |= fl::clear_sighand.bits;
  const CloneFlags flags{o.flags.bits};
  if (flags.has(fl::clear_sighand | fl::sighand) && dice_.percent(90))
    o.flags.bits ^= fl::clear_sighand.bits;
  if (flags.any(fl::thread | fl::parent) && dice_.percent(95)) o.exit_signal = {};
  if (dice_.percent(2)) o.flags.bits |= dice_.percent(50) ? 1U << dice_.below(7) : 0x400000U;
  if (dice_.percent(3)) o.exit_signal = signal();
  if (dice_.percent(again ? 60 : 35)) o.set_tid = tids(scene, flags.has(fl::newpid));
  if (dice_.percent(scene.world.cgroups.size() > 0 ? 60 : 4)) o.flags.bits |= fl::into_cgroup.bits;
  if (CloneFlags{o.flags.bits}.has(fl::into_cgroup)) o.cgroup = cgroup_to_be_born_in(scene);
  o.args_as = clone3_args(CloneFlags{o.flags.bits}, again);
  if (o.args_as != Clone3Args::plain && dice_.percent(15)) make_wrong_twice(o);
}

/// Of what is wrong the caller is told in an order.
void Generator::make_wrong_twice(Clone3& o) {
  namespace fl = clone_flag;
  switch (dice_.below(4)) {
    case 0: o.flags.bits |= (fl::sighand | fl::clear_sighand).bits; break;
    case 1:
      o.flags.bits |= (dice_.percent(50) ? fl::parent : kThread).bits;
      o.exit_signal = sig::chld;
      break;
    case 2: o.flags.bits |= dice_.percent(50) ? 1U << dice_.below(7) : 0x400000U; break;
    default: o.exit_signal = {dice_.between(kSignalMax + 1, kSignalMax + 2)};
  }
}

/// Mostly what the flags make something of.
Clone3Args Generator::clone3_args(CloneFlags flags, bool again) {
  namespace fl = clone_flag;
  static constexpr Clone3Args kFolders[] = {
      Clone3Args::cgroup_high,    Clone3Args::cgroup_folder,  Clone3Args::cgroup_removed,
      Clone3Args::cgroup_removed, Clone3Args::cgroup_invalid, Clone3Args::size_80};
  static constexpr Clone3Args kTaken[] = {Clone3Args::size_64, Clone3Args::size_80,
                                          Clone3Args::size_96, Clone3Args::cgroup_high};
  if (dice_.percent(flags.has(fl::into_cgroup) ? 25 : 0))
    return dice_.one_of<Clone3Args>(kFolders);
  if (dice_.percent(flags.has(fl::pidfd | fl::parent_settid) ? 30 : 0))
    return Clone3Args::one_place;
  if (flags.has(fl::pidfd) && dice_.percent(again ? 40 : 10)) return Clone3Args::pidfd_unwritable;
  if (dice_.percent(10)) return dice_.one_of<Clone3Args>(kTaken);
  return static_cast<Clone3Args>(dice_.percent(8) ? dice_.one_of<Word>(kClone3Args).value : 0);
}

void Generator::choose(PidfdOpen& o, const Scene& scene) {
  o.task = dice_.percent(60) ? child(scene) : task(scene);
  if (dice_.percent(35)) o.flags = pidfd_flag::thread;
  const auto thread = someone(scene, [](const spec::Task& t) { return t.exit_signal < 0; });
  if (thread && dice_.percent(35)) o.task = *thread, o.flags = pidfd_flag::thread;
  if (dice_.percent(20)) o.flags = o.flags | pidfd_flag::nonblock;
  if (dice_.percent(2)) o.flags = {1};
}

/// Who was reaped can still be the one that a group is called by.
void Generator::choose(PidfdSendSignal& o, const Scene& scene) {
  o.fd = pidfd(scene);
  o.signal = dice_.percent(90) ? signal() : Signal{dice_.between(kSignalMax, kSignalMax + 1)};
  if (dice_.percent(40)) o.flags = {std::uint64_t{1} << dice_.below(3)};
  if (is_of_the_gone(scene, o.fd) && dice_.percent(60)) o.flags = pidfd_signal::process_group;
  if (dice_.percent(2)) o.flags = {dice_.percent(50) ? 6U : 0x80000000U};
}

/// Seldom what nobody would end.
void Generator::choose(Poll& o, const Scene& scene) {
  o.fd = pidfd(scene);
  const bool ends = o.fd >= 0 || dice_.percent(20);
  if (ends && runnable_.size() > 1 && dice_.percent(60)) o.timeout = Timeout::infinite;
}

void Generator::choose(PrctlName& o, const Scene&) {
  o.comm = static_cast<Comm>(dice_.one_of<Word>(kComms).value);
}

void Generator::choose(Setpriority& o, const Scene& scene) {
  o.task = self_or_task(scene);
  if (scene.world.kthreads && dice_.percent(40)) o.task = TaskRef::number(kKthreadd);
  const bool raises = dice_.percent(20);  // which not everybody may
  o.nice = raises ? dice_.between(-30, 0) : dice_.between(0, dice_.percent(90) ? 9 : 30);
}

void Generator::choose(Getpriority& o, const Scene& scene) { o.task = self_or_task(scene); }

void Generator::choose(SchedSetscheduler& o, const Scene& scene) {
  o.task = self_or_task(scene);
  if (scene.world.kthreads && dice_.percent(40)) o.task = TaskRef::number(kKthreadd);
  o.policy = static_cast<Policy>(dice_.one_of<Word>(kPolicies).value);
  if (dice_.percent(50)) o.flags = sched_flag::reset_on_fork;
  if (is_real_time(o.policy)) o.priority = dice_.between(1, kRealTimeMax);
  static constexpr std::int32_t kBounds[] = {-1, 0, 1, kRealTimeMax, kRealTimeMax + 1};
  if (dice_.percent(15)) o.priority = dice_.one_of<std::int32_t>(kBounds);
}

void Generator::choose(SchedGetscheduler& o, const Scene& scene) { o.task = self_or_task(scene); }

void Generator::choose(SchedSetattr& o, const Scene& scene) {
  o.task = self_or_task(scene);
  if (dice_.percent(50)) o.flags = sched_flag::reset_on_fork;
  if (!scene.world.kthreads || !dice_.percent(40)) return;
  o.task = TaskRef::number(kKthreadd);  // which then makes nothing
  o.flags = {};
}

void Generator::choose(SchedSetaffinity& o, const Scene& scene) {
  o.task = self_or_task(scene);
  o.mask = dice_.percent(40) ? kProcessors : dice_.between(0, 2 * kProcessors);
}

void Generator::choose(SchedGetaffinity& o, const Scene& scene) { o.task = self_or_task(scene); }

void Generator::choose(Sigaltstack& o, const Scene&) {
  static constexpr std::int32_t kSizes[] = {0, 0, 4096, 8192, 65536, 2048, 2047};
  o.size = dice_.percent(95) ? dice_.one_of<std::int32_t>(kSizes) : dice_.between(-1, 9000);
}

}  // namespace forkproof::harness
