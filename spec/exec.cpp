/// exec: one thread stays, under the leader's number, with new memory and fresh handlers.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

Model::Answer Model::act(TaskId id, const Exec&) { return exec(id, ExecStep::none); }
Model::Answer Model::act(TaskId id, const ExecFails& op) { return exec(id, op.step); }

Model::Answer Model::exec(TaskId id, ExecStep failing) {
  if (world_.tasks[id].in_kernel() && (linux_6() || world_.tasks[id].kthread.made))
    return fails(Errno::inval, "kthread.no-exec"_rule);
  if (const Answer refused = refuses_exec(id)) return refused;
  if (!linux_6() && failing == ExecStep::unshare_files && fails_at(id, failing))
    return fails(Errno::nomem, "exec.files-no-room"_rule);

  const bool shared_fs = world().tasks[id].fs && shares_fs(world().tasks[id]);
  const Attributes& a = world().tasks[id].attributes;
  if (!linux_6() && shared_fs && a.user != User::root && capable(id, a.user_ns))
    cover("superpriv.exec-unsafe"_rule);
  if (world_.process_of(world_.tasks[id]).threads.size() > 1 && !become_only_thread(id))
    return waits_for_tracers(id, failing, shared_fs);
  if (world_.over) return dies_with_world();
  if (world_.process_of(world_.tasks[id]).group_exit)
    return Outcome::failure(Errno::again);  // it dies meanwhile
  return execute(id, failing, shared_fs);
}

/// The exec of a thread that is the only one now. No answer: it has failed, and dies.
Model::Answer Model::execute(TaskId id, ExecStep failing, bool shared_fs) {
  Task& me = world_.tasks[id];
  if (me.exit_signal != sig::chld.n) cover("exec.exit-signal"_rule);
  me.exit_signal = sig::chld.n;
  touch(id, true);
  if (!linux_6() && failing == ExecStep::unshare_sighand && fails_at(id, failing))
    return fails(Errno::nomem, "exec.sighand-no-room"_rule);
  const bool lost = fails_at(id, failing);  // before anything else that its death would leave
  if (!lost || failing > ExecStep::unshare_files) change_memory(me);
  if (!lost || failing > ExecStep::exec_task_namespaces) time_after_exec(me);
  if (!lost || failing > ExecStep::unshare_sighand) become_program(me, shared_fs);
  if (lost) return lose_program(id);
  if (failing != ExecStep::none) cover("exec.nothing-to-fail"_rule);
  cover_what_is_kept(me);
  if (me.trace.by && !me.trace.seized) send_exec_trap(id);
  return answers(Outcome::success(), "exec.identity-kept"_rule);
}

/// Whether a step of an exec has something to do, and so fails. Where all but the last would leave
/// a traced task with its old program, or with half of it, they do not; in 4.12 they are answered.
bool Model::fails_at(TaskId id, ExecStep step) const {
  const Task& me = world_.tasks[id];
  const NsProxy p = world_.proxy_of(me);
  if (linux_6() && me.trace.by && step != ExecStep::load_binary) return false;
  switch (step) {
    case ExecStep::none: return false;
    case ExecStep::unshare_files: return world_.files[me.files].users > 1;
    case ExecStep::exec_task_namespaces: return p.time != p.children_time;
    case ExecStep::unshare_sighand: return world_.handlers[me.handlers].users > 1;
    case ExecStep::load_binary: return true;
  }
  return false;
}

/// The old memory is let go of, for a new one with nothing in it.
void Model::change_memory(Task& me) {
  const bool sharers = me.space && world_.spaces[me.space].users > 1;
  if (unshare_files(me)) cover("file.exec-own"_rule);
  let_go_of_memory(me);
  me.space = world_.spaces.make();
  world_.spaces[me.space].users = 1;
  world_.spaces[me.space].made = next_place();
  if (world_.kthreads) load(me.space);
  cover("exec.memory-new"_rule);
  if (sharers) cover("exec.memory-leaves-sharers"_rule);
}

/// What else the new program has, and has not, of the old one's.
void Model::become_program(Task& me, bool shared_fs) {
  close_for_exec(me);
  renew_handlers(me);
  attributes_after_exec(me);
  const bool gains = me.attributes.powerless && world().knows(me.attributes.user_ns, User::root);
  credentials_after_exec(me, shared_fs);
  choose_layout(me, gains);
  if (me.in_kernel()) cover("kthread.init-execs"_rule);
  me.kthread = {};
  if (me.flags.has(task_flag::superpriv)) cover("superpriv.exec-kept"_rule);
  me.flags = me.flags - task_flag::forknoexec - task_flag::kthread;
  cover("exec.forknoexec-cleared"_rule);
  me.self_exec_id++;
  cover("exec.program-id"_rule);
}

void Model::cover_what_is_kept(const Task& me) {
  if (!me.blocked.empty()) cover("exec.blocked-kept"_rule);
  if (!me.pending.empty()) cover("exec.pending-kept"_rule);
  if (!me.children.empty()) cover("exec.children-kept"_rule);
  if (world_.process_of(me).is_subreaper) cover("exec.subreaper-kept"_rule);
  if (!world_.process_of(me).limits.empty()) cover("limit.exec-kept"_rule);
}

/// Past the point of no return a failed exec has no program to answer.
Model::Answer Model::lose_program(TaskId id) {
  cover("exec.fails-late"_rule);
  world_.tasks[id].call = {.kind = Call::Kind::lost};
  force_segv(id);
  return std::nullopt;
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
  for (const TaskId other : others) world_.tasks[other].attention = true;  // a SIGKILL is theirs
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

Model::Answer Model::waits_for_tracers(TaskId id, ExecStep failing, bool shared_fs) {
  world_.tasks[id].call = {.kind = Call::Kind::exec, .again = ExecFails{failing},
                           .result = Outcome::number(shared_fs)};
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
  const Call call = std::exchange(world_.tasks[id].call, {});
  const ExecStep failing = std::get<ExecFails>(call.again).step;
  const Answer done = execute(id, failing, call.result.value != 0);
  if (id != execing_) outcome_rule_ = rule;
  if (done) world_.tasks[id].call = {.kind = Call::Kind::held, .result = *done};
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
