/// exec: one thread stays, under the leader's number, with new memory and fresh handlers.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

Model::Answer Model::act(TaskId id, const Exec&) {
  if (world_.tasks[id].in_kernel() && (linux_6() || world_.tasks[id].kthread.made))
    return fails(Errno::inval, "kthread.no-exec"_rule);
  if (const Answer refused = refuses_exec(id)) return refused;
  const bool shared_fs = world().tasks[id].fs && shares_fs(world().tasks[id]);
  if (world_.process_of(world_.tasks[id]).threads.size() > 1 && !become_only_thread(id))
    return waits_for_tracers(id, shared_fs);
  if (world_.over) return dies_with_world();
  if (world_.process_of(world_.tasks[id]).group_exit)
    return Outcome::failure(Errno::again);  // it dies meanwhile
  return execute(id, shared_fs);
}

/// The exec of a thread that is the only one now.
Outcome Model::execute(TaskId id, bool shared_fs) {
  Task& me = world_.tasks[id];
  const bool sharers = me.space && world_.spaces[me.space].users > 1;

  let_go_of_memory(me);
  me.space = world_.spaces.make();
  world_.spaces[me.space].users = 1;
  world_.spaces[me.space].made = next_place();
  if (world_.kthreads) load(me.space);
  cover("exec.memory-new"_rule);
  if (sharers) cover("exec.memory-leaves-sharers"_rule);
  close_for_exec(me);
  renew_handlers(me);
  attributes_after_exec(me);
  credentials_after_exec(me, shared_fs);
  if (me.in_kernel()) cover("kthread.init-execs"_rule);
  me.kthread = {};
  time_after_exec(me);
  me.flags = me.flags - task_flag::forknoexec - task_flag::kthread;
  cover("exec.forknoexec-cleared"_rule);
  if (me.exit_signal != sig::chld.n) cover("exec.exit-signal"_rule);
  me.exit_signal = sig::chld.n;
  me.self_exec_id++;
  cover("exec.program-id"_rule);
  if (!me.blocked.empty()) cover("exec.blocked-kept"_rule);
  if (!me.pending.empty()) cover("exec.pending-kept"_rule);
  if (!me.children.empty()) cover("exec.children-kept"_rule);
  if (world_.process_of(me).is_subreaper) cover("exec.subreaper-kept"_rule);
  if (!world_.process_of(me).limits.empty()) cover("limit.exec-kept"_rule);
  touch(id, true);
  if (me.trace.by && !me.trace.seized) send_exec_trap(id);
  return answers(Outcome::success(), "exec.identity-kept"_rule);
}

/// Ends all other threads, which the caller sleeps for: whom their ends wake before they wake the
/// caller runs before it goes on. The last one but the leader wakes it, the leader only if it is
/// the only one. The caller takes the leader's place when it is not the leader. False: there are
/// still some that tracers have to reap.
bool Model::become_only_thread(TaskId id) {
  Process& p = world_.process_of(world_.tasks[id]);
  p.stopping_threads = 0;
  for (const TaskId thread : p.threads)
    world_.tasks[thread].stop_pending = world_.tasks[thread].stop_counted = false;
  p.execing = id;
  const std::vector<TaskId> others = others_round(id);
  std::vector<TaskId> first;  // who is woken before the caller is
  for (const TaskId other : others) {
    end_threads({&other, 1}, world_.tasks[id].process);
    if (other != p.leader || others.size() == 1) first.assign(next_.begin(), next_.end());
  }
  if (!world_.over && !p.group_exit && !is_left_alone(id)) return false;
  for (const TaskId woken : first)
    if (woken != id && world_.tasks.has(woken) && world_.tasks[woken].queued) run_ahead(woken);
  if (world_.over) return true;
  p.execing = TaskId::none();
  cover("exec.other-threads-die"_rule);
  if (p.leader != id && !p.group_exit) take_leaders_place(id);
  return true;
}

/// Whether of the threads that an exec ended none is left but the leader, which is dead.
bool Model::is_left_alone(TaskId id) const {
  const Process& p = world_.process_of(world_.tasks[id]);
  return p.threads.size() == (p.leader == id ? 1U : 2U);
}

