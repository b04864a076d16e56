/// Signals, the sending half: who is meant, what is dropped, who is woken to take it.
///
/// Sources: kernel/signal.c kill_something_info(), prepare_signal(), __send_signal_locked(),
/// complete_signal(), do_sigaction(); forkproof.md SETTLE:3, SETTLE:4, SETTLE:7.
#include "impl/bits/signal_set.hpp"
#include "impl/bits/wake.hpp"
#include "impl/machine.hpp"

namespace forkproof::impl {
namespace {

/// Whether `kill` may be given it; 0 asks only.
bool sendable(Signal s) { return s.n >= 0 && s.n <= kSignalMax; }

Outcome answer_of(Errno e) { return e == Errno::ok ? Outcome::success() : Outcome::failure(e); }

}  // namespace

Outcome Machine::perform(Task& t, const Kill& op) {
  // Kinds of target are one number to the kernel: task n, -group, 0 for the own, -1 for all.
  const auto n = static_cast<std::uint32_t>(op.target.who.n);
  std::int32_t pid = 0;
  switch (op.target.kind) {
    case Target::Kind::task: pid = op.target.who.n; break;
    case Target::Kind::group: pid = static_cast<std::int32_t>(0U - n); break;
    case Target::Kind::own_group: pid = 0; break;
    case Target::Kind::all: pid = -1; break;
  }
  if (pid == 0) return answer_of(kill_group(&groups_[process_of(t).group], op.signal, &t));
  if (pid == -1) return answer_of(kill_all(t, op.signal));
  if (pid < 0) {
    const Index g = pid == INT32_MIN ? kNobody : numbers_.find(meant_by(t, -pid)).group;
    return answer_of(kill_group(g == kNobody ? nullptr : &groups_[g], op.signal, &t));
  }
  Task* const to = find_for(t, {pid});
  if (to == nullptr) return Outcome::failure(Errno::srch);
  if (!sendable(op.signal)) return Outcome::failure(Errno::inval);
  if (valid(op.signal)) send(op.signal, *to, Scope::process, &t);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Tgkill& op) {
  if (op.process.n <= 0 || op.thread.n <= 0) return Outcome::failure(Errno::inval);
  Task* const to = find_for(t, op.thread.pid());
  if (to == nullptr || seen_by(t, process_of(*to).tgid) != op.process.n)
    return Outcome::failure(Errno::srch);
  if (!sendable(op.signal)) return Outcome::failure(Errno::inval);
  const bool sent = !valid(op.signal) || send(op.signal, *to, Scope::thread, &t, Origin::tkill);
  return sent ? Outcome::success() : Outcome::failure(Errno::again);
}

/// To every member, the one that joined last first.
Errno Machine::kill_group(const Group* g, Signal s, const Task* from) {
  if (g == nullptr) return Errno::srch;
  if (!sendable(s)) return Errno::inval;
  if (s == sig::none) return Errno::ok;
  for (Index i = g->members.last(processes_); i != kNobody; i = g->members.before(processes_, i))
    send(s, leader_of(processes_[i]), Scope::process, from);
  return Errno::ok;
}

/// To every process that the caller sees but init and its own.
Errno Machine::kill_all(const Task& t, Signal s) {
  bool anybody = false;
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    if (i == t.process || seen_by(t, processes_[i].tgid) <= kInit.n) continue;
    anybody = true;
    if (valid(s)) send(s, leader_of(processes_[i]), Scope::process, &t);
  }
  if (!anybody) return Errno::srch;
  return sendable(s) ? Errno::ok : Errno::inval;
}

/// False: the signal is lost, as its sender may not do without an entry for it.
bool Machine::send(Signal s, Task& to, Scope scope, const Task* from, Origin by) {
  Process& p = process_of(to);
  if (!prepare(s, to, from)) return true;
  SigSet& pending = scope == Scope::process ? p.pending : to.pending;
  if (s.n < kFirstRealTimeSignal && pending.has(s)) return true;
  const std::uint64_t list = scope == Scope::process ? SignalQueues::of_process(id(p))
                                                     : SignalQueues::of_task(id(to));
  if (!queue_signal(pending, list, s, to, by)) return false;
  scope == Scope::process ? touch(p) : touch(to);
  choose_taker(s, to, scope);
  return true;
}

