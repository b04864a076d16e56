/// The end of a thread and of a process: who adopts the children, who is told, when it is gone.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

Model::Answer Model::act(TaskId id, const Exit& op) {
  if (world_.tasks[id].kthread.made) {
    cover("kthread.result"_rule);
    end_kthread(id, Outcome::number(op.code));
    return Outcome{};
  }
  cover("exit.thread"_rule);
  cover("exit.code-low-byte"_rule);
  exit_thread(id, (op.code & 0xff) << 8);
  return Outcome{};
}

Model::Answer Model::act(TaskId id, const ExitGroup& op) {
  cover("exit.group"_rule);
  cover("exit.code-low-byte"_rule);
  exit_group(id, (op.code & 0xff) << 8);
  return Outcome{};
}

/// Ends all threads of the caller's process, the caller first.
void Model::exit_group(TaskId id, std::int32_t code) {
  const ProcessId process = world_.tasks[id].process;
  Process& p = world_.processes[process];
  if (!p.group_exit && p.threads.size() > 1) {
    cover("exit.status-group"_rule);
    begin_group_exit(p, code);
  }
  const std::vector<TaskId> others = others_round(id);
  exit_thread(id, p.group_exit ? p.group_exit_code : code);
  end_threads(others, process);
}

/// The other threads of a process, going round the thread list from one.
std::vector<TaskId> Model::others_round(TaskId id) const {
  const std::vector<TaskId>& threads = world_.process_of(world_.tasks[id]).threads;
  const auto at = std::ranges::find(threads, id);
  std::vector<TaskId> round(at + 1, threads.end());
  round.insert(round.end(), threads.begin(), at);
  return round;
}

/// Doomed threads of a process run, each to its end.
void Model::end_threads(std::span<const TaskId> threads, ProcessId process) {
  crowded_ |= !threads.empty();
  for (const TaskId id : threads)
    if (world_.tasks.has(id) && world_.tasks[id].process == process && !world_.over) run(id);
}

void Model::exit_thread(TaskId id, std::int32_t code) {
  Task& me = world_.tasks[id];
  Process& p = world_.process_of(me);
  p.running_threads--;
  if (p.running_threads == 0 && !p.group_exit) last_thread_exits(p, id, code);
  if (me.flags.has(task_flag::superpriv)) cover("superpriv.exit-kept"_rule);
  me.flags = me.flags | task_flag::exiting;
  cover("exit.exiting-flag"_rule);
  if (linux_6()) me.flags = me.flags | task_flag::postcoredump;
  if (me.attention && !p.group_exit) retarget(id);
  me.exit_code = code;
  if (me.stopped) cover("stop.killed"_rule);
  me.stopped = me.stop_pending = me.stop_counted = me.frozen = false;
  me.trace.trapped = me.trace.interrupted = me.trace.told_to_look = false;
  me.trace.trap = Tracing::Trap::none;
  if (me.call.kind == Call::Kind::vfork && me.call.child) {
    cover("vfork.orphan-keeps-memory"_rule);
    world_.tasks[me.call.child].vfork_parent = TaskId::none();
  }
  if (me.call.kind == Call::Kind::ask) abandon_request(id);
  me.call = {};
  if (id == actor_ && acting_) death_ = {p.group_exit ? p.group_exit_code & 0x7f : 0};
  if (id == execing_) {
    effects_.outcome = Outcome::death({p.group_exit_code & 0x7f});
    execing_ = TaskId::none();
  }
  if (p.execing == id) p.execing = TaskId::none();
  let_go_of_memory(me);
  crowded_ |= !next_.empty();  // who has been woken by now may run before the rest
  cover("exit.memory-let-go"_rule);
  let_go_of_files(me);
  cover("file.exit"_rule);
  leave_namespace(me);
  if (me.proxy) cover("ns.exit"_rule);
  leave_namespaces(me);
  cover("exit.handlers-let-go"_rule);
  lose_entries(id);
  touch(p);
  leave_tracing(id);
}

/// The end of a thread from where it traces nobody any more.
void Model::leave_tracing(TaskId id) {
  const Process& p = world().process_of(world().tasks[id]);
  std::vector<TaskId> dead = let_tracees_go(id);
  end_by_reboot(id);
  const bool ends_world = id == world_.reaper && !live_thread(p), zaps = is_last_of_init(id);
  if (ends_world || zaps)
    for (const TaskId tracee : std::exchange(dead, {})) release(tracee);
  if (ends_world) return end_world();
  if (zaps && !zap(id)) return lose_queue(id);
  finish_exit(id);
  for (const TaskId tracee : dead) release(tracee);
}

