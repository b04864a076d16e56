/// ptrace: who traces whom, what a traced task stops for, and how it goes on.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

// --- the calls -----------------------------------------------------------------------------------

Model::Answer Model::act(TaskId id, const PtraceTraceme&) {
  const Task& me = world().tasks[id];
  if (me.trace.by) return fails(Errno::perm, "ptrace.once"_rule);
  if (!me.parent) return fails(Errno::perm, "ptrace.nobody-above"_rule);
  if (!is_as_strong(world().tasks[me.parent], me))
    return fails(Errno::perm, "ptrace.parent-weaker"_rule);

  if (!world().is_leader(id)) cover("ptrace.thread-by-parent"_rule);
  link(id, me.parent);
  return answers(Outcome::success(), "ptrace.traceme"_rule);
}

Model::Answer Model::act(TaskId id, const PtraceAttach& op) {
  return attach(id, op.task, false, {});
}

Model::Answer Model::act(TaskId id, const PtraceSeize& op) {
  return attach(id, op.task, true, op.options);
}

/// Why a task cannot be traced by another; nothing if it can.
Model::Answer Model::refuses_tracer(TaskId id, TaskId whom) {
  if (!whom) return fails(Errno::srch, "ptrace.no-task"_rule);
  const Task& t = world().tasks[whom];
  if (t.in_kernel()) return fails(Errno::perm, "ptrace.not-kthreads"_rule);
  if (t.process == world().tasks[id].process) return fails(Errno::perm, "ptrace.not-own"_rule);
  if (world().process_of(t).execing)
    return fails(Errno::again, "ptrace.exec-under-way"_rule);
  if (t.zombie) return fails(Errno::perm, "ptrace.not-the-dead"_rule);
  if (t.trace.by) return fails(Errno::perm, "ptrace.once"_rule);
  if (!may_access(id, t, true))
    return fails(Errno::perm, "ptrace.may-not"_rule);
  return std::nullopt;
}

Model::Answer Model::attach(TaskId id, TaskRef whom, bool seize, TraceFlags options) {
  const TaskId to = find_for(id, whom.pid());
  if (const Answer refused = refuses_tracer(id, to)) return refused;

  link(to, id);
  Task& t = world_.tasks[to];
  if (world().process_of(t).threads.size() > 1) cover("ptrace.one-of-several"_rule);
  t.trace.seized = seize;
  t.trace.exitkill = options.has(trace_flag::exitkill);
  if (!seize) send(sig::stop, to, Scope::thread, true, Sender::force);
  if (t.stopped) {
    cover("ptrace.stopped-before"_rule);
    t.stopped = false;
    t.trace.interrupted = t.resumed = true;
    run(to);  // the call returns when it has stopped anew
  }
  return answers(Outcome::success(), seize ? "ptrace.seize"_rule : "ptrace.attach"_rule);
}

/// A task that the caller traces, and that has stopped if it must; else ESRCH is the answer.
std::optional<TaskId> Model::my_tracee(TaskId id, TaskRef whom, bool trapped) {
  const TaskId to = find_for(id, whom.pid());
  if (!to || world().tasks[to].trace.by != id) {
    fails(Errno::srch, to ? "ptrace.not-mine"_rule : "ptrace.no-task"_rule);
    return std::nullopt;
  }
  if (trapped && !world().tasks[to].trace.trapped) {
    fails(Errno::srch, "ptrace.not-stopped"_rule);
    return std::nullopt;
  }
  return to;
}

Model::Answer Model::act(TaskId id, const PtraceInterrupt& op) {
  const std::optional<TaskId> to = my_tracee(id, op.task, false);
  if (!to) return Outcome::failure(Errno::srch);
  Task& t = world_.tasks[*to];
  if (!t.trace.seized) return fails(Errno::io, "ptrace.interrupt-seized"_rule);

  if (!t.exiting()) {
    if (t.trace.trapped) cover("ptrace.interrupt-again"_rule);
    t.trace.interrupted = true;
    draw_attention(*to, false);
  }
  return answers(Outcome::success(), "ptrace.interrupt"_rule);
}

Model::Answer Model::act(TaskId id, const PtraceCont& op) {
  const std::optional<TaskId> to = my_tracee(id, op.task, true);
  if (!to) return Outcome::failure(Errno::srch);
  if (op.signal.n < 0 || op.signal.n > kSignalMax)
    return fails(Errno::io, "ptrace.bad-signal"_rule);

  world_.tasks[*to].trace.code = op.signal;
  resume(*to);
  return answers(Outcome::success(), "ptrace.cont"_rule);
}

