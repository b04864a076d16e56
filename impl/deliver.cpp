/// Signals, the taking half: what a task does with those that it finds when it runs.
///
/// Sources: kernel/signal.c get_signal(), do_signal_stop(), task_participate_group_stop(),
/// do_notify_parent_cldstop(); arch/x86/kernel/signal.c; forkproof.md WORLD:6.
#include "impl/bits/signal_set.hpp"
#include "impl/bits/task_flags.hpp"
#include "impl/bits/wait_status.hpp"
#include "impl/machine.hpp"

namespace forkproof::impl {
namespace {

std::int32_t signal_of(std::int32_t code) {
  return static_cast<std::int32_t>(bits::term_signal(static_cast<std::uint32_t>(code)));
}

}  // namespace

/// Deals with all signals that `t` can take, until it stops or dies of one.
Machine::Fate Machine::take_signals(Task& t) {
  const Process& p = process_of(t);
  const bool plain = !t.traced;
  t.continued = false;
  Resumed from = plain ? Resumed{} : resumed(t);
  bool tells = !from.after_signal;
  for (;;) {
    if (tells && (p.flags & process_flag::tells) != 0) tell_owed(t);
    tells = plain;
    if (p.exits() || (execing_ != kNobody && tasks_[execing_].process == t.process))
      return be_killed(t, from);
    Signal s = std::exchange(from.given, sig::none);
    bool forced = false;  // nothing is that a tracer was asked about
    if (s == sig::none) {
      if (t.traced && traps(t)) return Fate::stops;
      if (t.stop_pending || cgroups_.is_frozen(id(t))) [[unlikely]] {
        t.stop_pending ? take_part_in_stop(t) : freezer_trap(t);
        return Fate::stops;
      }
      from.may_stop = true;
      if (t.call == Call::lost && ((t.pending | p.pending) - t.blocked).empty()) force_sigsegv(t);
      const bool of_process = (t.pending - t.blocked).empty();
      s = next_signal(t);
      if (s == sig::none) return Fate::runs;
      if (t.traced && traps_for(t, s, of_process)) return Fate::stops;
      forced = s == sig::segv && t.call == Call::lost;
    }
    const Actions& a = actions_of(p);
    if (a.caught.has(s)) {
      caught_.set(id(t), caught_.find(id(t)) + 1);
      if (t.handled == Handled::nothing)
        t.handled = a.restarts.has(s) ? Handled::restarts : Handled::interrupts;
      if (!plain) tells = look_again(t) || (t.traced && tracing_of(t).is_called());
      continue;
    }
    if (SigSet{bits::spared(a.ignored.bits, p.unkillable && !forced)}.has(s)) continue;
    if (const Fate fate = act_on(t, s, from.may_stop); fate != Fate::runs) return fate;
  }
}

/// It takes SIGKILL. What it stopped for, and is yet to be told of, is not lost.
Machine::Fate Machine::be_killed(Task& t, const Resumed& from) {
  if (from.given != sig::none && profile_ == Profile::linux_6)
    send(from.given, t, from.of_process ? Scope::process : Scope::thread);
  flush_queue(t.pending, SignalQueues::of_task(id(t)), SigSet::of(sig::kill));
  return act_on(t, sig::kill, false);
}

/// What the kernel does with a signal that is neither caught nor ignored.
Machine::Fate Machine::act_on(Task& t, Signal s, bool may_stop) {
  if (!kStopSignals.has(s)) {
    die(t, s);
    return Fate::dies;
  }
  if (s != sig::stop && orphaned(groups_[process_of(t).group], nullptr)) return Fate::runs;
  if (!may_stop || t.stop_pending) return Fate::runs;  // it joins the one that is under way
  begin_stop(t, s);
  if (!t.traced || !traps(t)) take_part_in_stop(t);
  return Fate::stops;
}

/// The parent hears of the stop or the continue that it is owed, and a tracer of the leader that is
/// of elsewhere.
void Machine::tell_owed(Task& t) {
  Process& p = process_of(t);
  set_flags(p, p.flags & static_cast<std::uint8_t>(~process_flag::tells));
  tell_parent(p);
  Task& leader = leader_of(p);
  if (leader.traced && !is_familys(leader)) tell_tracer(leader);
}

/// Takes the next signal off the queues: the thread's own first, then the process's.
Signal Machine::next_signal(Task& t) {
  Process& p = process_of(t);
  SigSet next{bits::next_signal(t.pending.bits, t.blocked.bits)};
  if (!next.empty()) {
    collect_signal(t.pending, SignalQueues::of_task(id(t)), next.lowest());
  } else {
    next.bits = bits::next_signal(p.pending.bits, t.blocked.bits);
    if (!next.empty())
      collect_signal(p.pending, SignalQueues::of_process(id(p)), next.lowest());
  }
  look_again(t);
  if (next.empty()) return sig::none;
  touch(p);
  return next.lowest();
}

/// Dies of `s`, unless the process already dies of something else.
void Machine::die(Task& t, Signal s) {
  const Process& p = process_of(t);
  dequeue(t);  // what it sent itself again may have woken it, who runs
  t.flags = static_cast<std::uint16_t>(bits::flags_signaled(std::uint32_t{t.flags}));
  if (id(t) == current() || id(t) == execer_)
    effects_.outcome = Outcome::death({p.exits() ? signal_of(p.exit_code) : s.n});
  exit_group(t, static_cast<std::int32_t>(bits::killed_status(static_cast<std::uint32_t>(s.n))));
}

/// A SIGSEGV that is not blocked, and does what it does by default: for all who share the table.
void Machine::force_sigsegv(Task& t) {
  const Process& p = process_of(t);
  t.blocked.remove(sig::segv);
  if (p.actions != kNobody) {
    Actions& a = actions_[p.actions];
    a.caught.remove(sig::segv);
    a.ignored.remove(sig::segv);
    for (Index i = a.sharers.first; i != kNobody; i = a.sharers.after(processes_, i))
      touch(processes_[i]);
  }
  if (!t.pending.has(sig::segv))
    queue_signal(t.pending, SignalQueues::of_task(id(t)), sig::segv, t, Origin::usual);
  t.signalled = true;
  touch(t);
}

/// A stop signal takes effect: every thread that can be stopped is asked to.
void Machine::begin_stop(Task& t, Signal s) {
  Process& p = process_of(t);
  if ((p.flags & process_flag::stopped) == 0) p.exit_code = s.n;
  p.to_stop = 1;
  t.stop_pending = t.stop_counted = true;
  t.stopped_by = static_cast<std::uint8_t>(s.n);
  for (Index i = Ring<Threads>::around(tasks_, id(t)); i != id(t);
       i = Ring<Threads>::around(tasks_, i)) {
    Task& other = tasks_[i];
    if (other.stopped() || (other.flags & task_flag::exiting.bits) != 0) continue;
    other.stop_pending = other.stop_counted = true;
    other.stopped_by = t.stopped_by;
    ++p.to_stop;
    alert(other, false);
  }
}

void Machine::take_part_in_stop(Task& t) {
  const bool complete = leave_stop_count(t);
  t.frozen = false;
  dequeue(t);  // whom its wait released may have told of another, and woken it, who runs
  set_state(t, states().stopped());
  touch(t);
  if (complete) tell_parent(process_of(t));
}

/// One thread less to wait for. True when that completes a new stop.
bool Machine::leave_stop_count(Task& t) {
  Process& p = process_of(t);
  const bool counted = t.stop_counted;
  t.stop_pending = t.stop_counted = false;
  if (!counted || --p.to_stop > 0 || (p.flags & process_flag::stopped) != 0) return false;
  set_flags(p, process_flag::stopped);
  return true;
}

/// Tells the parent that `p` stopped or goes on.
void Machine::tell_parent(Process& p) {
  if (p.parent == kNobody) return;
  Task& parent = tasks_[p.parent];
  const Actions& a = actions_of(process_of(parent));
  if (!a.ignored.has(sig::chld) && !a.child.has(sa_flag::nocldstop))
    send(sig::chld, parent, Scope::process, nullptr, Origin::child);
  wake_waiters(leader_of(p), p.parent);
}

Outcome Machine::perform(Task& t, const Pause&) {
  t.call = Call::pause;
  set_state(t, bits::kInterruptible);
  touch(t);
  return Outcome::of(Outcome::Kind::blocks);
}

}  // namespace forkproof::impl