/// What a signal does when it is sent, whoever blocks it. False if it is then dropped.
bool Machine::prepare(Signal s, Task& to, const Task* from) {
  Process& p = process_of(to);
  if (p.exits()) return false;
  const SigSet out{bits::driven_out(SigSet::of(s).bits)};
  if (!out.empty()) flush(p, out);
  if (s == sig::cont) resume(p);
  if (to.traced && (s != sig::kill || profile_ != Profile::linux_6) && is_traced(to)) [[unlikely]]
    return true;
  const Actions& a = actions_of(p);
  const SigSet dropped{
      bits::dropped(a.ignored.bits, a.caught.bits, to.blocked.bits, p.unkillable)};
  return !dropped.has(s) || (p.unkillable && !shields(p, s, from));
}

/// Whether an init is protected from a signal that nothing was said about: not from SIGKILL and
/// SIGSTOP by one that its namespace does not see.
bool Machine::shields(const Process& p, Signal s, const Task* from) const {
  return !kUnblockable.has(s) || from == nullptr || number_in(p.pid_ns(), from->pid) != 0;
}

/// SIGCONT: stopped threads go on. A stop that was under way counts as made, and undone.
void Machine::resume(Process& p) {
  for_each_thread(p, [&](Task& t) {
    t.stop_pending = t.stop_counted = false;
    if (t.traced) [[unlikely]] {
      Tracing& tracing = tracing_of(t);
      tracing.may_stop = false;
      tracing.notify = tracing.seized && (t.flags & task_flag::exiting.bits) == 0;
      if (tracing.notify) alert(t, false);
    }
    if (!t.stopped()) return;
    wake(t, bits::kStoppedBit);
    t.continued = true;
    touch(t);
  });
  std::uint8_t tell = 0;
  if ((p.flags & process_flag::stopped) != 0)
    tell = process_flag::tell_continued;
  else if (p.to_stop > 0)
    tell = process_flag::tell_stopped;
  if (tell == 0) return;
  p.to_stop = 0;
  p.exit_code = 0;
  set_flags(p, tell | process_flag::continued);
}

/// Forgets pending signals of the process and of all its threads.
void Machine::flush(Process& p, SigSet which) {
  flush_queue(p.pending, SignalQueues::of_process(id(p)), which);
  for_each_thread(
      p, [&](Task& t) { flush_queue(t.pending, SignalQueues::of_task(id(t)), which); });
  touch(p);
}

bool Machine::wants(Signal s, const Task& t) const {
  const bool exiting = (t.flags & task_flag::exiting.bits) != 0;
  const bool busy = t.signalled && (id(t) != current() || id(t) == execing_);  // else it looks soon
  return bits::wants(t.blocked.has(s), exiting, s == sig::kill, t.halted(), busy);
}

/// Wakes a thread that can take the signal. One that will be fatal dooms the process at once.
void Machine::choose_taker(Signal s, Task& to, Scope scope) {
  Process& p = process_of(to);
  Index taker = id(to);
  if (!wants(s, to)) {
    if (scope == Scope::thread || p.thread_count == 1) return;
    taker = p.detour;
    while (!wants(s, tasks_[taker])) {
      taker = Ring<Threads>::around(tasks_, taker);
      if (taker == p.detour) return;
    }
    p.detour = taker;
  }
  const Actions& a = actions_of(p);
  const SigSet harmless{bits::harmless(a.ignored.bits, a.caught.bits)};
  const Task& by = profile_ == Profile::linux_6 ? to : tasks_[taker];
  const bool held = by.traced && s != sig::kill && is_traced(by);
  if (!harmless.has(s) && !held)  // who comes so far ends even init
    doom(p, s);
  else
    alert(tasks_[taker], s == sig::kill);
}

