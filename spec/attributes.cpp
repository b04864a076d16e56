/// What threads are called, how they are scheduled, and the stacks that their handlers run on.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

namespace fl = clone_flag;

/// The task that a call means by a number; 0 is the caller.
TaskId Model::named(TaskRef task, TaskId caller) const {
  return task.n == 0 ? caller : find_for(caller, task.pid());
}

Model::Answer Model::act(TaskId me, const PrctlName& op) {
  Comm& comm = world_.tasks[me].attributes.comm;
  comm = op.comm;
  if (comm == Comm::too_long) {
    cover("comm.cut"_rule);
    comm = Comm::just_fits;
  }
  touch(me);
  return answers(Outcome::success(), "comm.set"_rule);
}

Model::Answer Model::act(TaskId me, const Setpriority& op) {
  const TaskId who = named(op.task, me);
  if (!who) return fails(Errno::srch, "nice.set-unknown"_rule);
  if (op.nice < kNiceMin || op.nice > kNiceMax) cover("nice.clamp"_rule);
  const std::int32_t nice = std::clamp(op.nice, kNiceMin, kNiceMax);
  if (const Answer refused = refuses_nice(me, world().tasks[who], nice)) return refused;

  world_.tasks[who].attributes.nice = nice;
  touch(who);
  return answers(Outcome::success(), "nice.set"_rule);
}

Model::Answer Model::act(TaskId me, const Getpriority& op) {
  const TaskId who = named(op.task, me);
  if (!who) return fails(Errno::srch, "nice.get-unknown"_rule);

  return answers(Outcome::number(world().tasks[who].attributes.nice), "nice.get"_rule);
}

Model::Answer Model::act(TaskId me, const SchedSetscheduler& op) {
  const TaskId who = named(op.task, me);
  const bool good = is_real_time(op.policy) ? op.priority >= 1 && op.priority <= kRealTimeMax
                                            : op.priority == 0;
  if (op.task.n < 0) return fails(Errno::inval, "sched.set-negative"_rule);
  if (!who) return fails(Errno::srch, "sched.set-unknown"_rule);
  if (!good) return fails(Errno::inval, "sched.priority"_rule);
  if (op.policy == Policy::deadline) return fails(Errno::inval, "sched.deadline-not-so"_rule);
  if (const Answer refused = refuses_policy(me, world().tasks[who], op)) return refused;

  Attributes& a = world_.tasks[who].attributes;
  a.policy = op.policy;
  a.rt_priority = op.priority;
  a.reset_on_fork = op.flags.has(sched_flag::reset_on_fork);
  touch(who);
  return answers(Outcome::success(), "sched.set"_rule);
}

Model::Answer Model::act(TaskId me, const SchedGetscheduler& op) {
  const TaskId who = named(op.task, me);
  if (op.task.n < 0) return fails(Errno::inval, "sched.get-negative"_rule);
  if (!who) return fails(Errno::srch, "sched.get-unknown"_rule);

  const Attributes& a = world().tasks[who].attributes;
  const std::uint64_t reset = a.reset_on_fork ? sched_flag::reset_on_fork.bits : 0;
  const auto policy = static_cast<std::int64_t>(reset | static_cast<std::uint64_t>(a.policy));
  return answers(Outcome::number(policy), "sched.get"_rule);
}

Model::Answer Model::act(TaskId me, const SchedSetattr& op) {
  const TaskId who = named(op.task, me);
  if (op.task.n < 0) return fails(Errno::inval, "sched.set-negative"_rule);
  if (!who) return fails(Errno::srch, "sched.set-unknown"_rule);
  if (!capable(me)) return fails(Errno::perm, "sched.set-below"_rule);
  if (world().tasks[who].attributes.processors != kProcessors)
    return fails(Errno::perm, "sched.deadline-everywhere"_rule);

  Attributes& a = world_.tasks[who].attributes;
  a.policy = Policy::deadline;
  a.rt_priority = 0;
  a.reset_on_fork = op.flags.has(sched_flag::reset_on_fork);
  touch(who);
  return answers(Outcome::success(), "sched.deadline"_rule);
}

