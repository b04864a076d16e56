/// The model's frame: how an op is answered, who runs after it, and what can be seen.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

void Model::reset(const WorldSpec& spec) {
  world_.clear();
  world_.profile = spec.profile;
  world_.pid_max = spec.pid_max;
  next_.clear();

  const TaskId id = world_.tasks.make();
  const ProcessId pid = world_.processes.make();
  ++world_.made;
  Task& init = world_.tasks[id];
  init.tid = kInit;
  init.born = next_place();
  init.process = pid;
  init.exit_signal = sig::chld.n;
  init.space = world_.spaces.make();
  init.handlers = world_.handlers.make();
  init.files = world_.files.make();
  init.fs = world_.fs.make();
  world_.spaces[init.space].users = world_.handlers[init.handlers].users = 1;
  world_.files[init.files].users = world_.fs[init.fs].users = 1;
  Process& process = world_.processes[pid];
  process.leader = process.signal_target = id;
  process.threads = {id};
  process.session_leader = process.unkillable = true;
  process.process_place = next_place();
  world_.all_processes.put(process.process_place, pid);
  world_.numbers[kInit.n].task = id;
  world_.reaper = id;
  join_group(pid, kInit);
  join_session(pid, kInit);
  if (spec.kthreads) begin_kthreads();
}

namespace {

/// The system calls that a kernel thread answers: who it is, its end, and init's exec.
template <class O>
constexpr bool kthreads_may = in_kernel<O> || std::is_same_v<O, Exit> || std::is_same_v<O, Exec> ||
                              std::is_same_v<O, ExecFails> ||
                              std::is_same_v<O, Getpid> || std::is_same_v<O, Gettid> ||
                              std::is_same_v<O, Getppid> || std::is_same_v<O, Getpgid> ||
                              std::is_same_v<O, Getsid>;

}  // namespace

/// Does an op of a task, if it is one for such a task, and for such a world.
template <class O>
Model::Answer Model::act_if_may(TaskId me, const O& op) {
  if (in_kernel<O> && !world_.kthreads) return fails(Errno::nosys, "kthread.no-such-world"_rule);
  const bool in_kernel = world().tasks[me].in_kernel();
  if (by_kthread<O> && !in_kernel) return fails(Errno::nosys, "kthread.only-kthreads"_rule);
  if (!kthreads_may<O> && in_kernel) return fails(Errno::nosys, "kthread.no-system-calls"_rule);
  return act(me, op);
}

bool Model::can_run(TaskId id) const {
  const Task& t = world_.tasks[id];
  return !t.zombie && !t.stopped && !t.frozen && !t.trace.trapped &&
         t.call.kind == Call::Kind::none && !world_.over;
}

const Effects& Model::apply(Pid actor, const Op& op, Chooser& choose) {
  effects_.clear();
  fired_count_ = 0;
  crowded_ = false;
  return_rules_.clear();
  touched_.clear();
  choose_ = &choose;
  ++world_.step;
  outcome_rule_ = {};
  execing_ = TaskId::none();
  actor_ = is_by_world(op) ? TaskId::none() : world_.task_of(actor);

  std::visit(
      [&]<class O>(const O& o) {
        if constexpr (by_world<O>) {
          effects_.outcome = turn(o);
          settle();
        } else if (!actor_ || !can_run(actor_)) {
          const RuleId rule = world_.over ? "world.over"_rule : "call.not-run"_rule;
          effects_.outcome = answers(Outcome::of(Outcome::Kind::not_run), rule);
        } else {
          if (world_.kthreads) take_processor(actor_);
          answer_actor(act_if_may(actor_, o));
          actor_ = TaskId::none();  // those who run now find it off its processor
          settle();
        }
      },
      op);
  forget_user_namespaces();
  std::erase_if(touched_, [&](TaskId id) { return !world_.tasks.has(id); });
  return effects_;
}

/// The outcome of the op, once the actor has dealt with the signals that it brought upon itself.
void Model::answer_actor(const Answer& answer) {
  if (answer && answer->kind == Outcome::Kind::nothing) return;  // it is gone
  if (answer && !world().tasks[actor_].attention) {
    effects_.outcome = *answer;
    return;
  }
  Task& me = world_.tasks[actor_];
  if (answer) me.call = {.kind = Call::Kind::held, .result = *answer};
  if (!me.attention) {
    effects_.outcome = asleep(me);
    return;
  }

  acting_ = true, answered_ = false, death_ = {};
  run_ahead(actor_);
  acting_ = false;
  if (answered_) return;
  if (!actor_ || world_.tasks[actor_].exiting())
    effects_.outcome = answers(Outcome::death(death_), "call.own-signals-first"_rule);
  else if (me.call.kind == Call::Kind::exec)
    effects_.outcome = asleep(me);
  else if (me.call.kind == Call::Kind::vfork)  // made again, once the signals were dealt with
    effects_.outcome = asleep(me);
  else
    effects_.outcome = answers(Outcome::of(Outcome::Kind::blocks), "stop.answer-kept"_rule);
}