Model::Answer Model::waits_for_tracers(TaskId id, bool shared_fs) {
  world_.tasks[id].call = {.kind = Call::Kind::exec, .result = Outcome::number(shared_fs)};
  execing_ = id;
  touch(id);
  answers({}, "ptrace.exec-waits"_rule);
  return std::nullopt;
}

/// The last of those is gone: the exec goes on, and has its answer when signals are dealt with.
void Model::go_on_execing(TaskId id) {
  const RuleId rule = outcome_rule_;
  world_.process_of(world_.tasks[id]).execing = TaskId::none();
  cover("ptrace.exec-goes-on"_rule);
  if (!world_.is_leader(id)) take_leaders_place(id);
  const bool shared_fs = std::exchange(world_.tasks[id].call, {}).result.value != 0;
  const Outcome done = execute(id, shared_fs);
  if (id != execing_) outcome_rule_ = rule;
  world_.tasks[id].call = {.kind = Call::Kind::held, .result = done};
}

void Model::take_leaders_place(TaskId id) {
  Task& me = world_.tasks[id];
  Process& p = world_.process_of(me);
  const TaskId leader = p.leader;
  Task& old = world_.tasks[leader];

  touch(id);  // under the number that it loses
  wake_pollers(me.tid);
  if (old.trace.by) leave_tracer(leader, me.tid);
  world_.numbers[me.tid.n].task = TaskId::none();
  give_back_if_free(me.tid);
  cover("exec.old-number-free"_rule);
  me.tid = old.tid;
  me.touched = 0;  // nor has its new number been
  me.born = old.born;
  world_.numbers[me.tid.n].task = id;
  cover("exec.number-handover"_rule);
  me.sibling = old.sibling;
  if (me.parent) {
    Task& parent = world_.tasks[me.parent];
    parent.children.put(me.sibling, id);
    if (parent.news.contains(me.sibling)) parent.news.put(me.sibling, id);
    cover("exec.parent-sees-nothing"_rule);
  }
  p.leader = p.signal_target = id;
  p.threads = {id};
  world_.handlers[old.handlers].users--;
  p.used_by_dead_threads += old.used;
  flush(old.pending, old.pending);
  leave_cgroup(old);
  if (old.queued) std::erase(next_, leader);
  world_.tasks.drop(leader);
  update_news(id);
}

/// A leader whose place is taken is nobody's any more. It has the other's number by then, which is
/// what waits are asked about; before 5.7 it still had its own.
void Model::leave_tracer(TaskId leader, Pid others_number) {
  Task& old = world_.tasks[leader];
  const TaskId tracer = old.trace.by;
  cover(linux_6() ? "ptrace.exec-takes-leader"_rule : "ptrace.exec-took-leader"_rule);
  const Pid own = std::exchange(old.tid, linux_6() ? others_number : old.tid);
  wake_waiters(leader, tracer);
  old.tid = own;
  world_.tasks[tracer].tracees.erase(old.trace.since);
}

/// Gives the task a table of its own, in which ignored signals stay ignored and all others have
/// their default.
void Model::renew_handlers(Task& me) {
  if (me.caught != 0) cover("caught.exec"_rule);
  me.caught = 0;
  if (world_.handlers[me.handlers].users > 1) {
    world_.handlers[me.handlers].users--;
    me.handlers = copy_handlers(me.handlers);
    world_.handlers[me.handlers].users = 1;
    cover("exec.sighand-unshared"_rule);
  }
  Handlers& h = world_.handlers[me.handlers];
  if (!h.caught.empty()) cover("exec.caught-to-default"_rule);
  if (!h.ignored.empty()) cover("exec.ignored-kept"_rule);
  if (h.nocldwait || h.nocldstop) cover("exec.sa-flags-cleared"_rule);
  set_to_default(h);
}

/// All signals but the ignored ones have their default, and no flag is set.
void Model::set_to_default(Handlers& h) {
  h.caught = h.restart = {};
  h.nocldwait = h.nocldstop = false;
}

}  // namespace forkproof::spec
