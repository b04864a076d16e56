/// What tasks are called, how they are scheduled, and where their handlers run.
///
/// Sources: setpriority(2), sched_setscheduler(2), sched_setattr(2), sched_setaffinity(2),
/// prctl(2) PR_SET_NAME, sigaltstack(2); kernel/sched/syscalls.c, kernel/sys.c, kernel/signal.c.
#include <algorithm>

#include "impl/machine.hpp"

namespace forkproof::impl {

Attributes Attributes::of_child(bool runs_beside) const {
  Attributes child = *this;
  if (runs_beside) child.signal_stack = 0;
  if (!reset_on_fork) return child;
  const bool special = is_real_time(policy) || policy == Policy::deadline;
  if (special) child.policy = Policy::other;
  child.rt_priority = 0;
  child.nice = special ? std::int8_t{0} : std::max(nice, std::int8_t{0});
  child.reset_on_fork = false;
  return child;
}

Outcome Machine::perform(Task& t, const PrctlName& op) {
  Attributes a = attributes_of(t);
  a.comm = op.comm == Comm::too_long ? Comm::just_fits : op.comm;
  set_attributes(t, a);
  touch(t);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Setpriority& op) {
  Task* const who = named(t, op.task);
  if (who == nullptr) return Outcome::failure(Errno::srch);
  const std::int32_t nice = std::clamp(op.nice, kNiceMin, kNiceMax);
  if (!may_nice(t, *who, nice, limits_of(process_of(*who)))) return Outcome::failure(Errno::acces);
  if (is_weaker(t, *who)) return Outcome::failure(Errno::perm);
  Attributes a = attributes_of(*who);
  a.nice = static_cast<std::int8_t>(nice);
  set_attributes(*who, a);
  touch(*who);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Getpriority& op) {
  const Task* const who = named(t, op.task);
  return who == nullptr ? Outcome::failure(Errno::srch) : Outcome::number(attributes_of(*who).nice);
}

Outcome Machine::perform(Task& t, const SchedSetscheduler& op) {
  if (op.task.n < 0) return Outcome::failure(Errno::inval);
  Task* const who = named(t, op.task);
  if (who == nullptr) return Outcome::failure(Errno::srch);
  if (op.policy == Policy::deadline) return Outcome::failure(Errno::inval);
  const std::int32_t least = is_real_time(op.policy) ? 1 : 0;
  const std::int32_t most = is_real_time(op.policy) ? kRealTimeMax : 0;
  if (op.priority < least || op.priority > most) return Outcome::failure(Errno::inval);
  const bool asks_first = profile_ == Profile::linux_4_12;
  if (!may_have_policy(t, *who, op, limits_of(process_of(*who)), asks_first) || is_weaker(t, *who))
    return Outcome::failure(Errno::perm);
  Attributes a = attributes_of(*who);
  a.policy = op.policy;
  a.rt_priority = static_cast<std::int8_t>(op.priority);
  a.reset_on_fork = op.flags.has(sched_flag::reset_on_fork);
  set_attributes(*who, a);
  touch(*who);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const SchedGetscheduler& op) {
  if (op.task.n < 0) return Outcome::failure(Errno::inval);
  const Task* const who = named(t, op.task);
  if (who == nullptr) return Outcome::failure(Errno::srch);
  const Attributes& a = attributes_of(*who);
  const auto bit = a.reset_on_fork ? static_cast<std::int64_t>(sched_flag::reset_on_fork.bits) : 0;
  return Outcome::number(bit + static_cast<std::int64_t>(a.policy));
}

Outcome Machine::perform(Task& t, const SchedSetattr& op) {
  if (op.task.n < 0) return Outcome::failure(Errno::inval);
  Task* const who = named(t, op.task);
  if (who == nullptr) return Outcome::failure(Errno::srch);
  Attributes a = attributes_of(*who);
  if (!ns_capable(t, kNobody) || a.processors != kProcessors) return Outcome::failure(Errno::perm);
  a.policy = Policy::deadline;
  a.rt_priority = 0;
  a.reset_on_fork = op.flags.has(sched_flag::reset_on_fork);
  set_attributes(*who, a);
  touch(*who);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const SchedSetaffinity& op) {
  Task* const who = named(t, op.task);
  if (who == nullptr) return Outcome::failure(Errno::srch);
  if (is_weaker(t, *who)) return Outcome::failure(Errno::perm);
  Attributes a = attributes_of(*who);
  a.processors = static_cast<std::uint8_t>(op.mask & kProcessors);
  if (a.policy == Policy::deadline && a.processors != kProcessors)
    return Outcome::failure(Errno::busy);
  if (a.processors == 0) return Outcome::failure(Errno::inval);
  set_attributes(*who, a);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const SchedGetaffinity& op) {
  const Task* const who = named(t, op.task);
  if (who == nullptr) return Outcome::failure(Errno::srch);
  return Outcome::number(attributes_of(*who).processors);
}

Outcome Machine::perform(Task& t, const Sigaltstack& op) {
  if (op.size != 0 && op.size < kSignalStackMin) return Outcome::failure(Errno::nomem);
  Attributes a = attributes_of(t);
  const std::int32_t before = std::exchange(a.signal_stack, op.size);
  set_attributes(t, a);
  return Outcome::number(before);
}

Outcome Machine::perform(Task& t, const Personality& op) {
  Attributes a = attributes_of(t);
  const bool before = a.no_randomize;
  a.no_randomize = op.persona.has(persona_flag::addr_no_randomize);
  set_attributes(t, a);
  const Persona old = before ? persona_flag::addr_no_randomize : Persona{};
  return Outcome::number(static_cast<std::int64_t>(old.bits));
}

/// The program of root's file has all capabilities where root is known, but for those that somebody
/// had not who is not alone with his directory: `stays`.
void Machine::attributes_after_exec(Task& t, bool stays) {
  Attributes a = attributes_of(t);
  const bool had_none = a.powerless;
  a.comm = Comm::puppet;
  a.signal_stack = 0;
  a.powerless = stays || !is_mapped(a.user_ns, User::root);
  a.capabilities = a.powerless ? 0 : kUsual.capabilities;
  if (had_none && is_mapped(a.user_ns, User::root)) a.no_randomize = false;  // even if it `stays`
  if (had_none && !a.powerless) t.pdeath_signal = 0;
  a.fixed = a.no_randomize;
  if (a.user != User::root) {  // its program has gained by it
    t.pdeath_signal = 0;
    LimitTable limits = limits_of(process_of(t));
    Limit& stack = limits[Resource::stack].soft;
    stack = std::min(stack, kSecureStack);
    if (profile_ == Profile::linux_6) set_limits(process_of(t), limits);
  }
  set_attributes(t, a);
}

/// Records count their users, and nobody has one in vain.
bool Machine::sound_attributes() const {
  std::vector<std::uint32_t> counted(attributes_.end());
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    const Ring<Threads>& threads = processes_[i].threads;
    for (Index n = threads.first; n != kNobody; n = threads.after(tasks_, n))
      if (tasks_[n].attributes != kNobody) ++counted[tasks_[n].attributes];
  }
  std::size_t used = 0;
  for (Index i = 1; i < counted.size(); ++i) {
    if (counted[i] == 0) continue;
    ++used;
    if (attributes_[i].users != counted[i] || attributes_[i].value == kUsual) return false;
  }
  return used == attributes_.taken() && attributes_.sound();
}

}  // namespace forkproof::impl
