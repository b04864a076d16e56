/// clone and clone3: what their arguments mean, which of clone3's are none, and in which control
/// group a new task is.
///
/// Sources: clone(2); kernel/fork.c sys_clone(), clone3_args_valid(); kernel/cgroup/cgroup.c
/// cgroup_css_set_fork().
#include "impl/machine.hpp"

namespace forkproof::impl {

/// What it stores of a pidfd has the place that PARENT_SETTID has. Before 5.2 there are no pidfds.
Outcome Machine::perform(Task& t, const Clone& op) {
  namespace fl = clone_flag;
  const bool today = profile_ == Profile::linux_6;
  if (today && op.flags.has(fl::pidfd | fl::parent_settid)) return Outcome::failure(Errno::inval);
  const CloneFlags low = op.flags & fl::newtime;  // a bit of the exit signal here
  const auto signal = static_cast<std::uint8_t>(op.exit_signal.n | low.bits);
  return create(t, (today ? op.flags : op.flags - fl::pidfd) - low, signal);
}

Outcome Machine::perform(Task& t, const Clone3& op) {
  namespace fl = clone_flag;
  constexpr std::uint64_t kUpper = fl::into_cgroup.bits << 1;  // and above: not known
  constexpr std::uint64_t kSignalBits = 0x7F;
  if (profile_ == Profile::linux_4_12) return Outcome::failure(Errno::nosys);
  const CloneFlags flags{op.flags.bits};
  const bool signals = static_cast<std::uint32_t>(op.exit_signal.n) <= kSignalMax;
  const bool own_signal = flags.any(fl::thread | fl::parent) && op.exit_signal.n != 0;
  const bool unknown = flags.bits >= kUpper || (flags.bits & kSignalBits) != 0;
  if (!signals || own_signal || unknown || flags.has(fl::detached) ||
      flags.has(fl::sighand | fl::clear_sighand))
    return Outcome::failure(Errno::inval);
  const bool into = flags.has(fl::into_cgroup);
  return create(t, flags, static_cast<std::uint8_t>(op.exit_signal.n), op.set_tid.numbers(),
                into ? std::optional(op.cgroup) : std::nullopt);
}

/// What a signal came before.
Outcome Machine::make_again(Task& t) {
  const CloneFlags flags{std::uint64_t{t.args.generation} << 32 | t.args.options};
  const Wanted wanted = id(t) < wanted_.size() ? wanted_[id(t)] : Wanted{};
  t.call = Call::none;
  return create(t, flags, static_cast<std::uint8_t>(t.args.number), wanted.tids.numbers(),
                wanted.into);
}

/// The control group that a task is to count in, and why it cannot be there.
Errno Machine::choose_cgroup(const Task& maker, bool is_thread, std::optional<CgroupNo> into,
                             Index& group) const {
  const Index makers = group = cgroups_.of(id(maker));
  if (into) [[unlikely]] {
    const std::optional<Index> named = cgroups_.called(*into);
    if (!named) return Errno::badf;
    if (is_thread && *named != makers) return Errno::opnotsupp;
    group = *named;
  }
  return cgroups_.has_room(group, tasks_.taken()) ? Errno::ok : Errno::again;
}

}  // namespace forkproof::impl