/// An init waits for its namespace to empty: whether it still has what is pending for its thread.
void Model::lose_queue(TaskId id) {
  Task& me = world_.tasks[id];
  if (!linux_6() || me.pending.empty()) return;
  if (!does_as_most("pidns.zap-queue"_rule)) flush(me.pending, me.pending);
}

/// The end of a thread from where it leaves its family.
void Model::finish_exit(TaskId id) {
  Task& me = world_.tasks[id];
  Process& p = world_.process_of(me);
  const TaskId leader = p.leader;
  const std::vector<TaskId> dead = adopt_children(id);
  if (p.running_threads > 0) cover("group.hangup-whole-process"_rule);
  if (p.running_threads == 0) hang_up_if_orphaned(leader, TaskId::none());
  me.zombie = me.was_zombie = true;
  me.flags = me.flags | task_flag::postcoredump;
  cover("exit.ended-flag"_rule);
  const bool gone = id != leader && !me.trace.by;
  cover(gone ? "exit.thread-gone"_rule : "exit.zombie"_rule);
  if (gone)
    release(id);
  else if (id == leader)
    leader_is_dead(id);
  else
    thread_is_dead(id);
  if (!dead.empty()) cover("reaper.gone-last"_rule);
  for (const TaskId child : dead) release(child);
}

/// The last thread of a process that nobody has ended as a whole: whose code is its status?
void Model::last_thread_exits(Process& p, TaskId id, std::int32_t code) {
  if (p.leader != id) cover(linux_6() ? "exit.status-last-thread"_rule : "exit.status-leader"_rule);
  if (linux_6()) begin_group_exit(p, code);
}

/// A dead leader is a zombie, which waits for its threads and then for its parent.
void Model::leader_is_dead(TaskId id) {
  cover("pid.in-use"_rule);
  if (!ready(id)) {
    cover("exit.leader-waits-for-threads"_rule);
    cover("pid.leader-kept"_rule);
    if (world().tasks[id].trace.by) thread_is_dead(id);
    return update_news(id);
  }
  if (world_.tasks[id].trace.by) {
    thread_is_dead(id);
    return update_news(id);
  }
  const bool unwanted = notify_parent(id);
  update_news(id);
  if (unwanted) release(id);
}

/// Memory goes before the task is a zombie: a vfork parent is let go here.
void Model::let_go_of_memory(Task& t) {
  if (t.vfork_parent) {
    cover(t.exiting() ? "vfork.released-by-death"_rule : "vfork.released-by-exec"_rule);
    world_.tasks[t.vfork_parent].call.child = TaskId::none();
    wake(t.vfork_parent);
    t.vfork_parent = TaskId::none();
  }
  if (!t.space) return;
  if (--world_.spaces[t.space].users == 0) drop_space(t.space);
  t.space = SpaceId::none();
}

/// The first thread of a process that is not on its way out.
TaskId Model::live_thread(const Process& p) const {
  for (const TaskId id : p.threads)
    if (!world_.tasks[id].exiting()) return id;
  return TaskId::none();
}

/// Who adopts the children of a dying thread.
TaskId Model::reaper_for(TaskId father) {
  const Process& p = world().process_of(world().tasks[father]);
  if (const TaskId sibling = live_thread(p)) {
    cover(p.group_exit ? "exit.doomed-one-by-one"_rule : "reaper.own-thread"_rule);
    return sibling;
  }
  if (p.has_subreaper) {
    for (TaskId r = world_.tasks[father].parent; r; r = world_.tasks[r].parent) {
      const Process& ancestor = world().process_of(world().tasks[r]);
      if (ancestor.ns != p.ns) break;
      if (!ancestor.is_subreaper) continue;
      const TaskId thread = live_thread(ancestor);
      if (!thread) continue;
      cover("reaper.subreaper"_rule);
      return thread;
    }
  }
  cover(p.ns ? "pidns.reaper-inside"_rule : "reaper.init"_rule);
  return world_.reaper_of(p.ns);
}

