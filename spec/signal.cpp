/// Signals: who gets one, what happens when it is sent, what happens when it is delivered.
#include "spec/model.hpp"

#include <algorithm>
#include <array>

namespace forkproof::spec {

namespace {

/// The pid argument of the call that a target stands for.
std::int32_t raw_pid(const Target& t) {
  switch (t.kind) {
    case Target::Kind::all:
      return -1;
    case Target::Kind::own_group:
      return 0;
    case Target::Kind::task:
      return t.who.n;
    case Target::Kind::group:
      return static_cast<std::int32_t>(-static_cast<std::uint32_t>(t.who.n));
  }
  return 0;
}

}  // namespace

// --- the calls -----------------------------------------------------------------------------------

Model::Answer Model::act(TaskId id, const Kill& op) {
  const std::int32_t pid = raw_pid(op.target);
  const ProcessId mine = world_.tasks[id].process;

  if (pid > 0) {
    const TaskId to = find_for(id, {pid});
    if (!to) return fails(Errno::srch, "signal.kill-no-process"_rule);
    if (op.signal.n < 0 || op.signal.n > kSignalMax)
      return fails(Errno::inval, "signal.bad-signal"_rule);
    if (!world_.is_leader(to)) cover("signal.kill-thread-number"_rule);
    if (world_.tasks[to].zombie) cover("signal.zombie"_rule);
    if (op.signal != sig::none) send(op.signal, to, Scope::process, is_from_above(id, to));
    return answers(Outcome::success(),
                   op.signal == sig::none ? "signal.zero"_rule : "signal.kill-process"_rule);
  }
  if (pid == INT32_MIN) return fails(Errno::srch, "signal.kill-least-number"_rule);
  std::vector<ProcessId> members;
  if (pid == -1) {
    for (const auto& [place, p] : world_.all_processes)
      if (p != mine && seen_by(id, world_.tasks[world_.processes[p].leader].tid) > kInit)
        members.push_back(p);
  } else {
    const Number* const number =
        world_.numbers.find(pid == 0 ? world_.processes[mine].pgid.n : meant_by(id, {-pid}).n);
    if (number != nullptr) members = newest_first(number->group);
  }
  if (members.empty())
    return fails(Errno::srch,
                 pid == -1 ? "signal.kill-all-nobody"_rule : "signal.kill-no-group"_rule);
  if (op.signal.n < 0 || op.signal.n > kSignalMax)
    return fails(Errno::inval, "signal.bad-signal"_rule);
  cover(pid == -1 ? "signal.kill-all"_rule : "signal.kill-group"_rule);
  return send_to_each(id, members, op.signal);
}

Outcome Model::send_to_each(TaskId from, std::span<const ProcessId> processes, Signal signal) {
  for (const ProcessId p : processes) {
    const TaskId to = world_.processes[p].leader;
    if (signal != sig::none) send(signal, to, Scope::process, is_from_above(from, to));
  }
  return answers(Outcome::success(), "signal.kill-sends-first"_rule);
}

Model::Answer Model::act(TaskId id, const Tgkill& op) {
  if (op.process.n <= 0 || op.thread.n <= 0) return fails(Errno::inval, "signal.tgkill-range"_rule);
  const TaskId to = find_for(id, op.thread.pid());
  if (!to || seen_by(id, world_.leader_of(world_.tasks[to]).tid) != op.process.pid())
    return fails(Errno::srch, "signal.tgkill-no-thread"_rule);
  if (op.signal.n < 0 || op.signal.n > kSignalMax)
    return fails(Errno::inval, "signal.bad-signal"_rule);
  if (op.signal != sig::none &&
      !send(op.signal, to, Scope::thread, is_from_above(id, to), Sender::thread))
    return fails(Errno::again, "limit.sigpending"_rule);
  return answers(Outcome::success(), "signal.tgkill"_rule);
}

Model::Answer Model::act(TaskId id, const Sigaction& op) {
  if (!valid(op.signal)) return fails(Errno::inval, "signal.sigaction-range"_rule);
  if (kUnblockable.has(op.signal)) return fails(Errno::inval, "signal.sigaction-range"_rule);

  const Task& me = world().tasks[id];
  Handlers& h = world_.handlers[me.handlers];
  const SigSet one = SigSet::of(op.signal);
  h.ignored = op.disposition == Disposition::ignore ? h.ignored | one : h.ignored - one;
  h.caught = op.disposition == Disposition::catch_ ? h.caught | one : h.caught - one;
  h.restart = op.flags.has(sa_flag::restart) ? h.restart | one : h.restart - one;
  if (op.signal == sig::chld) h.nocldwait = op.flags.has(sa_flag::nocldwait);
  if (op.signal == sig::chld) h.nocldstop = op.flags.has(sa_flag::nocldstop);
  Process& p = world_.process_of(me);
  const bool now_ignored =
      op.disposition == Disposition::ignore ||
      (op.disposition == Disposition::default_ && kDefaultIgnored.has(op.signal));
  if (now_ignored) {
    cover("signal.ignoring-flushes"_rule);
    flush(p.shared_pending, one);
    for (const TaskId t : p.threads) flush(world_.tasks[t].pending, one);
  }
  touch(p);
  return answers(Outcome::success(), "signal.sigaction"_rule);
}

Model::Answer Model::act(TaskId id, const Sigprocmask& op) {
  Task& me = world_.tasks[id];
  const SigSet before = me.blocked;
  if (!(op.set & kUnblockable).empty()) cover("signal.mask-not-kill"_rule);
  RuleId rule = "signal.mask-set"_rule;
  switch (op.how) {
    case MaskHow::block:
      rule = "signal.mask-block"_rule;
      me.blocked = me.blocked | op.set;
      break;
    case MaskHow::unblock:
      rule = "signal.mask-unblock"_rule;
      me.blocked = me.blocked - op.set;
      break;
    case MaskHow::set:
      me.blocked = op.set;
      break;
  }
  me.blocked = me.blocked - kUnblockable;
  if (me.blocked != before && !world().deliverable(me).empty()) {
    cover("signal.unblocked-taken"_rule);
    me.attention = true;
  }
  touch(id);
  return answers(Outcome::success(), rule);
}

Model::Answer Model::act(TaskId id, const Pause&) {
  world_.tasks[id].call = {.kind = Call::Kind::pause};
  touch(id);
  answers({}, "signal.pause"_rule);
  return std::nullopt;
}

// --- sending -------------------------------------------------------------------------------------

/// Sends a signal to the process of `to`, or to that thread alone. False: it is lost, as there is
/// no room for it.
bool Model::send(Signal s, TaskId to, Scope scope, bool from_above, Sender sender) {
  Task& t = world_.tasks[to];
  Process& p = world_.process_of(t);
  if (p.group_exit) {
    cover("signal.dropped-when-ending"_rule);
    return true;
  }
  if (scope == Scope::thread && t.exiting() && is_lost_on_the_dead(s)) return true;
  touch(p);
  if (kStopSignals.has(s) && p.stop_complete) cover("stop.already"_rule);
  forget_stops_or_continues(p, s);
  if (is_dropped(s, t, from_above)) return true;
  Pending& pending = scope == Scope::thread ? t.pending : p.shared_pending;
  if (s.n < kFirstRealTimeSignal && pending.has(s)) {
    cover("signal.merged"_rule);
    return true;
  }
  if (scope == Scope::thread && t.exiting() && linux_6() &&
      !does_as_most("limit.sigpending-dead"_rule))
    return true;
  if (!enter_queue(pending, s, t, sender)) return false;
  cover(scope == Scope::thread ? "signal.tgkill"_rule : "signal.process-pending"_rule);
  choose_taker(s, to, scope);
  return true;
}

/// Tells somebody of a signal that has become pending. If it is fatal the process ends.
void Model::choose_taker(Signal s, TaskId to, Scope scope) {
  const Task& t = world().tasks[to];
  Process& p = world_.process_of(t);
  const TaskId taker_id = taker(s, to, scope);
  if (!taker_id) return cover(t.stopped ? "stop.others-wait"_rule : "signal.target-nobody"_rule);
  const Handlers& h = world().handlers[t.handlers];
  const bool fatal =
      h.of(s) == Disposition::default_ && !kDefaultIgnored.has(s) && !kStopSignals.has(s);
  const bool falls = !p.unkillable || s == sig::kill;  // SIGKILL comes so far from above only
  const bool traced = static_cast<bool>(linux_6() ? t.trace.by : world().tasks[taker_id].trace.by);
  const bool at_once = !kCoreSignals.has(s) && (s == sig::kill || !traced);
  if (fatal && traced) cover("ptrace.fatal-at-delivery"_rule);
  if (fatal && at_once && s != sig::kill && world().tasks[taker_id].trace.by)
    cover("ptrace.fatal-by-addressee"_rule);
  if (fatal && at_once && (falls || init_falls())) return kill_process(p, s);
  if (fatal && kCoreSignals.has(s)) cover("signal.core-at-delivery"_rule);
  draw_attention(taker_id, s == sig::kill);
}

/// Whether a signal for a thread alone that has ended does nothing at all, where that can be seen.
bool Model::is_lost_on_the_dead(Signal s) {
  if (!linux_6() || (s != sig::cont && !kStopSignals.has(s))) return false;
  return !does_as_most("signal.dead-thread"_rule);
}

/// Whether a fatal signal that a thread of init takes for its leader ends init.
bool Model::init_falls() { return does_as_most("signal.init-falls"_rule); }

/// Whether the kernel does what a rule says first, as most builds do, and not what some do.
bool Model::does_as_most(RuleId rule) {
  cover(rule);
  constexpr std::array<Pid, 2> most{kInit, Pid{0}};  // or some
  return choose_->pick(rule, most) == 0;
}

/// Whether a signal is dropped when it is sent: ignored ones are, unless the addressee blocks them.
bool Model::is_dropped(Signal s, const Task& t, bool from_above) {
  if (t.blocked.has(s)) {
    cover("signal.blocked-pending"_rule);
    return false;
  }
  if (t.trace.by && (s != sig::kill || !linux_6())) {
    cover("ptrace.nothing-dropped"_rule);
    return false;
  }
  const Disposition d = world_.handlers[t.handlers].of(s);
  const bool unkillable = world_.process_of(t).unkillable;
  if (unkillable && from_above)
    cover(kUnblockable.has(s) ? "pidns.init-from-above"_rule : "pidns.init-protected-above"_rule);
  if (unkillable && d == Disposition::default_ && !(from_above && kUnblockable.has(s))) {
    cover("signal.init-protected"_rule);
    return true;
  }
  const bool ignored =
      d == Disposition::ignore || (d == Disposition::default_ && kDefaultIgnored.has(s));
  if (ignored)
    cover(d == Disposition::ignore ? "signal.ignored-dropped"_rule : "signal.default-ignored"_rule);
  if (!ignored && unkillable && d == Disposition::catch_) cover("signal.init-handles"_rule);
  return ignored;
}

bool Model::can_take(Signal s, TaskId id) const {
  const Task& t = world_.tasks[id];
  if (t.blocked.has(s) || t.exiting()) return false;
  if (s == sig::kill) return true;
  const bool on_processor = id == actor_ && world().process_of(t).execing != id;  // else it waits
  return !t.stopped && !t.trace.trapped && (!t.attention || on_processor);
}

/// Which thread is told of a signal: the addressee if it can take it; for a process, else another.
TaskId Model::taker(Signal s, TaskId to, Scope scope) {
  if (can_take(s, to)) {
    cover("signal.target-first"_rule);
    return to;
  }
  Process& p = world_.process_of(world_.tasks[to]);
  if (scope == Scope::thread || p.threads.size() == 1) return TaskId::none();
  const auto at = std::ranges::find(p.threads, p.signal_target);
  std::vector<TaskId> round(at, p.threads.end());
  round.insert(round.end(), p.threads.begin(), at);
  std::erase_if(round, [&](TaskId id) { return !can_take(s, id); });
  if (round.empty()) return TaskId::none();
  cover("signal.target-other"_rule);
  std::size_t chosen = 0;
  if (round.size() > 1) {
    std::vector<Pid> numbers;
    for (const TaskId id : round) numbers.push_back(world_.tasks[id].tid);
    chosen = choose_->pick("signal.target-other"_rule, numbers);
  }
  p.signal_target = round[chosen];
  return round[chosen];
}

/// Whether the task has to end: its process does, or another thread of it execs.
bool Model::is_doomed(TaskId id) const {
  const Process& p = world_.process_of(world_.tasks[id]);
  return p.group_exit || (p.execing && p.execing != id);
}

/// A fatal signal has found a taker: the whole process dies of it, at once.
void Model::kill_process(Process& p, Signal s) {
  cover(s == sig::kill ? "signal.kill-at-once"_rule : "signal.fatal-at-send"_rule);
  if (p.threads.size() > 1) cover("signal.fatal-whole-process"_rule);
  for (const TaskId id : p.threads)
    if (world_.tasks[id].call.kind == Call::Kind::vfork) cover("vfork.fatal-kills"_rule);
  begin_group_exit(p, s.n);
  for (const TaskId id : p.threads) draw_attention(id, true);
}

void Model::begin_group_exit(Process& p, std::int32_t code) {
  p.group_exit = true;
  p.group_exit_code = code;
  p.stop_complete = p.continued = false;
  p.notice = Process::Notice::none;
  p.stopping_threads = 0;
  for (const TaskId id : p.threads)
    world_.tasks[id].stop_pending = world_.tasks[id].stop_counted = false;
  update_news(p.leader);  // stops and continues are told no more, however late it ends
}

/// Tells a task to look at its signals. A vfork parent, who waits for a kernel thread, and a
/// stopped task look later, unless it is fatal.
void Model::draw_attention(TaskId id, bool fatal) {
  Task& t = world_.tasks[id];
  t.attention = true;
  if (fatal || (!t.stopped && !t.trace.trapped && !t.sleeps_deeply()))
    wake(id);
  else if (t.call.kind == Call::Kind::vfork)
    cover("vfork.signals-wait"_rule);
  else if (t.call.kind == Call::Kind::exec)
    cover("ptrace.exec-signals-wait"_rule);
  else if (t.sleeps_deeply())
    cover("kthread.signals-wait"_rule);
}

/// A thread that leaves hands the signals it was told of to the others.
void Model::retarget(TaskId leaving) {
  const Task& me = world().tasks[leaving];
  const Process& p = world().process_of(me);
  SigSet left = p.shared_pending - me.blocked;
  for (const TaskId id : others_round(leaving)) {
    const Task& t = world().tasks[id];
    if (t.exiting() || (left - t.blocked).empty()) continue;
    left = left & t.blocked;
    cover("exit.retargets-signals"_rule);
    if (!t.attention) draw_attention(id, false);
  }
}

// --- delivery ------------------------------------------------------------------------------------

/// Takes the next signal: the thread's own before the process's; in each, synchronous ones first,
/// then the lowest.
std::optional<Signal> Model::take_next_signal(Task& t) {
  Process& p = world_.process_of(t);
  for (Pending* const pending : {&t.pending, &p.shared_pending}) {
    const SigSet ready = *pending - t.blocked;
    if (ready.empty()) continue;
    const SigSet synchronous = ready & kSynchronous;
    if (!synchronous.empty()) cover("signal.synchronous-first"_rule);
    const Signal s = synchronous.empty() ? ready.lowest() : synchronous.lowest();
    leave_queue(*pending, s);
    t.trace.of_process = pending == &p.shared_pending;
    t.trace.may_stop = true;
    cover(pending == &t.pending ? "signal.private-first"_rule : "signal.lowest-first"_rule);
    return s;
  }
  return std::nullopt;
}

/// Everything that a task does about signals on its way back to its program. Answers whether it
/// gets there: it may stop or die. Its call remembers the first signal whose handler ran.
bool Model::deal_with_signals(TaskId id) {
  const auto trap = std::exchange(world_.tasks[id].trace.trap, Tracing::Trap::none);
  const bool looks = world().tasks[id].attention;  // else it has only been woken for its call
  if (looks && trap != Tracing::Trap::signal) tell_of_notice(id);
  const bool had_signal = trap == Tracing::Trap::signal;
  if (had_signal && is_doomed(id)) {
    put_back(id);
  } else if (had_signal) {
    if (const auto s = signal_after_trap(id); s && !takes(id, *s, From::tracer)) return false;
    if (Task& t = world_.tasks[id]; !t.trace.by) t.attention = true;  // until it finds none
  }
  for (;;) {
    Task& t = world_.tasks[id];
    if (is_doomed(id)) return takes(id, sig::kill, From::queue);
    if (t.trace.by && joins_stop(id)) return false;
    if (t.stop_pending || world_.freezes(t)) {
      t.stop_pending ? take_part_in_stop(id) : freeze(id);
      return false;
    }
    const bool lost = t.call.kind == Call::Kind::lost;
    if (lost && !t.attention) {  // it is where its program would go on
      cover("exec.faults-again"_rule);
      force_segv(id);
    }
    if (!t.attention) return true;
    const std::optional<Signal> s = take_next_signal(t);
    if (!s) {
      t.attention = false;
      if (lost) continue;
      return true;
    }
    touch(world().process_of(t));
    if (t.trace.by && *s != sig::kill) {
      cover("ptrace.signal-stop"_rule);
      this->trap(id, Tracing::Trap::signal, *s);
      return false;
    }
    if (!takes(id, *s, From::queue)) return false;
  }
}

/// The task takes a signal, or, doomed, its end. Answers whether it goes on.
bool Model::takes(TaskId id, Signal s, From from) {
  Task& t = world_.tasks[id];
  Process& p = world_.process_of(t);
  if (is_doomed(id)) {
    flush(t.pending, SigSet::of(sig::kill));
    t.flags = t.flags | task_flag::signaled;
    cover("exit.signaled-flag"_rule);
    if (p.group_exit_code < 0x80) cover("exit.status-signal"_rule);
    exit_thread(id, p.group_exit ? p.group_exit_code : 0);
    return false;
  }
  switch (world_.handlers[t.handlers].of(s)) {
    case Disposition::ignore:
      cover("signal.ignore-later"_rule);
      return true;
    case Disposition::catch_:
      cover("signal.handler-runs"_rule);
      ++t.caught;
      if (t.call.handled == Call::Handled::nothing)
        t.call.handled = world_.handlers[t.handlers].restart.has(s) ? Call::Handled::restarts
                                                                    : Call::Handled::interrupts;
      if (!world().deliverable(t).empty() || t.stop_pending || t.trace.interrupted ||
          t.trace.told_to_look)
        tell_of_notice(id);
      return true;
    case Disposition::default_:
      return default_action(id, s, from);
  }
  return true;
}

/// A SIGSEGV that nothing keeps off: it is not blocked, and its disposition is the default, for all
/// who share the table of them.
void Model::force_segv(TaskId id) {
  Task& me = world_.tasks[id];
  Handlers& h = world_.handlers[me.handlers];
  const SigSet one = SigSet::of(sig::segv);
  if (me.blocked.has(sig::segv)) cover("signal.forced-unblocks"_rule);
  if (h.of(sig::segv) != Disposition::default_)
    cover(h.users > 1 ? "signal.forced-for-sharers"_rule : "signal.forced-default"_rule);
  me.blocked = me.blocked - one;
  h.ignored = h.ignored - one;
  h.caught = h.caught - one;
  if (h.users > 1)
    world_.tasks.for_each([&](TaskId other, const Task& t) {
      if (t.handlers == me.handlers) touch(other);
    });
  if (!me.pending.has(sig::segv)) enter_queue(me.pending, sig::segv, me, Sender::anybody);
  me.attention = true;
  touch(id);
}

/// Answers whether the task lives on.
bool Model::default_action(TaskId id, Signal s, From from) {
  Task& t = world_.tasks[id];
  Process& p = world_.process_of(t);
  if (kDefaultIgnored.has(s)) return true;
  const bool lost = t.call.kind == Call::Kind::lost;
  const bool forced = lost && s == sig::segv && from == From::queue;  // else the tracer was asked
  if (forced && p.unkillable) cover("signal.forced-on-init"_rule);
  if (p.unkillable && !kUnblockable.has(s) && !forced) {
    cover("signal.init-discards"_rule);
    return true;
  }
  if (kStopSignals.has(s)) {
    if (s != sig::stop && will_be_orphaned(p.pgid, TaskId::none())) {
      cover("stop.terminal-orphaned"_rule);
      return true;
    }
    if (t.stop_pending) {
      cover("ptrace.joins-stop-under-way"_rule);
      return true;
    }
    if (!t.trace.may_stop) {
      cover("ptrace.continue-cancels-stop"_rule);
      return true;
    }
    begin_group_stop(id, s);
    return true;
  }
  t.flags = t.flags | task_flag::signaled;
  if (kCoreSignals.has(s)) cover("signal.no-core-written"_rule);
  begin_group_exit(p, s.n);
  for (const TaskId other : others_round(id))
    if (!world_.tasks[other].zombie) draw_attention(other, true);
  exit_thread(id, s.n);
  return false;
}

}  // namespace forkproof::spec
