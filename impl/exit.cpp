/// The end of a thread, and of a process.
///
/// Sources: kernel/exit.c do_exit(), do_group_exit(), exit_notify(), release_task();
/// kernel/signal.c exit_signals(), zap_other_threads(), do_notify_parent().
#include "impl/bits/death.hpp"
#include "impl/bits/task_flags.hpp"
#include "impl/bits/wait_status.hpp"
#include "impl/machine.hpp"

namespace forkproof::impl {
namespace {

std::int32_t status_of(std::int32_t code) {
  return static_cast<std::int32_t>(bits::exited_status(static_cast<std::uint32_t>(code)));
}

void mark_ended(Task& t) {
  t.flags = static_cast<std::uint16_t>(bits::flags_ended(std::uint32_t{t.flags}));
}

}  // namespace

Outcome Machine::perform(Task& t, const Exit& op) {
  if (Kthread* const k = to_kthread(t)) k->result = op.code;
  do_exit(t, status_of(op.code));
  return Outcome::of(Outcome::Kind::nothing);
}

Outcome Machine::perform(Task& t, const ExitGroup& op) {
  Process& p = process_of(t);
  if (p.live > 1) {
    list_others(t);
    exit_group(t, status_of(op.code));
    for (const Index i : doomed_) run_doomed(i);
  } else if (p.thread_count > 1) {
    exit_group(t, status_of(op.code));
  } else {
    do_exit(t, status_of(op.code));
  }
  return Outcome::of(Outcome::Kind::nothing);
}

/// Ends the process: `t` now, the others when they run. If it is ending already, its first
/// verdict stands.
void Machine::exit_group(Task& t, std::int32_t code) {
  Process& p = process_of(t);
  if (p.exits()) {
    code = p.exit_code;
  } else if (execing_ != kNobody && tasks_[execing_].process == t.process) {
    code = 0;
  } else {
    p.exit_code = code;
    set_flags(p, process_flag::exits);
    doom_others(t);
  }
  do_exit(t, code);
}

void Machine::doom_others(Task& t) {
  Process& p = process_of(t);
  p.to_stop = 0;
  t.stop_pending = t.stop_counted = false;
  for (Index i = Ring<Threads>::around(tasks_, id(t)); i != id(t);
       i = Ring<Threads>::around(tasks_, i)) {
    tasks_[i].stop_pending = tasks_[i].stop_counted = false;
    alert(tasks_[i], true);
  }
}

/// Takes down the other threads of `t`'s process, going round from it.
void Machine::list_others(const Task& t) {
  doomed_.clear();
  for (Index i = Ring<Threads>::around(tasks_, id(t)); i != id(t);
       i = Ring<Threads>::around(tasks_, i))
    doomed_.push_back(i);
}

/// One of those that were listed dies at once.
void Machine::run_doomed(Index i) {
  Task& t = tasks_[i];
  if (over_ || t.zombie()) return;
  dequeue(t);
  run(t);
}

/// The end of a thread, step by step (impl/steps.hpp).
void Machine::do_exit(Task& t, std::int32_t code) {
  Process& p = process_of(t);
  const bool group_dead = synchronize_group_exit(p, code);
  exit_signals(t);
  t.exit_code = code;
  if (t.call == Call::ask) abandon_request(t);
  t.call = Call::none;
  t.has_result = t.frozen = false;
  touch(p, true);
  exit_mm(t, group_dead);
  // exit_sem, exit_shm: nothing
  exit_files(t);
  exit_fs(t);
  if (p.ns != kNobody) [[unlikely]] exit_task_namespaces(t);
  // exit_task_work, exit_thread: nothing
  cgroup_exit(t);
  if (t.traced || t.traces) [[unlikely]] leave_tracings(t);
  if (group_dead && is_init(p)) return end_world(p);
  const bool gone = p.ns == kNobody || find_child_reaper(t);
  if (!gone) return;
  leave_family(t);
}

/// The last of it: nobody is the thread's child any more, and its parent hears of it.
void Machine::leave_family(Task& t) {
  Process& p = process_of(t);
  if (!t.children.empty() || id(t) == reaper_) forget_original_parent(t);
  if (p.live == 0 && p.parent != kNobody)
    kill_orphaned_pgrp(p, process_of(tasks_[p.parent]), &p);
  exit_notify(t);
  if (!forsaken_.empty()) [[unlikely]] release_forsaken();
}

/// Counts a thread out. True when it was the last, whose code is then the process's.
bool Machine::synchronize_group_exit(Process& p, std::int32_t code) {
  if (--p.live > 0) return false;
  if (profile_ == Profile::linux_6 && !p.exits()) {
    p.exit_code = code;
    p.to_stop = 0;
    set_flags(p, process_flag::exits);
  }
  return true;
}

/// From here on no signal finds the thread: those it could have taken are others' to take.
void Machine::exit_signals(Task& t) {
  Process& p = process_of(t);
  t.flags = static_cast<std::uint16_t>(bits::flags_exiting(std::uint32_t{t.flags}));
  if (profile_ == Profile::linux_6) mark_ended(t);
  if (p.thread_count == 1 || p.exits() || !t.signalled) return;
  retarget(t);
  if (t.stop_pending && leave_stop_count(t)) tell_parent(p);
}

void Machine::release_vfork_parent(Task& t) {
  if (t.vfork_parent == kNobody) return;
  Task& parent = tasks_[t.vfork_parent];
  t.vfork_parent = kNobody;
  parent.vfork_child = kNobody;
  wake(parent, bits::kNormal);
}

void Machine::exit_mm(Task& t, bool group_dead) {
  if (t.vfork_child != kNobody) {
    tasks_[t.vfork_child].vfork_parent = kNobody;
    t.vfork_child = kNobody;
  }
  release_vfork_parent(t);
  if (process_of(t).kthread != kNobody) exit_kthread(t);
  if (group_dead) leave_space(process_of(t));
}

void Machine::exit_notify(Task& t) {
  Process& p = process_of(t);
  mark_ended(t);
  set_state(t, states().dead);
  set_exit_state(t, bits::kExitZombie);
  if (t.traced) [[unlikely]]
    mourn_traced(t, false);
  else if (!is_leader(t))
    release_task(t);
  else if (p.thread_count == 1 && mourn(p))
    release_task(t);
}

/// A dead thread goes. The last one to go lets the parent know of a leader that died before.
void Machine::release_task(Task& t) {
  Process& p = process_of(t);
  const bool was_thread = !is_leader(t);
  touch(t);
  dequeue(t);
  if (cgroups_.in_use()) [[unlikely]] cgroup_release(t);
  if (t.traced) [[unlikely]] drop_tracing(t);
  unhash_process(t);
  free_pid(t.pid);
  set_exit_state(t, bits::kExitDead);
  if (was_thread && ever_traced_) [[unlikely]] wake_execing(p);
  if (profile_ == Profile::linux_4_12) flush_sigqueue(t);
  const bool zaps_leader = was_thread && dead(p) && mourn_leader(leader_of(p));
  flush_sigqueue(t);
  put_task_struct(id(t));
  if (zaps_leader) release_task(leader_of(p));
}

/// What was queued for the thread alone counts no more.
void Machine::flush_sigqueue(Task& t) {
  flush_queue(t.pending, SignalQueues::of_task(id(t)), t.pending);
}

void Machine::put_task_struct(Index task) {
  caught_.set(task, 0);
  if (tasks_[task].attributes != kNobody) {
    count_user(attributes_of(tasks_[task]), false);
    leave_attributes(tasks_[task]);
  }
  if (usage_.end() > 1) [[unlikely]] thread_usage_.set(task, 0);
  tasks_.give_back(task);
}

/// Nothing finds the thread any more, nor, with its leader, the process.
void Machine::unhash_process(Task& t) {
  Process& p = process_of(t);
  wake_pollers(t.pid);
  numbers_[t.pid].task = kNobody;
  if (is_leader(t)) return unhash_leader(p);
  if (p.detour == id(t)) p.detour = Ring<Threads>::around(tasks_, id(t));
  p.threads.remove(tasks_, id(t));
  --p.thread_count;
}

void Machine::unhash_leader(Process& p) {
  Task& parent = tasks_[p.parent];
  parent.children.remove(processes_, id(p));
  if (linked<News>(p)) parent.news.remove(processes_, id(p));
  all_.remove(processes_, id(p));
  leave_group(p);
  leave_session(p);
  if ((p.actions | p.limits | p.usage) != kNobody) leave_records(p);
  flush_queue(p.pending, SignalQueues::of_process(id(p)), p.pending);
  processes_.give_back(id(p));
}

/// What most processes have none of.
void Machine::leave_records(Process& p) {
  leave_actions(p);
  leave_limits(p);
  leave_usage(p);
}

/// `p` has just become dead as a whole. True when nobody will wait: its leader is to be released.
bool Machine::mourn(Process& p) {
  if (p.parent == kNobody) return false;
  count_child(p, false);
  if (notify_parent(p)) return true;
  update_news(p);
  return false;
}

/// The last thread of a leader that is dead tells what was held back.
bool Machine::mourn_leader(Task& leader) {
  if (!leader.traced) return mourn(process_of(leader));
  mourn_traced(leader, true);
  return false;
}

/// Tells the parent of a death. True when it does not care, so that nobody will wait.
bool Machine::notify_parent(Process& p) {
  wake_pollers(p.tgid);
  Task& parent = tasks_[p.parent];
  Process& family = process_of(parent);
  const Actions& a = actions_of(family);
  const bool ignored = a.ignored.has(sig::chld);
  const bool unwanted_by_flag = a.child.has(sa_flag::nocldwait);
  const auto signal = bits::death_signal(static_cast<std::uint32_t>(p.exit_signal),
                                         p.parent_exec_id != family.exec_id);
  const bool unwanted = bits::unwanted(signal, ignored, unwanted_by_flag);
  const Signal sent{static_cast<std::int32_t>(signal)};
  if (bits::is_sent(signal, ignored))
    send(sent, parent, Scope::process, nullptr, Origin::child);
  wake_waiters(leader_of(p), p.parent);
  return unwanted;
}

}  // namespace forkproof::impl
