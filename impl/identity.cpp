/// Who a task is, its group and session, and prctl.
///
/// Sources: kernel/sys.c setpgid(), ksys_setsid(), do_getpgid(), prctl(); credentials(7).
#include "impl/machine.hpp"

namespace forkproof::impl {

Outcome Machine::perform(Task& t, const Getpid&) { return number_for(t, process_of(t).tgid); }

Outcome Machine::perform(Task& t, const Gettid&) { return Outcome::task(Pid{seen_by(t, t.pid)}); }

Outcome Machine::perform(Task& t, const Getppid&) {
  return Outcome::task(Pid{seen_by(t, parent_number(process_of(t)))});
}

Outcome Machine::perform(Task& t, const Getpgid& op) {
  const Task* const who = op.task.n == 0 ? &t : find_for(t, op.task.pid());
  if (who == nullptr) return Outcome::failure(Errno::srch);
  return Outcome::task(Pid{seen_by(t, groups_[process_of(*who).group].number)});
}

Outcome Machine::perform(Task& t, const Getsid& op) {
  const Task* const who = op.task.n == 0 ? &t : find_for(t, op.task.pid());
  if (who == nullptr) return Outcome::failure(Errno::srch);
  return Outcome::task(Pid{seen_by(t, process_of(*who).sid)});
}

Outcome Machine::perform(Task& t, const Setpgid& op) {
  const Process& own = process_of(t);
  const std::int32_t pid = op.task.n == 0 ? own.tgid : meant_by(t, op.task.n);
  const std::int32_t pgid = op.group.n == 0 ? pid : meant_by(t, op.group.n);
  if (pgid < 0) return Outcome::failure(Errno::inval);
  const Task* const who = find({pid});
  if (who == nullptr) return Outcome::failure(Errno::srch);
  if (!is_leader(*who)) return Outcome::failure(Errno::inval);
  Process& p = process_of(*who);
  if (p.parent != kNobody && tasks_[p.parent].process == t.process) {
    if (p.sid != own.sid) return Outcome::failure(Errno::perm);
    if ((who->flags & task_flag::forknoexec.bits) == 0) return Outcome::failure(Errno::acces);
  } else if (&p != &own) {
    return Outcome::failure(Errno::srch);
  }
  if (p.leads_session) return Outcome::failure(Errno::perm);
  if (pgid != pid) {
    const Index g = numbers_.find(pgid).group;
    if (g == kNobody || groups_[g].sid != own.sid) return Outcome::failure(Errno::perm);
  }

  if (groups_[p.group].number == pgid) return Outcome::success();
  leave_group(p);
  join_group(p, pgid);
  touch(p);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Setsid&) {
  Process& p = process_of(t);
  if (p.leads_session) return Outcome::failure(Errno::perm);
  if (numbers_.find(p.tgid).group != kNobody) return Outcome::failure(Errno::perm);

  p.leads_session = true;
  leave_session(p);
  join_session(p, p.tgid);
  leave_group(p);
  join_group(p, p.tgid);
  touch(p);
  return Outcome::task(Pid{seen_by(t, p.tgid)});
}

/// All descendants learn that there is a subreaper above them; below one that knows, all know.
Outcome Machine::perform(Task& t, const PrctlSubreaper& op) {
  process_of(t).is_subreaper = op.on != 0;
  if (op.on == 0) return Outcome::success();
  scratch_.assign(1, t.process);
  while (!scratch_.empty()) {
    const Process& p = processes_[scratch_.back()];
    scratch_.pop_back();
    for_each_thread(p, [&](const Task& thread) {
      const Ring<Siblings>& children = thread.children;
      for (Index i = children.first; i != kNobody; i = children.after(processes_, i)) {
        if (processes_[i].has_subreaper || processes_[i].unkillable) continue;
        processes_[i].has_subreaper = true;
        scratch_.push_back(i);
      }
    });
  }
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const PrctlPdeathsig& op) {
  if (op.signal.n < 0 || op.signal.n > kSignalMax) return Outcome::failure(Errno::inval);
  t.pdeath_signal = static_cast<std::uint8_t>(op.signal.n);
  return Outcome::success();
}

}  // namespace forkproof::impl