Model::Answer Model::act(TaskId id, const PtraceDetach& op) {
  const std::optional<TaskId> to = my_tracee(id, op.task, true);
  if (!to) return Outcome::failure(Errno::srch);
  if (op.signal.n < 0 || op.signal.n > kSignalMax)
    return fails(Errno::io, "ptrace.bad-signal"_rule);

  world_.tasks[*to].trace.code = op.signal;
  unlink(*to);
  return answers(Outcome::success(), "ptrace.detach"_rule);
}

Model::Answer Model::act(TaskId id, const PtraceSetoptions& op) {
  const std::optional<TaskId> to = my_tracee(id, op.task, true);
  if (!to) return Outcome::failure(Errno::srch);

  world_.tasks[*to].trace.exitkill = op.options.has(trace_flag::exitkill);
  return answers(Outcome::success(), "ptrace.setoptions"_rule);
}

// --- who traces whom -----------------------------------------------------------------------------

void Model::link(TaskId tracee, TaskId tracer) {
  Task& t = world_.tasks[tracee];
  const Signal stopped_by = t.trace.stopped_by;
  t.trace = {};
  t.trace.by = tracer;
  t.trace.since = next_place();
  t.trace.stopped_by = stopped_by;
  world_.tasks[tracer].tracees.put(t.trace.since, tracee);
  touch(tracee);
}

/// Nobody traces the task any more. One that stopped goes on; into a group stop, if there is one.
void Model::unlink(TaskId tracee) {
  Task& t = world_.tasks[tracee];
  const Process& p = world().process_of(t);
  world_.tasks[t.trace.by].tracees.erase(t.trace.since);
  t.trace.by = TaskId::none();
  t.trace.seized = t.trace.exitkill = t.trace.interrupted = t.trace.told_to_look = false;
  if (!t.exiting() && p.stops()) {
    cover("ptrace.detached-in-stop"_rule);
    t.stop_pending = true;
  }
  if (t.trace.trapped) {
    t.attention = true;
    resume(tracee);
  } else if (t.stop_pending) {
    draw_attention(tracee, false);
  }
  touch(tracee);
  update_news(tracee);
}

/// A task that stopped for its tracer goes on.
void Model::resume(TaskId tracee) {
  Task& t = world_.tasks[tracee];
  t.trace.trapped = false;
  t.resumed = true;
  wake(tracee);
  touch(tracee);
  update_news(tracee);
}

/// The end of a thread ends its tracing: it lets all go, the last one that it began with first.
/// Answers which of them are to be released once it is a zombie itself: threads that are dead.
std::vector<TaskId> Model::let_tracees_go(TaskId tracer) {
  std::vector<TaskId> dead;
  for (const TaskId tracee : tracees_of(tracer)) {
    Task& t = world_.tasks[tracee];
    if (t.trace.exitkill) {
      cover("ptrace.exitkill"_rule);
      send(sig::kill, tracee, Scope::thread, true, Sender::force);
    }
    if (t.trace.trapped) cover("ptrace.tracer-ends"_rule);
    unlink(tracee);
    const bool thread = t.zombie && !world().is_leader(tracee);
    if (thread) cover("ptrace.tracer-ends-threads"_rule);
    if (thread || (ready(tracee) && let_dead_tracee_go(tracee, tracer))) dead.push_back(tracee);
  }
  std::ranges::reverse(dead);
  return dead;
}

/// A process that was traced is its parent's to hear of. Answers whether nobody wants to wait for
/// it.
bool Model::let_dead_tracee_go(TaskId tracee, TaskId tracer) {
  const Task& t = world().tasks[tracee];
  const Task& old = world().tasks[tracer];
  if (t.parent && world().tasks[t.parent].process != old.process) {
    cover("ptrace.tracer-ends-zombie"_rule);
    return notify_parent(tracee);
  }
  const Handlers& h = world().handlers[old.handlers];
  if (!h.ignored.has(sig::chld) && !h.nocldwait) return false;
  cover("ptrace.tracer-ends-unwanted"_rule);
  wake_waiters(tracee, tracer);
  tell(tracee);
  return true;
}

/// Whom a task traces, the last one that it began with first.
std::vector<TaskId> Model::tracees_of(TaskId tracer) const {
  std::vector<TaskId> ids;
  const Line<TaskId>& tracees = world_.tasks[tracer].tracees;
  for (auto at = tracees.rbegin(); at != tracees.rend(); ++at) ids.push_back(at->second);
  return ids;
}

// --- stopping for a tracer -----------------------------------------------------------------------

/// A group stop, an interruption or a SIGCONT has a traced task stop. Answers whether it does.
bool Model::joins_stop(TaskId id) {
  Task& t = world_.tasks[id];
  const Process& p = world().process_of(t);
  if (t.stop_pending) cover("ptrace.group-stop"_rule);
  if (!t.stop_pending && !t.trace.interrupted && !t.trace.told_to_look) return false;
  const bool stopped = p.stops();
  trap(id, Tracing::Trap::stop, t.trace.seized && !stopped ? sig::trap : t.trace.stopped_by);
  return true;
}

