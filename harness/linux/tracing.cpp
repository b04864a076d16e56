/// Tracing, as far as the spec speaks of it.
#include <fmt/format.h>

#include "harness/linux/system.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

namespace {

/// Whom a call that begins tracing is about.
TaskRef traced_by(const Op& op) {
  const auto* const attach = std::get_if<PtraceAttach>(&op);
  const auto* const seize = std::get_if<PtraceSeize>(&op);
  return attach != nullptr ? attach->task : seize != nullptr ? seize->task : TaskRef{};
}

}  // namespace

/// In a stopped process such a thread stops before it can say its number, and its maker sleeps on.
void System::refuse_silent_births(const Puppet& actor, const Op& op) const {
  constexpr CloneFlags kSleepsForThread = clone_flag::thread | clone_flag::vfork;
  const CloneFlags flags = clone_flags_of(op);
  if (flags.has(kSleepsForThread) && !flags.has(clone_flag::ptrace) && tracer_of(actor).n != 0)
    throw SystemLimit("who is made by a tracee that sleeps for it might not say its number");
}

/// What TRACE:6 of forkproof.md answers is no kernel's answer: who attaches would sleep as well.
void System::refuse_attaching_to_execs(const Puppet& actor, const Op& op) {
  const bool by_parent = std::holds_alternative<PtraceTraceme>(op);
  traced_ = traced_ || begins_tracing(op) || by_parent;
  init_traced_ = init_traced_ || by_parent || (begins_tracing(op) && actor.tgid == kInit);
  refuse_silent_births(actor, op);
  if (!begins_tracing(op)) return;
  const std::int32_t whom = meant_by(actor, traced_by(op).n);
  const auto status = parse_status(read(std::to_string(whom) + "/status"));
  if (!status || status->tgid == actor.tgid.n) return;
  for (const Puppet& p : puppets_)
    if (p.calling && p.tgid.n == status->tgid && executes(p.op))
      throw SystemLimit("who is in an exec that waits for tracers would be attached to");
}

/// A vfork and an exec that waits for others sleep so that only what kills them wakes them.
Rest System::asleep_in_call(const Puppet& p, char state) {
  const bool execs = executes(p.op);
  const bool deeply = execs || sleeps_for_child(p.op);
  if (state == 'S') return deeply ? Rest::none : Rest::asleep;
  return state == 'D' && (execs || p.made.n != 0) ? Rest::suspended : Rest::none;
}

/// Whether a task stands still for its tracer, be it a puppet or not yet.
bool System::is_trapped(Pid task) const {
  const auto glance = parse_glance(read(fmt::format("{}/stat", task.n)));
  return glance && glance->state == 't';
}

/// Who traces it; nobody if nobody can.
Pid System::tracer_of(const Puppet& puppet) const {
  if (!traced_) return {};
  const auto status = parse_status(read(std::to_string(puppet.tid.n) + "/status"));
  return status ? Pid{status->tracer} : Pid{};
}

/// Who stopped for a tracer, which ended of the same call and so let it go, is seen to have died of
/// its call or to have its answer, and not that it stopped, as TRACE:5 has it. A signal for several
/// can be for both, and an exec end who ends the tracer.
void System::refuse_freed(Pid tracer, const Op& op, const Outcome& answer) const {
  using Kind = Target::Kind;
  const auto* const kill = std::get_if<Kill>(&op);
  const bool one = kill != nullptr && kill->target.kind == Kind::task &&
                   (kill->target.who.named || kill->target.who.n > 0);
  const bool both = (kill != nullptr && !one) || executes(op);
  if (tracer.n == 0 || find(tracer) != nullptr) return;
  if (answer.kind == Outcome::Kind::dies || (both && answer.kind != Outcome::Kind::blocks))
    throw SystemLimit("whether a task stopped before its tracer ended cannot be told here");
}

/// No puppet is dumpable: who has no rights where it was executed may not trace one.
void System::refuse_untraceable(const Puppet& actor, const Op& op, const Outcome& answer) const {
  if (!begins_tracing(op) || answer != Outcome::failure(Errno::perm)) return;
  const Puppet* const whom = find(Pid{meant_by(actor, traced_by(op).n)});
  if (whom == nullptr || whom->tgid == actor.tgid || tracer_of(*whom).n != 0) return;
  if (!stage_.abilities().raises) throw SystemLimit("who may trace whom hangs on rights here");
  if (is_below_users(actor)) throw SystemLimit("whether a program may be looked at cannot be told");
}

}  // namespace forkproof::harness::kernel
