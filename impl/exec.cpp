/// exec: one thread goes on alone, under the leader's number.
///
/// Sources: fs/exec.c begin_new_exec(), de_thread(), unshare_sighand(); forkproof.md SETTLE:5.
#include "impl/bits/task_flags.hpp"
#include "impl/machine.hpp"

#include <utility>

namespace forkproof::impl {

Outcome Machine::perform(Task& t, const Exec&) { return exec(t, ExecStep::none); }
Outcome Machine::perform(Task& t, const ExecFails& op) { return exec(t, op.step); }

Outcome Machine::exec(Task& caller, ExecStep failing) {
  const bool may = !is_kthread(caller) || (profile_ == Profile::linux_4_12 && !to_kthread(caller));
  if (!may) return Outcome::failure(Errno::inval);
  if (has_too_many_to_exec(caller)) return Outcome::failure(Errno::again);
  const bool early = profile_ == Profile::linux_4_12;  // what later fails too late
  if (early && fails_at(caller, ExecStep::unshare_files, failing))
    return Outcome::failure(Errno::nomem);
  if (faults_.strike(CopyStep::alloc_bprm)) return Outcome::failure(Errno::nomem);
  const Attributes& a = attributes_of(caller);
  const bool stays = a.powerless && is_fs_shared(caller);
  if (early && a.user != User::root && is_fs_shared(caller)) ns_capable(caller, a.user_ns);
  if (process_of(caller).thread_count > 1) become_sole_thread(caller);
  if (over_) return Outcome::death(sig::kill);  // a sibling's end was to be init's, too
  Task& t = tasks_[current()];  // others have run, and may have made tasks
  if (process_of(t).exits()) return Outcome::failure(Errno::again);  // killed by what they did
  if (!is_sole_thread(t)) return wait_for_tracers(t, failing, stays);
  return exec_alone(t, failing, stays);
}

/// The exec of a process's only thread, but for its leader, which is dead.
Outcome Machine::exec_alone(Task& t, ExecStep failing, bool stays) {
  if (!is_leader(t)) take_leadership(t);
  set_exit_signal(process_of(t), static_cast<std::int16_t>(sig::chld.n));
  touch(t, true);
  if (profile_ == Profile::linux_4_12 && fails_at(t, ExecStep::unshare_sighand, failing))
    return Outcome::failure(Errno::nomem);
  return begin_new_exec(t, failing, stays);
}

/// The threads that it has ended are zombies until their tracers have reaped them.
Outcome Machine::wait_for_tracers(Task& t, ExecStep failing, bool stays) {
  t.call = Call::exec;
  t.args.options = stays;
  t.args.number = static_cast<std::int32_t>(failing);
  set_state(t, states().killable());
  execer_ = id(t);
  touch(t);
  return Outcome::of(Outcome::Kind::blocks);
}

/// A thread that sleeps so was woken: by the last of those, or by what kills it.
void Machine::go_on_execing(Task& t) {
  if (process_of(t).exits() || !is_sole_thread(t)) return;
  const bool stays = t.args.options != 0;
  t.call = Call::none;
  set_state(t, bits::kRunning);
  const Outcome done = exec_alone(t, static_cast<ExecStep>(t.args.number), stays);
  if (t.call != Call::lost) keep(t, done);
}

/// Whether only the leader is left beside it, a zombie whose place it takes, or nobody.
bool Machine::is_sole_thread(const Task& t) const {
  return process_of(t).thread_count == (is_leader(t) ? 1U : 2U);
}

/// Whether a thread of it sleeps so. O(its threads).
bool Machine::is_execing(const Process& p) const {
  for (Index i = p.threads.first; i != kNobody; i = p.threads.after(tasks_, i))
    if (tasks_[i].call == Call::exec) return true;
  return false;
}

/// A thread of `p` has been released: of the two that may be left the last is the one that execs.
void Machine::wake_execing(const Process& p) {
  Task& last = tasks_[p.threads.last(tasks_)];
  if (last.call == Call::exec && is_sole_thread(last)) wake(last, bits::kNormal);
}

/// Past the point of no return. What fails now leaves the task without a program.
Outcome Machine::begin_new_exec(Task& t, ExecStep failing, bool stays) {
  Process& p = process_of(t);
  const bool late = profile_ == Profile::linux_6;
  const auto lost = [&] {
    if (kthreadd_.exists) [[unlikely]] switch_mm(t);
    t.call = Call::lost;
    force_sigsegv(t);
    return Outcome::of(Outcome::Kind::blocks);
  };
  if (late && fails_at(t, ExecStep::unshare_files, failing)) return lost();
  unshare_files(t);
  release_vfork_parent(t);
  leave_space(p);
  if (fails_at(t, ExecStep::exec_task_namespaces, failing)) return lost();
  if (p.proxied()) exec_task_namespaces(t);
  if (late && fails_at(t, ExecStep::unshare_sighand, failing)) return lost();
  become_program(t, stays);
  if (kthreadd_.exists) [[unlikely]] switch_mm(t);
  if (fails_at(t, ExecStep::load_binary, failing)) return lost();
  if (t.traced && is_traced(t) && !tracing_of(t).seized) send(sig::trap, t, Scope::thread);
  return Outcome::success();
}

/// Whether a step of an exec has something to take, and finds no memory for it.
bool Machine::fails_at(const Task& t, ExecStep step, ExecStep failing) {
  if (failing != step && !faults_.armed()) return false;
  const Process& p = process_of(t);
  const auto of = p.proxied() ? namespaces_of(t) : std::array<Index, kNsKinds>{};
  bool takes = step == ExecStep::load_binary;
  if (step == ExecStep::unshare_files) takes = t.files != kNobody && files_[t.files].users > 1;
  if (step == ExecStep::exec_task_namespaces)
    takes = of[ns_kind::time] != of[ns_kind::time_for_children];
  if (step == ExecStep::unshare_sighand)
    takes = p.actions != kNobody && actions_[p.actions].sharers.several(processes_);
  const bool spared = profile_ == Profile::linux_6 && t.traced && is_traced(t);
  if (!takes || (spared && step != ExecStep::load_binary)) return false;
  const bool struck = faults_.strike(step_of(step));
  return struck || failing == step;
}

/// What the new program has not of the old one's.
void Machine::become_program(Task& t, bool stays) {
  Process& p = process_of(t);
  close_for_exec(t);
  if (p.actions != kNobody) {
    const SigSet ignored = actions_[p.actions].ignored;
    leave_actions(p);
    if (!ignored.empty()) own_actions(p).ignored = ignored;
  }
  if (t.attributes != kNobody) attributes_after_exec(t, stays);
  if (p.kthread != kNobody) free_kthread_struct(p), set_state(t, bits::kRunning);
  t.flags = static_cast<std::uint16_t>(bits::flags_after_exec(std::uint32_t{t.flags}));
  ++p.exec_id;
  caught_.set(id(t), 0);
}

/// Whether another process has the task's root and directory, too.
bool Machine::is_fs_shared(const Task& t) const {
  if (t.fs == kNobody) return false;
  std::uint32_t own = 0;
  const Ring<Threads>& threads = process_of(t).threads;
  for (Index i = threads.first; i != kNobody; i = threads.after(tasks_, i))
    own += tasks_[i].fs == t.fs;
  return fs_[t.fs].users > own;
}

/// The caller sleeps until its siblings are dead. Those run before it who are woken before it is,
/// which the last sibling but the leader does, or the leader if it is the only one.
void Machine::become_sole_thread(const Task& t) {
  const Index me = id(t);
  execing_ = me;
  list_others(t);
  doom_others(tasks_[me]);
  const Index leader = process_of(t).leader();
  for (const Index i : doomed_) {
    run_doomed(i);
    if (i != leader || doomed_.size() == 1) list_woken();
  }
  if (over_ || process_of(tasks_[me]).exits() || is_sole_thread(tasks_[me])) run_listed();
  execing_ = kNobody;
}

/// The old leader is a zombie, and goes silently; its place and number are now the caller's.
void Machine::take_leadership(Task& t) {
  Process& p = process_of(t);
  Task& old = leader_of(p);
  touch(t, true);
  wake_pollers(t.pid);
  if (old.traced) {
    if (profile_ == Profile::linux_6) std::swap(old.pid, t.pid);
    wake_waiters(old, tracer_of(old));
    if (profile_ == Profile::linux_6) std::swap(old.pid, t.pid);
    drop_tracing(old);
  }
  numbers_[t.pid].task = kNobody;
  free_pid(t.pid);
  t.pid = p.tgid;
  numbers_[p.tgid].task = id(t);
  if (p.detour == id(old)) p.detour = id(t);
  p.threads.remove(tasks_, id(old));
  --p.thread_count;
  if (cgroups_.in_use()) cgroups_.release(id(old));
  set_exit_state(old, bits::kExitDead);
  flush_sigqueue(old);
  put_task_struct(id(old));
  update_news(p);
}

}  // namespace forkproof::impl
