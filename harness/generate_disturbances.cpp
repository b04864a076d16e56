/// What may go wrong in random traces while somebody sleeps for a number, in a wait or in poll.
#include "harness/generate.hpp"

#include <algorithm>

#include "harness/op_roles.hpp"

namespace forkproof::harness {

namespace {

/// How often, in a hundred steps, a sleep that is for somebody is made something of; and one that
/// is for a group, which may be empty and come back while somebody sleeps.
constexpr std::uint32_t kDisturbed = 25, kGroupDisturbed = 50;

Step step(std::int32_t actor, Op op) {
  Step s;
  s.actor = actor;
  s.op = std::move(op);
  return s;
}

}  // namespace

bool Generator::can_act(TaskRef who) const {
  return who.named && std::ranges::find(runnable_, who.n) != runnable_.end();
}

/// Now and then something happens to who is slept for, who sleeps, or the number.
std::optional<Step> Generator::disturb(const spec::World& world, const Naming& naming) {
  const Awaited& awaited = dice_.one_of<Awaited>(awaited_);
  if (!dice_.percent(awaited.group ? kGroupDisturbed : kDisturbed)) return std::nullopt;
  const spec::TaskId id = world.task_of(awaited.number);
  if (!id && world.cursor != awaited.number.n)
    return step(0, SetPidCursor{{}, awaited.number.n});
  const std::optional<std::int32_t> other = sibling(awaited, world, naming);
  if (!id) return other ? std::optional(step(*other, Fork{})) : std::nullopt;
  if (world.tasks[id].zombie)
    return other ? std::optional(step(*other, Wait4{{}, wait_option::nohang})) : std::nullopt;
  const TaskRef holder = named(awaited.number, naming);
  if (!holder.named) return std::nullopt;
  if (other && awaited.fd >= 0 && dice_.percent(30))
    if (auto op = exchange_polled(awaited, *other, world)) return step(*other, *std::move(op));
  if (auto by_others = disturb_from_outside(awaited, holder, world, naming)) return by_others;
  return can_act(holder) ? disturb_by_holder(awaited, holder, world, naming) : std::nullopt;
}

/// A thread of who sleeps.
std::optional<std::int32_t> Generator::sibling(const Awaited& awaited, const spec::World& world,
                                               const Naming& naming) const {
  for (const std::int32_t name : runnable_)
    if (world.tasks[world.task_of(naming.current(name, world))].process == awaited.sleeper)
      return name;
  return std::nullopt;
}

/// Who has the number leaves the group, comes back or ends, or an exec gives it to another.
std::optional<Step> Generator::disturb_by_holder(const Awaited& awaited, TaskRef holder,
                                                 const spec::World& world, const Naming& naming) {
  const spec::TaskId id = world.task_of(awaited.number);
  const spec::Process& p = world.process_of(world.tasks[id]);
  const bool leads = p.pgid == awaited.number;
  const bool is_thread = world.tasks[id].exit_signal < 0;  // which is polled
  if (is_thread && dice_.percent(40)) return step(holder.n, Exec{});
  for (const spec::TaskId thread : p.threads) {
    const TaskRef by = named(world.tasks[thread].tid, naming);
    if (thread != id && can_act(by) && dice_.percent(25)) return step(by.n, Exec{});
  }
  const std::uint32_t ends = leads ? 30 : awaited.group ? 40 : 60;
  if (dice_.percent(ends)) return step(holder.n, Exit{{}, exit_code()});
  return step(holder.n, Setpgid{.task = holder, .group = leads ? TaskRef::name(0) : holder});
}

/// The descriptor that is polled is closed, or another's that is open by then.
std::optional<Op> Generator::exchange_polled(const Awaited& awaited, std::int32_t sibling,
                                             const spec::World& world) {
  const spec::Task& sleeper = world.tasks[world.processes[awaited.sleeper].leader];
  if (!sleeper.files) return std::nullopt;
  if (world.files[sleeper.files].has(awaited.fd)) return Close{awaited.fd};
  return PidfdOpen{TaskRef::name(sibling), {}};
}

/// Another begins to trace who is slept for, if there is tracing; ends who cannot do so himself; or
/// signals who polls, which has a handler.
std::optional<Step> Generator::disturb_from_outside(const Awaited& awaited, TaskRef holder,
                                                    const spec::World& world,
                                                    const Naming& naming) {
  if (runnable_.empty()) return std::nullopt;
  const spec::Task& sleeper = world.tasks[world.processes[awaited.sleeper].leader];
  const bool traceable = weights_[Named("ptrace_seize").index] > 1 &&
                         !world.tasks[world.task_of(awaited.number)].trace.by;
  const auto kill = [](TaskRef whom, Signal signal) {
    return Kill{.target = {.kind = Target::Kind::task, .who = whom}, .signal = signal};
  };
  const std::int32_t actor = dice_.one_of<std::int32_t>(runnable_);
  if (can_act(holder) && traceable && actor != holder.n && dice_.percent(25))
    return step(actor, PtraceSeize{holder, {}});
  if (awaited.fd >= 0 && !sleeper.zombie && dice_.percent(20))
    if (const SigSet caught = world.handlers[sleeper.handlers].caught; !caught.empty())
      return step(actor, kill(named(sleeper.tid, naming), caught.lowest()));
  if (!can_act(holder) && dice_.percent(30)) return step(actor, kill(holder, sig::kill));
  return std::nullopt;
}

}  // namespace forkproof::harness
