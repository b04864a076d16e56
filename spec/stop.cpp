/// Job control: group stops, continues, and process groups that lose their last tie.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

/// What sending a stop signal or SIGCONT does whether or not it is blocked or ignored.
void Model::forget_stops_or_continues(Process& p, Signal s) {
  const auto forget = [&](SigSet set) {
    flush(p.shared_pending, set);
    for (const TaskId id : p.threads) flush(world_.tasks[id].pending, set);
  };
  if (kStopSignals.has(s)) {
    cover("stop.flushes-continue"_rule);
    forget(SigSet::of(sig::cont));
  }
  if (s != sig::cont) return;

  cover("stop.continue-flushes-stops"_rule);
  forget(kStopSignals);
  for (const TaskId id : p.threads) {
    Task& t = world_.tasks[id];
    t.stop_pending = t.stop_counted = t.trace.may_stop = false;
    if (t.trace.by) tell_tracee_of_continue(id);
    if (!t.stopped) continue;
    cover("stop.continue"_rule);
    t.stopped = false;
    t.resumed = true;
    wake(id);
  }
  if (p.stop_complete)
    p.notice = Process::Notice::continued;
  else if (p.stopping_threads > 0)
    p.notice = Process::Notice::stopped;
  else
    return cover("stop.continue-running"_rule);
  cover(p.stop_complete ? "stop.continue-event"_rule : "stop.continue-early"_rule);
  p.stop_complete = false;
  p.stopping_threads = 0;
  if (p.stop_signal != sig::none) cover("wait.cont-erases-stop"_rule);
  p.stop_signal = sig::none;
  p.continued = true;
  update_news(p.leader);
}

/// A stop signal is delivered: every thread of the process is to stop.
void Model::begin_group_stop(TaskId id, Signal s) {
  Process& p = world_.process_of(world_.tasks[id]);
  if (!p.stop_complete) p.stop_signal = s;
  cover(s == sig::stop ? "stop.sigstop"_rule : "stop.terminal"_rule);
  p.stopping_threads = 1;
  world_.tasks[id].stop_pending = world_.tasks[id].stop_counted = true;
  world_.tasks[id].trace.stopped_by = s;
  // Kept while it is stopped.
  world_.tasks[id].attention = !world().deliverable(world_.tasks[id]).empty();
  for (const TaskId other : others_round(id)) {
    Task& t = world_.tasks[other];
    if (t.stopped || t.exiting()) continue;
    cover("stop.all-threads"_rule);
    if (t.trace.trapped) cover("ptrace.trapped-holds-up"_rule);
    t.stop_pending = t.stop_counted = true;
    t.trace.stopped_by = s;
    p.stopping_threads++;
    if (t.call.kind == Call::Kind::vfork) cover("stop.vfork-holds-up"_rule);
    draw_attention(other, false);
  }
}

/// The task stops. The last of its process to do so tells the parent.
void Model::take_part_in_stop(TaskId id) {
  Task& t = world_.tasks[id];
  Process& p = world_.process_of(t);
  t.stopped = true;
  t.frozen = false;
  t.call.interrupted = true;
  touch(id);
  if (leave_stop_count(t, p)) tell_parent_of_stop(p, Process::Notice::stopped);
}

/// One thread less to wait for, unless it joins a stop that need not wait for it. Answers whether
/// that completes a new stop.
bool Model::leave_stop_count(Task& t, Process& p) {
  t.stop_pending = false;
  if (!std::exchange(t.stop_counted, false)) return false;
  if (--p.stopping_threads > 0 || p.stop_complete) return false;
  cover("stop.complete"_rule);
  p.stop_complete = true;
  if (p.continued) cover("wait.stop-erases-continue"_rule);
  p.continued = false;
  p.notice = Process::Notice::none;
  update_news(p.leader);
  return true;
}

void Model::tell_parent_of_stop(Process& p, Process::Notice what) {
  const Task& leader = world().tasks[p.leader];
  if (!leader.parent) return;
  const Handlers& h = world().handlers[world_.tasks[leader.parent].handlers];
  cover(what == Process::Notice::stopped ? "stop.tells-parent"_rule : "stop.continue-event"_rule);
  if (!h.ignored.has(sig::chld) && !h.nocldstop)
    send(sig::chld, leader.parent, Scope::process, false, Sender::child);
  else
    cover("stop.wakes-parent"_rule);
  wake_waiters(p.leader, leader.parent);
}

/// Whether no member of a group has a parent in its session but outside the group; `ignored` and
/// dead members do not count.
bool Model::will_be_orphaned(Pid group, TaskId ignored) const {
  for (const auto& [place, process] : world_.numbers.find(group.n)->group) {
    const Process& p = world_.processes[process];
    const Task& leader = world_.tasks[p.leader];
    if (p.leader == ignored || ready(p.leader) || !leader.parent) continue;
    const Process& parent = world_.process_of(world_.tasks[leader.parent]);
    if (parent.pgid != group && parent.sid == p.sid) return false;
  }
  return true;
}

/// A tie of the group to its session is cut: of `leader`, by its own death (no `father`) or by that
/// of its father. If it was the last one and somebody in the group is stopped: SIGHUP, SIGCONT.
void Model::hang_up_if_orphaned(TaskId id, TaskId father) {
  const Task& leader = world().tasks[id];
  const Process& p = world().process_of(leader);
  const TaskId parent_id = father ? father : leader.parent;
  if (!parent_id) return;
  const Process& parent = world().process_of(world_.tasks[parent_id]);
  if (parent.pgid == p.pgid || parent.sid != p.sid) return;
  if (!will_be_orphaned(p.pgid, father ? TaskId::none() : id)) return;

  cover("group.orphaned"_rule);
  const std::vector<ProcessId> members = newest_first(world_.numbers.find(p.pgid.n)->group);
  const bool stopped = std::ranges::any_of(
      members, [&](ProcessId member) { return world_.processes[member].stop_complete; });
  if (!stopped) return cover("group.no-hangup-running"_rule);
  cover(father ? "group.hangup-on-adoption"_rule : "group.hangup-on-exit"_rule);
  for (const Signal s : {sig::hup, sig::cont})
    for (const ProcessId member : members) send(s, world_.processes[member].leader, Scope::process);
}

}  // namespace forkproof::spec
