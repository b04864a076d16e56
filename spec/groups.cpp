/// Who am I, and with whom: numbers, groups, sessions, and the two prctls about parents.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

Model::Answer Model::act(TaskId id, const Getpid&) {
  return answers(Outcome::task(seen_by(id, world_.leader_of(world_.tasks[id]).tid)),
                 "call.getpid"_rule);
}

Model::Answer Model::act(TaskId id, const Gettid&) {
  return answers(Outcome::task(seen_by(id, world_.tasks[id].tid)), "call.gettid"_rule);
}

Model::Answer Model::act(TaskId id, const Getppid&) {
  const TaskId parent = world_.tasks[id].parent;
  if (!parent) return answers(Outcome::task(Pid{0}), "call.getppid-outside"_rule);
  const Pid seen = seen_by(id, world_.leader_of(world_.tasks[parent]).tid);
  return answers(Outcome::task(seen),
                 seen.n == 0 ? "pidns.getppid-outside"_rule : "call.getppid"_rule);
}

Model::Answer Model::act(TaskId id, const Getpgid& op) {
  const TaskId of = op.task.n == 0 ? id : find_for(id, op.task.pid());
  if (!of) return fails(Errno::srch, "group.getpgid-no-task"_rule);
  if (world_.tasks[of].zombie) cover("group.zombie"_rule);
  const Pid seen = seen_by(id, world_.process_of(world_.tasks[of]).pgid);
  if (seen.n == 0) cover("pidns.group-outside"_rule);
  return answers(Outcome::task(seen), "group.getpgid"_rule);
}

Model::Answer Model::act(TaskId id, const Getsid& op) {
  const TaskId of = op.task.n == 0 ? id : find_for(id, op.task.pid());
  if (!of) return fails(Errno::srch, "session.getsid-no-task"_rule);
  const Pid seen = seen_by(id, world_.process_of(world_.tasks[of]).sid);
  if (seen.n == 0) cover("pidns.group-outside"_rule);
  return answers(Outcome::task(seen), "session.getsid"_rule);
}

Model::Answer Model::act(TaskId id, const Setpgid& op) {
  const Task& me = world().tasks[id];
  const Process& mine = world().process_of(me);
  const Pid self = world_.leader_of(me).tid;
  const Pid pid = op.task.n == 0 ? self : meant_by(id, op.task.pid());
  if (op.task.n == 0 || op.group.n == 0) cover("group.zero"_rule);
  const Pid pgid = op.group.n == 0 ? pid : meant_by(id, op.group.pid());
  if ((op.group.n == 0 ? op.task.n : op.group.n) < 0)
    return fails(Errno::inval, "group.negative"_rule);
  const TaskId to = world_.task_of(pid);
  if (!to) return fails(Errno::srch, "group.no-task"_rule);
  if (!world_.is_leader(to)) return fails(Errno::inval, "group.thread-number"_rule);
  const Task& t = world().tasks[to];
  const Process& p = world().process_of(t);
  if (t.zombie) cover("group.zombie"_rule);
  if (t.parent && world_.tasks[t.parent].process == me.process) {
    if (p.sid != mine.sid) return fails(Errno::perm, "group.other-session"_rule);
    if (!t.flags.has(task_flag::forknoexec)) return fails(Errno::acces, "group.after-exec"_rule);
  } else if (t.process != me.process) {
    return fails(Errno::srch, "group.not-child"_rule);
  }
  if (p.session_leader) return fails(Errno::perm, "group.session-leader"_rule);
  if (pgid != pid) {
    const Number* const number = world_.numbers.find(pgid.n);
    const bool exists = number != nullptr && !number->group.empty();
    if (!exists || world_.processes[number->group.rbegin()->second].sid != mine.sid)
      return fails(Errno::perm, "group.no-such-group"_rule);
  }

  const ProcessId process = t.process;
  if (p.pgid != pgid) {
    leave_group(process);
    join_group(process, pgid);
    touch(p);
  }
  return answers(Outcome::success(), pgid == pid ? "group.new"_rule : "group.move"_rule);
}

Model::Answer Model::act(TaskId id, const Setsid&) {
  const Task& me = world().tasks[id];
  Process& p = world_.process_of(me);
  const Pid self = world_.leader_of(me).tid;
  if (p.session_leader) return fails(Errno::perm, "session.already-leader"_rule);
  if (!world_.numbers[self.n].group.empty())
    return fails(Errno::perm, "session.group-exists"_rule);

  p.session_leader = true;
  leave_group(me.process);
  leave_session(me.process);
  join_group(me.process, self);
  join_session(me.process, self);
  touch(p);
  return answers(Outcome::task(seen_by(id, self)), "session.new"_rule);
}

Model::Answer Model::act(TaskId id, const PrctlSubreaper& op) {
  world_.process_of(world_.tasks[id]).is_subreaper = op.on != 0;
  if (op.on == 0) return answers(Outcome::success(), "prctl.subreaper-off"_rule);

  std::vector<TaskId> todo = world_.process_of(world_.tasks[id]).threads;
  while (!todo.empty()) {
    const TaskId thread = todo.back();
    todo.pop_back();
    for (const auto& [place, child] : world_.tasks[thread].children) {
      Process& p = world_.process_of(world_.tasks[child]);
      if (p.has_subreaper) continue;  // so have all below it
      if (world_.seen_in(p.ns, world_.tasks[child].tid) == kInit) {
        cover("pidns.subreaper-above"_rule);
        continue;
      }
      cover("prctl.subreaper-existing"_rule);
      p.has_subreaper = true;
      todo.insert(todo.end(), p.threads.begin(), p.threads.end());
    }
  }
  return answers(Outcome::success(), "prctl.subreaper"_rule);
}

Model::Answer Model::act(TaskId id, const PrctlPdeathsig& op) {
  if (op.signal.n < 0 || op.signal.n > kSignalMax)
    return fails(Errno::inval, "prctl.pdeathsig-range"_rule);

  world_.tasks[id].pdeath = op.signal;
  return answers(Outcome::success(), "prctl.pdeathsig"_rule);
}

// --- membership ------------------------------------------------------------------------------

void Model::join_group(ProcessId id, Pid group) {
  Process& p = world_.processes[id];
  p.pgid = group;
  if (group.n == 0) return;  // kernel threads are in none
  p.group_place = next_place();
  world_.numbers[group.n].group.put(p.group_place, id);
}

void Model::leave_group(ProcessId id) {
  const Process& p = world().processes[id];
  if (p.pgid.n == 0) return;
  world_.numbers[p.pgid.n].group.erase(p.group_place);
  give_back_if_free(p.pgid);
}

void Model::join_session(ProcessId id, Pid session) {
  world_.processes[id].sid = session;
  if (session.n == 0) return;
  Number& number = world_.numbers[session.n];
  if (number.session_members++ == 0) number.session_since = next_place();
}

void Model::leave_session(ProcessId id) {
  const Pid session = world_.processes[id].sid;
  if (session.n == 0) return;
  world_.numbers[session.n].session_members--;
  give_back_if_free(session);
}

}  // namespace forkproof::spec
