/// exec: one thread goes on alone, under the leader's number.
///
/// Sources: fs/exec.c begin_new_exec(), de_thread(), unshare_sighand(); forkproof.md SETTLE:5.
#include "impl/machine.hpp"

namespace forkproof::impl {

Outcome Machine::perform(Task& t, const Exec&) {
  Process& p = process_of(t);
  if (p.thread_count > 1) become_sole_thread(t);
  set_exit_signal(p, static_cast<std::int16_t>(sig::chld.n));
  release_vfork_parent(t);
  leave_space(p);
  if (p.actions != kNobody) {
    const SigSet ignored = actions_[p.actions].ignored;
    leave_actions(p);
    if (!ignored.empty()) own_actions(p).ignored = ignored;
  }
  t.flags &= static_cast<std::uint16_t>(~task_flag::forknoexec.bits);
  ++p.exec_id;
  touch(t, true);
  return Outcome::success();
}

void Machine::become_sole_thread(Task& t) {
  execing_ = id(t);
  list_others(t);
  doom_others(t);
  run_doomed();
  execing_ = kNobody;
  if (!is_leader(t)) take_leadership(t);
}

/// The old leader is a zombie, and goes silently; its place and number are now the caller's.
void Machine::take_leadership(Task& t) {
  Process& p = process_of(t);
  Task& old = leader_of(p);
  touch(t, true);
  numbers_[t.pid].task = kNobody;
  let_go(t.pid);
  t.pid = p.tgid;
  numbers_[p.tgid].task = id(t);
  if (p.detour == id(old)) p.detour = id(t);
  p.threads.remove(tasks_, id(old));
  --p.thread_count;
  tasks_.give_back(id(old));
}

}  // namespace forkproof::impl
