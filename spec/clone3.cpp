/// clone3: what its struct may be, and what in it does not go together.
#include "spec/model.hpp"

namespace forkproof::spec {

namespace fl = clone_flag;

namespace {

/// The flags that clone3 takes: none of the low byte, where clone has the exit signal.
constexpr std::uint64_t kKnown = [] {
  std::uint64_t bits = 0;
  for (const Word& w : Clone3Kind::words) bits |= w.value;
  return bits;
}();

}  // namespace

Model::Answer Model::act(TaskId me, const Clone3& op) {
  if (!linux_6()) return fails(Errno::nosys, "clone3.unknown-call"_rule);
  if (const Answer refused = refuses_struct(op)) return refused;
  if (const Answer refused = refuses_args(op)) return refused;

  const CloneFlags flags{op.flags.bits};
  Wish wish{.flags = flags, .exit_signal = op.exit_signal.n, .tids = op.set_tid};
  wish.args = op.args_as;
  if (op.args_as == Clone3Args::size_96) cover("clone3.longer"_rule);
  if (op.args_as == Clone3Args::size_64) cover("clone3.shorter"_rule), wish.tids = {};
  if (flags.has(fl::into_cgroup)) wish.into = op.cgroup;
  return create(me, wish, op);
}

/// Why the struct is not taken; nothing if it is. What is in it is looked at as it is read.
Model::Answer Model::refuses_struct(const Clone3& op) {
  using enum Clone3Args;
  const Clone3Args args = op.args_as;
  if (args == size_4097) return fails(Errno::toobig, "clone3.beyond-a-page"_rule);
  if (args == size_63) return fails(Errno::inval, "clone3.too-short"_rule);
  if (args == unreadable) return fails(Errno::fault, "clone3.unreadable"_rule);
  if (args == tail_set) return fails(Errno::toobig, "clone3.unknown-tail"_rule);
  if (args == tids_33 || args == tids_null || args == tids_empty)
    return fails(Errno::inval, "clone3.set-tid-no-list"_rule);
  if (args == signal_high || op.exit_signal.n < 0 || op.exit_signal.n > kSignalMax)
    return fails(Errno::inval, "clone3.exit-signal-range"_rule);
  const bool into = CloneFlags{op.flags.bits}.has(fl::into_cgroup);
  if (into && (args == size_64 || args == size_80 || args == cgroup_high))
    return fails(Errno::inval, "clone3.into-not-told"_rule);
  if (args == tids_unreadable) return fails(Errno::fault, "clone3.set-tid-unreadable"_rule);
  return std::nullopt;
}

/// Why what the struct says does not go together; nothing if it does.
Model::Answer Model::refuses_args(const Clone3& op) {
  using enum Clone3Args;
  const CloneFlags flags{op.flags.bits};
  const Clone3Args args = op.args_as;
  if (flags.has(fl::detached) || (flags.bits & ~kKnown) != 0)
    return fails(Errno::inval, "clone3.flags"_rule);
  if (flags.has(fl::sighand | fl::clear_sighand))
    return fails(Errno::inval, "clone3.clear-or-share"_rule);
  if (flags.any(fl::thread | fl::parent) && op.exit_signal != sig::none)
    return fails(Errno::inval, "clone3.exit-signal-unused"_rule);
  if (args == stack_alone || args == stack_size_alone || args == stack_beyond)
    return fails(Errno::inval, "clone3.stack"_rule);
  if (flags.has(fl::pidfd | fl::parent_settid) && args == one_place)
    return fails(Errno::inval, "clone3.one-place"_rule);
  return std::nullopt;
}

/// Why no task can be made in what the descriptor is of that was given for a control group.
Model::Answer Model::refuses_folder(Clone3Args args) {
  switch (args) {
    case Clone3Args::cgroup_folder:
      return fails(Errno::badf, "clone3.into-no-group"_rule);
    case Clone3Args::cgroup_removed:
      return fails(Errno::noent, "clone3.into-removed"_rule);
    case Clone3Args::cgroup_invalid:
      return fails(Errno::opnotsupp, "clone3.into-invalid"_rule);
    case Clone3Args::cgroup_busy:
      return fails(Errno::busy, "clone3.into-busy"_rule);
    default:
      return std::nullopt;
  }
}

}  // namespace forkproof::spec