/// Answers which zombies nobody wants, the youngest first. They go when all has been told.
std::vector<TaskId> Model::adopt_children(TaskId father) {
  const Process& own = world().process_of(world().tasks[father]);
  if (father == world_.reaper_of(own.ns) && live_thread(own)) {
    cover("reaper.init-thread"_rule);
    (own.ns ? world_.namespaces[own.ns].reaper : world_.reaper) = live_thread(own);
  }
  if (world_.tasks[father].children.empty()) return {};
  const TaskId reaper = reaper_for(father);
  const bool other_process = world_.tasks[reaper].process != world_.tasks[father].process;

  std::vector<TaskId> dead;
  const Line<TaskId> children = std::exchange(world_.tasks[father].children, {});
  for (const auto& [place, leader] : children) {
    world_.tasks[leader].sibling = next_place();
    world_.tasks[reaper].children.put(world_.tasks[leader].sibling, leader);
    for (const TaskId id : world_.process_of(world_.tasks[leader]).threads) {
      Task& t = world_.tasks[id];
      t.parent = reaper;
      t.father = father;
      t.father_born = world_.tasks[father].born;
      t.adopted_at = world_.step;
      touch(id);
      if (t.pdeath == sig::none) continue;
      cover("prctl.pdeathsig-sent"_rule);
      if (!other_process) cover("prctl.pdeathsig-thread"_rule);
      send(t.pdeath, id, Scope::process, is_from_above(father, id));
    }
    if (other_process)
      reparent_process(leader, father, dead);
    else
      cover("reaper.exit-signal-kept"_rule);
    update_news(leader);
  }
  cover("reaper.tail"_rule);
  world_.tasks[father].news.clear();  // some came of who was adopted after a group was hung up
  std::ranges::reverse(dead);
  return dead;
}

/// What a child goes through when another process adopts it.
void Model::reparent_process(TaskId leader, TaskId father, std::vector<TaskId>& dead) {
  Task& t = world_.tasks[leader];
  if (t.told) return;  // it was traced by `father`, and is as good as gone
  if (t.exit_signal != sig::chld.n) cover("reaper.exit-signal"_rule);
  t.exit_signal = sig::chld.n;
  if (ready(leader) && t.trace.by) cover("ptrace.adopted-zombie"_rule);
  if (ready(leader) && !t.trace.by) {
    cover("reaper.zombie-told"_rule);
    if (notify_parent(leader)) {
      cover("reaper.zombie-autoreaped"_rule);
      dead.push_back(leader);
    }
  }
  if (t.zombie && !ready(leader)) cover("reaper.zombie-leader-not-told"_rule);
  hang_up_if_orphaned(leader, father);
}

/// Tells the parent that the process of `leader` is dead. Answers whether nobody wants to wait
/// for it.
bool Model::notify_parent(TaskId leader) {
  const Task& t = world().tasks[leader];
  const Task& parent = world().tasks[t.parent];
  const Handlers& h = world().handlers[parent.handlers];
  Signal signal{t.exit_signal};
  if (signal != sig::chld && t.parent_exec_id != parent.self_exec_id) {
    cover("exit.signal-other-program"_rule);
    signal = sig::chld;
  }
  const bool polled_late = may_be_reaped_first(t);
  if (!polled_late) wake_pollers(t.tid);
  bool unwanted = false;
  if (signal == sig::chld && h.ignored.has(sig::chld)) {
    cover("exit.autoreap-ignored"_rule);
    unwanted = true;
    signal = sig::none;
  } else if (signal == sig::chld && h.nocldwait) {
    cover("exit.autoreap-nocldwait"_rule);
    unwanted = true;
  } else if (signal != sig::chld && (h.ignored.has(sig::chld) || h.nocldwait)) {
    cover("exit.autoreap-sigchld-only"_rule);
  }
  if (!valid(signal))
    cover("exit.signal-none"_rule);
  else if (send(signal, t.parent, Scope::process, false, Sender::child))
    cover("exit.tells-parent"_rule);
  else
    cover("limit.exit-signal-lost"_rule);
  wake_waiters(leader, t.parent);
  if (polled_late) wake_pollers(t.tid);
  if (unwanted) tell(leader);
  return unwanted;
}

/// The death of a process needs no more telling.
void Model::tell(TaskId leader) {
  world_.tasks[leader].told = true;
  ++world_.told;
}