Model::Answer Model::act(TaskId me, const SchedSetaffinity& op) {
  const TaskId who = named(op.task, me);
  const std::int32_t processors = op.mask & kProcessors;
  if (!who) return fails(Errno::srch, "affinity.set-unknown"_rule);
  if (const Answer refused = refuses_stronger(me, world().tasks[who])) return refused;
  if (world().tasks[who].attributes.policy == Policy::deadline && processors != kProcessors)
    return fails(Errno::busy, "affinity.deadline"_rule);
  if (processors == 0) return fails(Errno::inval, "affinity.none"_rule);

  world_.tasks[who].attributes.processors = processors;
  return answers(Outcome::success(), "affinity.set"_rule);
}

Model::Answer Model::act(TaskId me, const SchedGetaffinity& op) {
  const TaskId who = named(op.task, me);
  if (!who) return fails(Errno::srch, "affinity.get-unknown"_rule);

  return answers(Outcome::number(world().tasks[who].attributes.processors), "affinity.get"_rule);
}

Model::Answer Model::act(TaskId me, const Sigaltstack& op) {
  if (op.size != 0 && op.size < kSignalStackMin) return fails(Errno::nomem, "altstack.small"_rule);

  std::int32_t& size = world_.tasks[me].attributes.signal_stack;
  const std::int32_t before = std::exchange(size, op.size);
  return answers(Outcome::number(before), "altstack.set"_rule);
}

Model::Answer Model::act(TaskId me, const Personality& op) {
  bool& no_randomize = world_.tasks[me].attributes.no_randomize;
  const bool before = std::exchange(no_randomize, op.persona.has(persona_flag::addr_no_randomize));
  const Persona old = before ? persona_flag::addr_no_randomize : Persona{};
  return answers(Outcome::number(static_cast<std::int64_t>(old.bits)), "personality.set"_rule);
}

/// What a new task has of its maker's, and what begins anew.
void Model::inherit_attributes(Task& child, const Task& me, CloneFlags flags) {
  Attributes& a = child.attributes = me.attributes;
  if (a == Attributes{}) return;
  cover(flags.has(fl::thread) ? "comm.thread"_rule : "comm.fork"_rule);
  cover("nice.inherited"_rule);
  if (a.user != User::root) cover("user.inherited"_rule);
  if (a.user_ns) cover("userns.inherited"_rule);
  if (a.powerless) cover("capability.powerless-inherited"_rule);
  if (a.capabilities != capability::all) cover("capability.inherited"_rule);
  if (a.policy != Policy::other) cover("sched.inherited"_rule);
  if (a.processors != kProcessors) cover("affinity.inherited"_rule);
  if (a.no_randomize) cover("personality.inherited"_rule);
  if (a.fixed) cover("randomize.inherited"_rule);
  if (a.reset_on_fork) reset_scheduling(a);
  if (a.signal_stack == 0) return;
  if (flags.has(fl::vm) && !flags.has(fl::vfork)) {
    a.signal_stack = 0;
    cover("altstack.vm"_rule);
  } else {
    cover("altstack.fork"_rule);
  }
}

void Model::reset_scheduling(Attributes& a) {
  if (is_real_time(a.policy) || a.policy == Policy::deadline) {
    a.policy = Policy::other;
    a.rt_priority = 0;
    a.nice = 0;
    cover("sched.reset-policy"_rule);
  } else {
    a.nice = std::max(a.nice, 0);
    cover("sched.reset-nice"_rule);
  }
  a.reset_on_fork = false;
  cover("sched.reset-once"_rule);
}

void Model::attributes_after_exec(Task& me) {
  Attributes& a = me.attributes;
  if (a == Attributes{}) return;
  cover("comm.exec"_rule);
  if (a.nice != 0) cover("nice.exec-kept"_rule);
  if (a.policy != Policy::other) cover("sched.exec-kept"_rule);
  if (a.signal_stack != 0) cover("altstack.exec"_rule);
  a.comm = Comm::puppet;
  a.signal_stack = 0;
}

/// The layout of a new program's memory, and whether the kernel says that it is at random.
void Model::choose_layout(Task& me, bool gained) {
  Attributes& a = me.attributes;
  if (a.no_randomize) cover(gained ? "personality.gained"_rule : "personality.exec-kept"_rule);
  if (gained) a.no_randomize = false;
  if (a.fixed != a.no_randomize) cover("randomize.exec"_rule);
  a.fixed = a.no_randomize;
}

}  // namespace forkproof::spec