void Model::tell_tracee_of_continue(TaskId id) {
  Task& t = world_.tasks[id];
  if (t.trace.trapped) cover("ptrace.continue-wakes-not"_rule);
  if (!t.trace.seized || t.exiting()) return;
  cover("ptrace.continue-tells-seized"_rule);
  t.trace.told_to_look = true;
  draw_attention(id, false);
}

void Model::trap(TaskId id, Tracing::Trap what, Signal code) {
  Task& t = world_.tasks[id];
  Process& p = world_.process_of(t);
  t.trace.trap = what;
  t.trace.code = code;
  t.trace.trapped = true;
  t.attention = t.frozen = false;
  t.call.interrupted = true;
  const bool stop_made = what == Tracing::Trap::stop && t.stop_pending && leave_stop_count(t, p);
  t.trace.interrupted = false;
  if (what == Tracing::Trap::stop) t.trace.told_to_look = false;
  touch(id);
  update_news(id);
  tell_tracer_of_stop(id);
  if (!stop_made || world().is_familys_own(t)) return;
  cover("ptrace.parent-told-of-stop"_rule);
  tell_parent_of_stop(p, Process::Notice::stopped);
}

void Model::tell_tracer_of_stop(TaskId id) {
  const TaskId tracer = world().tasks[id].trace.by;
  const Handlers& h = world().handlers[world_.tasks[tracer].handlers];
  cover("ptrace.tells-tracer"_rule);
  if (!h.ignored.has(sig::chld) && !h.nocldstop)
    send(sig::chld, tracer, Scope::process, false, Sender::child);
  wake_waiters(id, tracer);
}

/// The parent is told of the stop or the continue that is owed to it, and a tracer elsewhere, too.
void Model::tell_of_notice(TaskId id) {
  Process& p = world_.process_of(world_.tasks[id]);
  if (p.notice == Process::Notice::none) return;
  tell_parent_of_stop(p, std::exchange(p.notice, Process::Notice::none));
  if (world().is_familys_own(world().tasks[p.leader])) return;
  cover("ptrace.tells-tracer-of-continue"_rule);
  tell_tracer_of_stop(p.leader);
}

/// The signal that a task goes on with that had stopped before it took one.
std::optional<Signal> Model::signal_after_trap(TaskId id) {
  const Task& t = world().tasks[id];
  const Signal s = t.trace.code;
  if (s == sig::none) {
    cover("ptrace.cont-no-signal"_rule);
    return std::nullopt;
  }
  cover("ptrace.cont-signal"_rule);
  if (!t.blocked.has(s)) return s;
  cover("ptrace.cont-blocked"_rule);
  send(s, id, linux_6() && t.trace.of_process ? Scope::process : Scope::thread);
  return std::nullopt;
}

/// A thread that another's exec ends is not to lose the signal that it stopped for.
void Model::put_back(TaskId id) {
  Tracing& trace = world_.tasks[id].trace;
  trace.trapped = false;
  if (!linux_6() || trace.code == sig::none || world().process_of(world().tasks[id]).group_exit)
    return;
  cover("ptrace.killed-in-stop"_rule);
  send(trace.code, id, trace.of_process ? Scope::process : Scope::thread);
}

/// Who was not seized stops once its exec is over.
void Model::send_exec_trap(TaskId id) {
  cover("ptrace.exec-trap"_rule);
  send(sig::trap, id, Scope::thread);
}

/// The answer to an exec within which the world ends: init was to die with a thread that traced it.
Outcome Model::dies_with_world() {
  effects_.outcome = answers(Outcome::death(sig::kill), "world.ends"_rule);
  return {};
}

/// A thread that is traced is dead: its tracer hears of it, and nobody else yet.
void Model::thread_is_dead(TaskId id) {
  const Task& t = world().tasks[id];
  const bool whole = world().is_leader(id) && ready(id);
  cover(whole ? "ptrace.death-tells-tracer"_rule : "ptrace.death-of-a-thread"_rule);
  if (world().is_leader(id) && !whole) cover("ptrace.death-of-a-leader"_rule);
  notify_tracer(id, whole && world().is_familys_own(t) ? Signal{t.exit_signal} : sig::chld);
}

void Model::notify_tracer(TaskId id, Signal signal) {
  const Task& t = world().tasks[id];
  const TaskId tracer = t.trace.by;
  wake_pollers(t.tid);
  if (signal != sig::chld) cover("ptrace.death-own-signal"_rule);
  if (signal != sig::chld && t.parent_exec_id != world().tasks[tracer].self_exec_id)
    signal = sig::chld;
  if (valid(signal) && !send(signal, tracer, Scope::process, false, Sender::child))
    cover("limit.exit-signal-lost"_rule);
  wake_waiters(id, tracer);
}

}  // namespace forkproof::spec