/// Takes a dead task away for good. The last other thread of a dead leader brings the news of it.
void Model::release(TaskId id) {
  const ProcessId process = world_.tasks[id].process;
  const TaskId leader = world_.processes[process].leader;
  Pending left;  // since 6.15 it goes when the death of the leader has been told
  if (Task& t = world_.tasks[id]; id != leader && linux_6() && !t.pending.queue.empty())
    std::swap(left, t.pending);
  detach(id);
  if (id == leader) return;

  touch(world_.processes[process]);
  const TaskId execing = world_.processes[process].execing;
  if (execing && world_.tasks[execing].call.kind == Call::Kind::exec && is_left_alone(execing))
    wake(execing);
  const bool tells = ready(leader);
  const bool late = tells && !left.queue.empty() && does_as_most("queue.goes-last"_rule);
  if (!late) flush(left, left);
  const bool unwanted = tells && tell_at_last(leader);
  if (late) flush(left, left);
  if (unwanted) release(leader);
}

/// Brings the news of a dead leader that other threads held back; answers whether nobody wants it.
bool Model::tell_at_last(TaskId leader) {
  cover("exit.last-thread-tells"_rule);
  const Task& t = world().tasks[leader];
  if (t.trace.by) {
    cover("ptrace.death-told-again"_rule);
    notify_tracer(leader, {t.exit_signal});
    update_news(leader);
    return false;
  }
  const bool unwanted = notify_parent(leader);
  update_news(leader);
  return unwanted;
}

void Model::detach(TaskId id) {
  Task& t = world_.tasks[id];
  const ProcessId process = t.process;
  Process& p = world_.processes[process];
  touch(id);
  if (t.queued) std::erase(next_, id);  // another may get its place
  wake_pollers_at_last(id);
  account_end(id);
  flush(t.pending, t.pending);
  if (p.leader == id) flush(p.shared_pending, p.shared_pending);
  leave_cgroup(t);
  if (t.trace.by) world_.tasks[t.trace.by].tracees.erase(t.trace.since);
  if (--world_.handlers[t.handlers].users == 0) world_.handlers.drop(t.handlers);
  if (p.ns && world_.namespaces[p.ns].reaper == id)
    world_.namespaces[p.ns].reaper = TaskId::none();
  world_.numbers[t.tid.n].task = TaskId::none();
  cover(p.leader == id ? "pid.freed"_rule : "pid.thread-freed"_rule);
  const auto at = std::ranges::find(p.threads, id);
  if (p.signal_target == id && p.threads.size() > 1)
    p.signal_target = at + 1 == p.threads.end() ? p.threads.front() : at[1];
  p.threads.erase(at);
  if (p.leader == id) {
    if (t.parent) {
      world_.tasks[t.parent].children.erase(t.sibling);
      world_.tasks[t.parent].news.erase(t.sibling);
    }
    leave_group(process);
    leave_session(process);
    world_.all_processes.erase(p.process_place);
    world_.processes.drop(process);
  }
  give_back_if_free(t.tid);
  if (actor_ == id) actor_ = TaskId::none();
  world_.tasks.drop(id);
}

/// Init is gone: everybody else is killed and reaped, and only its zombie stays.
void Model::end_world() {
  cover("world.ends"_rule);
  const TaskId init = world_.process_of(world_.tasks[world_.reaper]).leader;
  std::vector<TaskId> others;
  world_.tasks.for_each([&](TaskId id, const Task&) {
    if (id != init) others.push_back(id);
  });
  world_.over = true;
  next_.clear();
  world_.requests.clear();
  load(SpaceId::none());
  world_.kthreadd = TaskId::none();
  forget_namespaces();
  for (const TaskId id : others) {
    effects_.touched.push_back({world_.tasks[id].tid, true});
    world_.tasks[id].parent = TaskId::none();
    if (actor_ == id) actor_ = TaskId::none();
    if (execing_ == id && world_.tasks[id].call.kind == Call::Kind::exec) dies_with_world();
  }
  execing_ = TaskId::none();
  for (const TaskId id : others) {
    Task& t = world_.tasks[id];
    t.children.clear(), t.news.clear(), t.tracees.clear();
    t.trace = {};
    t.call = {};
    if (t.space && --world_.spaces[t.space].users == 0) world_.spaces.drop(t.space);
    let_go_of_files(t);
    if (!world_.is_leader(id)) detach(id);
  }
  for (const TaskId id : others)
    if (world_.tasks.has(id)) tell(id), detach(id);
  Task& t = world_.tasks[init];
  world_.process_of(t).running_threads = 0;
  t.children.clear(), t.news.clear(), t.tracees.clear();
  t.trace = {};
  t.zombie = t.was_zombie = true;
  t.flags = t.flags | task_flag::exiting | task_flag::postcoredump;
  touch(init, true);
}

}  // namespace forkproof::spec