void Machine::doom(Process& p, Signal s) {
  p.exit_code = s.n;
  p.to_stop = 0;
  set_flags(p, process_flag::exits);
  for_each_thread(p, [&](Task& t) {
    t.stop_pending = t.stop_counted = false;
    alert(t, true);
  });
}

/// Says that there are signals to look at. A thread that is stopped, or that waits for a vfork
/// child, is woken by a fatal one only.
void Machine::alert(Task& t, bool fatal) {
  t.signalled = true;
  wake(t, bits::signal_mask(std::uint32_t{0}, fatal, states()));
}

/// The calling thread looks whether there are signals for it; true if so.
bool Machine::look_again(Task& t) {
  const SigSet pending = t.pending | process_of(t).pending;
  t.signalled = t.stop_pending || bits::deliverable(pending.bits, t.blocked.bits) != 0;
  return t.signalled;
}

/// Others are told of the process's signals that `t` could have taken, but no longer will.
void Machine::retarget(Task& t) {
  Process& p = process_of(t);
  SigSet left{bits::deliverable(p.pending.bits, t.blocked.bits)};
  for (Index i = Ring<Threads>::around(tasks_, id(t)); i != id(t) && !left.empty();
       i = Ring<Threads>::around(tasks_, i)) {
    Task& other = tasks_[i];
    if ((other.flags & task_flag::exiting.bits) != 0 || (left - other.blocked).empty()) continue;
    left = left & other.blocked;
    if (!other.signalled) alert(other, false);
  }
}

void Machine::set_flags(Process& p, std::uint8_t flags) {
  if (((p.flags | flags) & (process_flag::stopped | process_flag::continued)) == 0) {
    p.flags = flags;  // as at most exits: no news
    return;
  }
  Group& g = groups_[p.group];
  g.stopped -= p.flags & process_flag::stopped;
  g.stopped += flags & process_flag::stopped;
  p.flags = flags;
  update_news(p);
}

Outcome Machine::perform(Task& t, const Sigaction& op) {
  if (!valid(op.signal) || kUnblockable.has(op.signal)) return Outcome::failure(Errno::inval);
  Process& p = process_of(t);
  Actions& a = own_actions(p);
  const auto set = [&](SigSet& s, bool in) { in ? s.add(op.signal) : s.remove(op.signal); };
  set(a.ignored, op.disposition == Disposition::ignore);
  set(a.caught, op.disposition == Disposition::catch_);
  set(a.restarts, op.flags.has(sa_flag::restart));
  if (op.signal == sig::chld) a.child = op.flags & (sa_flag::nocldstop | sa_flag::nocldwait);
  for (Index i = a.sharers.first; i != kNobody; i = a.sharers.after(processes_, i))
    touch(processes_[i]);
  const SigSet ignoring{bits::ignoring(a.ignored.bits, a.caught.bits)};
  if (ignoring.has(op.signal)) flush(p, SigSet::of(op.signal));
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Sigprocmask& op) {
  const SigSet given{bits::blockable(op.set.bits)};
  SigSet blocked = given;
  if (op.how == MaskHow::block) blocked = t.blocked | given;
  if (op.how == MaskHow::unblock) blocked.bits = bits::without(t.blocked.bits, given.bits);
  if (blocked == t.blocked) return Outcome::success();  // and nobody looks at signals
  t.blocked = blocked;
  look_again(t);
  touch(t);
  return Outcome::success();
}

/// The process's own table of actions, made if it had none.
Actions& Machine::own_actions(Process& p) {
  if (p.actions == kNobody) {
    p.actions = actions_.take();
    actions_[p.actions] = {};
    actions_[p.actions].sharers.push_back(processes_, id(p));
  }
  return actions_[p.actions];
}

void Machine::leave_actions(Process& p) {
  if (p.actions == kNobody) return;
  Ring<Sharers>& sharers = actions_[p.actions].sharers;
  sharers.remove(processes_, id(p));
  if (sharers.empty()) actions_.give_back(p.actions);
  p.actions = kNobody;
}

}  // namespace forkproof::impl