/// What a call that sleeps answers: a vfork says whom it made.
Outcome Model::asleep(const Task& t) {
  Outcome outcome = Outcome::of(Outcome::Kind::blocks);
  if (t.call.kind == Call::Kind::vfork) outcome.who = TaskRef::number(t.call.child_number);
  return outcome;
}

void Model::settle() {
  while (!next_.empty()) {
    const TaskId id = next_.front();
    next_.pop_front();
    if (!world_.tasks.has(id)) continue;
    world_.tasks[id].queued = false;
    run(id);
  }
}

/// Who runs ahead of its turn is no longer among those that have been woken.
void Model::run_ahead(TaskId id) {
  if (std::exchange(world_.tasks[id].queued, false)) std::erase(next_, id);
  run(id);
}

void Model::wake(TaskId id) {
  Task& t = world_.tasks[id];
  if (t.zombie || t.queued) return;
  t.queued = true;
  next_.push_back(id);
  crowded_ |= next_.size() > 1;
}

/// Lets a woken task do what it has to do: take its result, deal with its signals, go on.
void Model::run(TaskId id) {
  Task& t = world_.tasks[id];
  if (t.zombie || ((t.stopped || t.trace.trapped) && !is_doomed(id))) return;
  if (t.zaps()) {
    if (go_on_zapping(id)) finish_exit(id);
    return;
  }
  if (t.call.kind == Call::Kind::wait && !t.call.interrupted) {
    cover("wait.look-before-signal"_rule);
    if (const Answer found = look(id, t.call.query))
      t.call = {.kind = Call::Kind::held, .result = *found};
  }
  if (is_polling(id)) {
    cover("poll.looks-again"_rule);
    if (const std::int64_t events = poll_now(id, std::get<Poll>(t.call.again).fd); events != 0)
      t.call = {.kind = Call::Kind::held, .result = Outcome::number(events)};
  }
  if (t.call.kind == Call::Kind::vfork && !t.call.child) {
    cover("vfork.returns-number"_rule);
    t.call = {.kind = Call::Kind::held, .result = Outcome::task(t.call.child_number)};
  }
  if (t.call.kind == Call::Kind::exec && !is_doomed(id) && is_left_alone(id)) go_on_execing(id);
  if (t.call.kind == Call::Kind::park || t.call.kind == Call::Kind::stop) return;
  if (t.sleeps_deeply() && !is_doomed(id)) return;

  if (std::exchange(t.resumed, false)) t.attention = true;
  const bool signalled = t.attention;
  if (deal_with_signals(id)) go_on(id, signalled);
}

/// What becomes of the call of a task that is about to return to its program. `signalled` says that
/// it dealt with signals.
void Model::go_on(TaskId id, bool signalled) {
  Task& t = world_.tasks[id];
  using enum Call::Handled;
  const Call::Handled handled = std::exchange(t.call.handled, nothing);
  switch (t.call.kind) {
    case Call::Kind::none:
    case Call::Kind::vfork:
    case Call::Kind::reap:
    case Call::Kind::outlive:
    case Call::Kind::ask:
    case Call::Kind::park:
    case Call::Kind::stop:
    case Call::Kind::unwoken:
    case Call::Kind::sched:
    case Call::Kind::parked:
    case Call::Kind::serve:
    case Call::Kind::unborn:
    case Call::Kind::lost:
    case Call::Kind::exec:
      return;
    case Call::Kind::held:
      return finish(id, t.call.result);
    case Call::Kind::pause:
      if (handled != nothing) return finish(id, fails(Errno::intr, "signal.pause-eintr"_rule));
      return cover("signal.pause-goes-on"_rule);
    case Call::Kind::poll:
      if (!signalled) return;
      if (handled != nothing) return finish(id, fails(Errno::intr, "poll.interrupted"_rule));
      cover("poll.goes-on"_rule);
      return make_again(id);
    case Call::Kind::wait:
      if (!signalled) return;  // woken for nothing: it sleeps on
      if (handled == interrupts) return finish(id, fails(Errno::intr, "wait.interrupted"_rule));
      cover(handled == restarts ? "wait.restarted"_rule : "wait.goes-on"_rule);
      return make_again(id);
    case Call::Kind::restart:
      return make_again(id);
  }
}

