/// clone and clone3: what their arguments mean, which of clone3's are none, in which control group
/// a new task is, and how it and its maker go on.
///
/// Sources: clone(2); kernel/fork.c sys_clone(), clone3_args_valid(), kernel_clone();
/// kernel/cgroup/cgroup.c cgroup_css_set_fork().
#include "impl/machine.hpp"

namespace forkproof::impl {

namespace {

/// What copy_clone_args_from_user says of the struct, in its order: errors of one kind together.
Errno refuses_struct(const Clone3& op) {
  const bool into = CloneFlags{op.flags.bits}.has(clone_flag::into_cgroup);
  const bool signals = static_cast<std::uint32_t>(op.exit_signal.n) <= kSignalMax;
  switch (op.args_as) {
    case Clone3Args::size_4097:
    case Clone3Args::tail_set: return Errno::toobig;
    case Clone3Args::unreadable: return Errno::fault;
    case Clone3Args::size_63:
    case Clone3Args::tids_33:
    case Clone3Args::tids_null:
    case Clone3Args::tids_empty:
    case Clone3Args::signal_high: return Errno::inval;
    case Clone3Args::size_64:
    case Clone3Args::size_80:
    case Clone3Args::cgroup_high: return into ? Errno::inval : Errno::ok;
    case Clone3Args::tids_unreadable: return signals ? Errno::fault : Errno::inval;
    default: return Errno::ok;
  }
}

bool has_no_stack(Clone3Args args) {
  return args == Clone3Args::stack_alone || args == Clone3Args::stack_size_alone ||
         args == Clone3Args::stack_beyond;
}

/// What the descriptor of something else than a control group, or of none that takes tasks, is.
Errno refuses_folder(Clone3Args args) {
  switch (args) {
    case Clone3Args::cgroup_folder: return Errno::badf;
    case Clone3Args::cgroup_removed: return Errno::noent;
    case Clone3Args::cgroup_invalid: return Errno::opnotsupp;
    case Clone3Args::cgroup_busy: return Errno::busy;
    default: return Errno::ok;
  }
}

}  // namespace

Outcome Machine::perform(Task& t, const Vfork&) {
  return kernel_clone(t, clone_flag::vm | clone_flag::vfork, sig::chld.n);
}

/// What it stores of a pidfd has the place that PARENT_SETTID has. Before 5.2 there are no pidfds.
Outcome Machine::perform(Task& t, const Clone& op) {
  namespace fl = clone_flag;
  const bool today = profile_ == Profile::linux_6;
  if (today && op.flags.has(fl::pidfd | fl::parent_settid)) return Outcome::failure(Errno::inval);
  const CloneFlags low = op.flags & fl::newtime;  // a bit of the exit signal here
  const auto signal = static_cast<std::uint8_t>(op.exit_signal.n | low.bits);
  return kernel_clone(t, (today ? op.flags : op.flags - fl::pidfd) - low, signal);
}

Outcome Machine::perform(Task& t, const Clone3& op) {
  namespace fl = clone_flag;
  constexpr std::uint64_t kUpper = fl::into_cgroup.bits << 1;  // and above: not known
  constexpr std::uint64_t kSignalBits = 0x7F;
  if (profile_ == Profile::linux_4_12) return Outcome::failure(Errno::nosys);
  const CloneFlags flags{op.flags.bits};
  if (const Errno bad = refuses_struct(op); bad != Errno::ok) return Outcome::failure(bad);
  const bool signals = static_cast<std::uint32_t>(op.exit_signal.n) <= kSignalMax;
  const bool own_signal = flags.any(fl::thread | fl::parent) && op.exit_signal.n != 0;
  const bool unknown = flags.bits >= kUpper || (flags.bits & kSignalBits) != 0;
  if (!signals || own_signal || unknown || flags.has(fl::detached) ||
      flags.has(fl::sighand | fl::clear_sighand) || has_no_stack(op.args_as) ||
      (op.args_as == Clone3Args::one_place && flags.has(fl::pidfd | fl::parent_settid)))
    return Outcome::failure(Errno::inval);
  Wanted wanted{op.set_tid, std::nullopt, op.args_as};
  if (op.args_as == Clone3Args::size_64) wanted.tids = {};
  if (flags.has(fl::into_cgroup)) wanted.into = op.cgroup;
  return kernel_clone(t, flags, static_cast<std::uint8_t>(op.exit_signal.n), wanted);
}

/// The one wake that reaches a new task. What it was told of until now it deals with first.
void Machine::wake_up_new_task(Task& t) {
  set_state(t, bits::kRunning);
  if (t.signalled) enqueue(t);
}

/// The child is to tell its maker when it lets go of its memory.
void Machine::init_completion(Task& t, Task& child) {
  child.vfork_parent = id(t);
  t.vfork_child = id(child);
}

/// The maker sleeps until then. It is told of the child now.
Outcome Machine::wait_for_vfork_done(Task& t, const Task& child) {
  const Outcome made = Outcome::task(Pid{seen_by(t, child.pid)});
  t.call = Call::vfork;
  set_state(t, states().killable());
  keep(t, made);
  touch(t);
  Outcome sleeps = Outcome::of(Outcome::Kind::blocks);
  sleeps.who = made.who;
  return sleeps;
}

/// What a signal came before.
Outcome Machine::make_again(Task& t) {
  const CloneFlags flags{std::uint64_t{t.args.generation} << 32 | t.args.options};
  const Wanted wanted = id(t) < wanted_.size() ? wanted_[id(t)] : kNothingMore;
  t.call = Call::none;
  return kernel_clone(t, flags, static_cast<std::uint8_t>(t.args.number), wanted);
}

/// The control group that a task is to count in, and why it cannot be there.
Errno Machine::choose_cgroup(const Task& maker, bool is_thread, const Wanted& wanted,
                             Index& group) const {
  const Index makers = group = cgroups_.of(id(maker));
  if (wanted.into) [[unlikely]] {
    if (const Errno refused = refuses_folder(wanted.args); refused != Errno::ok) return refused;
    const std::optional<Index> named = cgroups_.called(*wanted.into);
    if (!named) return Errno::badf;
    if (is_thread && *named != makers) return Errno::opnotsupp;
    group = *named;
  }
  return cgroups_.has_room(group, tasks_.taken()) ? Errno::ok : Errno::again;
}

}  // namespace forkproof::impl