/// The call of `id` is made anew, from its arguments on.
void Model::make_again(TaskId id) {
  const Op again = std::exchange(world_.tasks[id].call, {}).again;
  const RuleId rule = outcome_rule_;
  const Answer answer = std::visit(
      [&]<class O>(const O& o) -> Answer {
        if constexpr (by_world<O>)
          return std::nullopt;
        else
          return act(id, o);
      },
      again);
  if (!acting_) outcome_rule_ = rule;
  if (answer) finish(id, *answer);
}

/// The call of `id` returns to its program with `outcome`.
void Model::finish(TaskId id, Outcome outcome) {
  world_.tasks[id].call = {};
  touch(id);
  if ((acting_ && id == actor_) || id == execing_) {
    effects_.outcome = outcome;
    answered_ = true;
  } else {
    effects_.returned.push_back({world_.tasks[id].tid, outcome});
    return_rules_.push_back(fired().empty() ? RuleId{} : fired().back());
  }
}

void Model::make_room_to_cover() { fired_.resize(2 * fired_.size()); }

Outcome Model::answers(Outcome outcome, RuleId rule) {
  cover(rule);
  outcome_rule_ = rule;
  return outcome;
}

Outcome Model::fails(Errno error, RuleId rule) { return answers(Outcome::failure(error), rule); }

void Model::touch(TaskId id, bool memory) {
  Task& t = world_.tasks[id];
  if (t.touched != world_.step) {
    t.touched = world_.step;
    effects_.touched.push_back({t.tid, memory});
    touched_.push_back(id);
  } else if (memory) {
    std::ranges::find(effects_.touched, t.tid, &Touched::task)->memory = true;
  }
}

void Model::touch(const Process& process) {
  for (const TaskId id : process.threads) touch(id);
}

// --- what can be seen --------------------------------------------------------------------------

/// 4.12 has no letters for what is parked, which it says sleeps, and what is idle; and nobody has
/// one for what is new.
State Model::state_of(const Task& t) const {
  switch (depth_of(t)) {
    case Depth::awake:
      return State::running;
    case Depth::interruptible:
      return State::sleeping;
    case Depth::uninterruptible:
    case Depth::killable:
      return State::disk_sleep;
    case Depth::idle:
      return linux_6() ? State::idle : State::disk_sleep;
    case Depth::parked:
      return linux_6() ? State::parked : State::sleeping;
    case Depth::stopped:
      return State::stopped;
    case Depth::traced:
      return State::traced;
    case Depth::beyond:
      break;
  }
  return t.zombie ? State::zombie : State::running;
}

TaskView Model::view(Pid number) const {
  const TaskId id = world_.task_of(number);
  if (!id) return {};
  const Task& t = world_.tasks[id];
  const Process& p = world_.process_of(t);
  const bool process_dead = world_.tasks[p.leader].zombie && p.threads.size() == 1;

  TaskView v;
  v.state = state_of(t);
  v.pid = t.tid;
  v.tgid = world_.tasks[p.leader].tid;
  if (t.parent) v.ppid = world_.leader_of(world_.tasks[t.parent]).tid;
  v.pgid = p.pgid;
  v.sid = p.sid;
  v.nspid = world_.seen_in(p.ns, t.tid).n;
  v.level = world_.level_of(p.ns);
  v.exit_signal = t.exit_signal;
  v.flags = t.flags;
  v.threads = static_cast<std::int32_t>(p.threads.size());
  v.blocked = t.blocked;
  if (!process_dead) v.shared_pending = p.shared_pending;
  if (t.zombie) {
    v.exit_code = p.group_exit      ? p.group_exit_code
                  : p.stop_complete ? p.stop_signal.n
                                    : t.exit_code;
  } else {
    v.pending = t.pending;
    v.ignored = world_.handlers[t.handlers].ignored;
    v.caught = world_.handlers[t.handlers].caught;
  }
  v.comm = t.attributes.comm;
  v.randomized = !t.in_kernel() && !t.attributes.fixed ? 1 : 0;
  v.nice = t.attributes.nice;
  v.policy = t.attributes.policy;
  v.rt_priority = t.attributes.rt_priority;
  v.user = t.attributes.user;
  v.capabilities = t.attributes.capabilities;
  if (t.trace.by) v.tracer = world_.tasks[t.trace.by].tid;
  return v;
}

void Model::tasks(std::vector<Pid>& out) const {
  out.clear();
  world_.tasks.for_each([&](TaskId, const Task& t) { out.push_back(t.tid); });
  std::ranges::sort(out);
}

}  // namespace forkproof::spec
