/// Tracing: requests of tracers, stops of tracees, and how either ends.
///
/// Tracings are few, and in one list, the youngest last; tasks that have to do with one have a bit
/// set. Costs: O(tracings) for what a tracer or a tracee does, one test of a bit for all others.
///
/// Sources: kernel/ptrace.c ptrace_attach(), ptrace_unlink(), exit_ptrace(), ptrace_request();
/// kernel/signal.c ptrace_stop(), ptrace_signal(), do_jobctl_trap(); kernel/exit.c exit_notify().
#include <algorithm>

#include "impl/bits/death.hpp"
#include "impl/machine.hpp"

namespace forkproof::impl {

// --- requests ------------------------------------------------------------------------------------

Outcome Machine::perform(Task& t, const PtraceTraceme&) {
  const Process& p = process_of(t);
  if (is_traced(t) || p.parent == kNobody) return Outcome::failure(Errno::perm);
  if (!has_caps_of(tasks_[p.parent], t)) return Outcome::failure(Errno::perm);
  link_tracing(t, tasks_[p.parent]);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const PtraceAttach& op) {
  return start_tracing(t, op.task, false, false);
}

Outcome Machine::perform(Task& t, const PtraceSeize& op) {
  return start_tracing(t, op.task, true, op.options.has(trace_flag::exitkill));
}

Outcome Machine::start_tracing(Task& t, TaskRef whom, bool seize, bool exitkill) {
  Task* const to = find_for(t, whom.pid());
  if (to == nullptr) return Outcome::failure(Errno::srch);
  if (is_kthread(*to) || to->process == t.process) return Outcome::failure(Errno::perm);
  if (is_execing(process_of(*to))) return Outcome::failure(Errno::again);
  const bool marks = profile_ == Profile::linux_6;
  if (to->zombie() || is_traced(*to) || !ptrace_may_access(t, *to, true, marks))
    return Outcome::failure(Errno::perm);
  Tracing& tracing = link_tracing(*to, t);
  tracing.seized = seize;
  tracing.exitkill = exitkill;
  if (!seize) send(sig::stop, *to, Scope::thread, &kKernel, Origin::forced);
  if (to->stopped()) {
    tracing.again = to->continued = true;
    wake(*to, bits::kStoppedBit);
    dequeue(*to);
    run(*to);  // the caller sleeps until it has stopped anew
  }
  return Outcome::success();
}

/// The tracing that a request of `t` is about: of its own, and of one that has stopped if it must.
Tracing* Machine::own_tracing(Task& t, TaskRef whom, bool stopped) {
  Task* const to = find_for(t, whom.pid());
  if (to == nullptr || !to->traced) return nullptr;
  Tracing& tracing = tracing_of(*to);
  return tracing.tracer == id(t) && (!stopped || to->trapped()) ? &tracing : nullptr;
}

Outcome Machine::perform(Task& t, const PtraceInterrupt& op) {
  Tracing* const tracing = own_tracing(t, op.task, false);
  if (tracing == nullptr) return Outcome::failure(Errno::srch);
  if (!tracing->seized) return Outcome::failure(Errno::io);
  Task& to = tasks_[tracing->tracee];
  if ((to.flags & task_flag::exiting.bits) == 0) {
    tracing->again = true;
    alert(to, false);
  }
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const PtraceCont& op) {
  Tracing* const tracing = own_tracing(t, op.task, true);
  if (tracing == nullptr) return Outcome::failure(Errno::srch);
  if (op.signal.n != 0 && !valid(op.signal)) return Outcome::failure(Errno::io);
  tracing->code = op.signal;
  leave_trap(tasks_[tracing->tracee]);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const PtraceDetach& op) {
  Tracing* const tracing = own_tracing(t, op.task, true);
  if (tracing == nullptr) return Outcome::failure(Errno::srch);
  if (op.signal.n != 0 && !valid(op.signal)) return Outcome::failure(Errno::io);
  tracing->code = op.signal;
  unlink_tracing(tasks_[tracing->tracee]);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const PtraceSetoptions& op) {
  Tracing* const tracing = own_tracing(t, op.task, true);
  if (tracing == nullptr) return Outcome::failure(Errno::srch);
  tracing->exitkill = op.options.has(trace_flag::exitkill);
  return Outcome::success();
}

// --- the list ------------------------------------------------------------------------------------

const Tracing& Records::tracing_of(const Task& t) const {
  return *std::ranges::find(tracings_, id(t), &Tracing::tracee);
}

/// Whether the process of its parent traces it, or nobody.
bool Records::is_familys(const Task& t) const {
  const Index tracer = tracer_of(t);
  const Index parent = process_of(t).parent;
  return tracer == kNobody ||
         (parent != kNobody && tasks_[tracer].process == tasks_[parent].process);
}

Tracing& Machine::link_tracing(Task& t, Task& tracer) {
  if (t.traced) drop_tracing(t);  // let go by another, in this very step
  Tracing tracing;
  tracing.tracee = id(t);
  tracing.tracer = id(tracer);
  t.traced = tracer.traces = ever_traced_ = true;
  touch(t);
  tracings_.push_back(tracing);
  return tracings_.back();
}

/// A new task is traced as its maker is, and stops before it does anything.
void Machine::ptrace_init_task(Task& t, const Task& maker) {
  if (!is_traced(maker)) return;
  const Tracing makers = tracing_of(maker);
  Tracing& tracing = link_tracing(t, tasks_[makers.tracer]);
  tracing.seized = tracing.again = makers.seized;
  tracing.exitkill = makers.exitkill;
  if (!makers.seized) t.pending.add(sig::stop);
  t.signalled = true;
}

void Records::drop_tracing(Task& t) {
  const Index tracer = tracing_of(t).tracer;
  t.traced = false;
  std::erase_if(tracings_, [&](const Tracing& tracing) { return tracing.tracee == id(t); });
  count_tracings(tracer);
}

/// Whether a task is still the tracer of another.
void Records::count_tracings(Index tracer) {
  if (tracer == kNobody) return;
  tasks_[tracer].traces =
      std::ranges::find(tracings_, tracer, &Tracing::tracer) != tracings_.end();
}

/// Nobody traces `t` any more. It joins the group stop that its process is in.
void Machine::unlink_tracing(Task& t) {
  const Process& p = process_of(t);
  Tracing& tracing = tracing_of(t);
  tracing.seized = tracing.exitkill = tracing.again = tracing.notify = false;
  count_tracings(std::exchange(tracing.tracer, kNobody));
  touch(t);
  const bool exiting = (t.flags & task_flag::exiting.bits) != 0;
  if (!exiting && stops(p)) t.stop_pending = true;
  if (t.trapped()) {
    t.signalled = true;  // so that it takes no signal of another's before it runs
    return leave_trap(t);
  }
  if (tracing.trap == Trap::none) drop_tracing(t);
  if (t.stop_pending) alert(t, false);
}

// --- stops ---------------------------------------------------------------------------------------

/// `t` goes on, and looks what it goes on with when it runs.
void Machine::leave_trap(Task& t) {
  wake(t, bits::kTracedBit);
  t.continued = true;
  touch(t);
  update_news(process_of(t));
}

/// What `t` goes on with after a stop for its tracer.
Resumed Machine::resumed(Task& t) {
  Tracing& tracing = tracing_of(t);
  Resumed r;
  r.after_signal = tracing.trap == Trap::signal;
  r.may_stop = tracing.may_stop;
  r.of_process = tracing.of_process && profile_ == Profile::linux_6;
  tracing.trap = Trap::none;
  update_news(process_of(t));  // a fatal signal took it out of the stop
  const Signal given = std::exchange(tracing.code, sig::none);
  if (tracing.tracer == kNobody) drop_tracing(t);
  if (!r.after_signal || given == sig::none || process_of(t).exits()) return r;
  if (t.blocked.has(given))
    send(given, t, r.of_process ? Scope::process : Scope::thread);
  else
    r.given = given;
  return r;
}

/// A tracee stops if a group stop, its tracer or a SIGCONT says so.
bool Machine::traps(Task& t) {
  const Process& p = process_of(t);
  if (!is_traced(t)) return false;
  Tracing& tracing = tracing_of(t);
  if (!t.stop_pending && !tracing.again && !tracing.notify) return false;
  tracing.notify = false;
  trap(t, Trap::stop, tracing.seized && !stops(p) ? sig::trap : Signal{t.stopped_by});
  return true;
}

/// A tracee stops before it takes a signal, if it is one that its tracer can know of.
bool Machine::traps_for(Task& t, Signal s, bool of_process) {
  if (!is_traced(t) || s == sig::kill) return false;
  tracing_of(t).of_process = of_process;
  trap(t, Trap::signal, s);
  return true;
}

void Machine::trap(Task& t, Trap what, Signal code) {
  Process& p = process_of(t);
  Tracing& tracing = tracing_of(t);
  tracing.trap = what;
  tracing.code = code;
  tracing.again = false;
  tracing.may_stop = true;
  t.signalled = t.frozen = false;
  dequeue(t);  // a SIGCONT that it sent itself again may have woken it, who runs
  const bool complete = what == Trap::stop && leave_stop_count(t);
  set_state(t, states().traced);
  touch(t);
  update_news(p);
  tell_tracer(t);
  if (complete && !is_familys(t)) tell_parent(p);
}

void Machine::tell_tracer(Task& t) {
  const Index tracer = tracer_of(t);
  const Actions& a = actions_of(process_of(tasks_[tracer]));
  if (!a.ignored.has(sig::chld) && !a.child.has(sa_flag::nocldstop))
    send(sig::chld, tasks_[tracer], Scope::process, nullptr, Origin::child);
  wake_waiters(t, tracer);
}

// --- ends ----------------------------------------------------------------------------------------

/// A traced thread is dead, which its tracer hears of: at once, and of a leader with others once
/// more when the last of those is gone.
void Machine::mourn_traced(Task& t, bool was_zombie) {
  Process& p = process_of(t);
  wake_pollers(t.pid);
  Task& tracer = tasks_[tracer_of(t)];
  std::uint64_t signal = static_cast<std::uint64_t>(sig::chld.n);
  if (is_leader(t) && dead(p) && (was_zombie || is_familys(t)))
    signal = bits::death_signal(static_cast<std::uint32_t>(p.exit_signal),
                                p.parent_exec_id != process_of(tracer).exec_id);
  if (is_leader(t) && ready(p)) count_child(p, false);
  const Signal sent{static_cast<std::int32_t>(signal)};
  if (bits::is_sent(static_cast<std::uint32_t>(signal), false))
    send(sent, tracer, Scope::process, nullptr, Origin::child);
  wake_waiters(t, id(tracer));
  if (is_leader(t)) update_news(p);
}

/// A thread that ends stops for nobody any more, and traces nobody.
void Machine::leave_tracings(Task& t) {
  if (t.traced) {
    Tracing& tracing = tracing_of(t);
    tracing.trap = Trap::none;
    tracing.again = tracing.notify = false;
    if (tracing.tracer == kNobody) drop_tracing(t);
  }
  if (t.traces) exit_ptrace(t);
}

/// A tracer ends: the youngest of its tracings first. Who is dead, and nobody's then, is to be
/// released when it is out of its family.
void Machine::exit_ptrace(Task& tracer) {
  while (tracer.traces) {
    const auto at = std::ranges::find(tracings_.rbegin(), tracings_.rend(), id(tracer),
                                      &Tracing::tracer);
    Task& t = tasks_[at->tracee];
    Process& p = process_of(t);
    if (at->exitkill) send(sig::kill, t, Scope::thread, &kKernel, Origin::forced);
    const bool own_child = is_familys(t);
    unlink_tracing(t);
    if (!t.zombie() || (is_leader(t) && !(dead(p) && is_let_go(t, tracer, own_child)))) continue;
    set_exit_state(t, bits::kExitDead);
    forsaken_.push_back(id(t));
  }
}

/// The parent of a dead process hears of it. True when nobody will wait.
bool Machine::is_let_go(Task& t, const Task& tracer, bool own_child) {
  if (!own_child) return mourn(process_of(t));
  const Actions& a = actions_of(process_of(tracer));
  if (!a.ignored.has(sig::chld) && !a.child.has(sa_flag::nocldwait)) return false;
  wake_waiters(t, id(tracer));
  return true;
}

/// Those that were adopted first, the youngest of them before the others; then the oldest tracing.
void Machine::release_forsaken() {
  while (!forsaken_.empty()) {
    Task& t = tasks_[forsaken_.back()];
    forsaken_.pop_back();
    release_task(t);
  }
}

// --- waits ---------------------------------------------------------------------------------------

/// Whether a stop of `p` for a tracer can be reported.
bool Records::is_trapped(const Process& p) const {
  const Task& t = leader_of(p);
  return t.trapped() && is_traced(t) && tracing_of(t).reports();
}

/// News of those that `of` traces, the youngest tracing first. `exists`: somebody may have some.
bool Machine::look_at_tracees(const Task& t, Index of, Outcome& found, bool& exists) {
  for (std::size_t i = tracings_.size(); i-- > 0;) {
    if (tracings_[i].tracer != of) continue;
    Task& tracee = tasks_[tracings_[i].tracee];
    if (!selects(t, tracee)) continue;
    if (report_tracee(t, tracee, found)) return true;
    exists = exists || has_more(t, tracee);
  }
  return false;
}

/// Whether a tracee may have news later for such a wait: a leader that is dead stops no more.
bool Machine::has_more(const Task& t, const Task& tracee) const {
  constexpr WaitOptions kOfTheDead = wait_option::exited | wait_option::continued;
  if (!tracee.zombie()) return true;
  return !is_gone(tracee) && (t.args.options & kOfTheDead.bits) != 0;
}

/// The same for all threads of the waiter's that its wait is for.
bool Machine::look_at_all_tracees(const Task& t, Outcome& found, bool& exists) {
  Index of = id(t);
  do {
    if (look_at_tracees(t, of, found, exists)) return true;
    of = Ring<Threads>::around(tasks_, of);
  } while (of != id(t) && (t.args.options & wait_option::nothread.bits) == 0);
  return false;
}

// --- soundness -----------------------------------------------------------------------------------

bool Machine::sound_tracings() const {
  std::size_t traced = 0, traces = 0;
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i))
    for (Index t = processes_[i].threads.first; t != kNobody;
         t = processes_[i].threads.after(tasks_, t)) {
      traced += tasks_[t].traced;
      traces += tasks_[t].traces;
    }
  std::vector<Index> tracers, tracees;
  for (const Tracing& tracing : tracings_) {
    if (tracing.tracer == kNobody || tracing.tracee == tracing.tracer) return false;
    const Task& tracee = tasks_[tracing.tracee];
    if (!tracee.traced || !tasks_[tracing.tracer].traces || tasks_[tracing.tracer].zombie())
      return false;
    if (tracee.process == tasks_[tracing.tracer].process || tracee.stopped()) return false;
    if (tracee.trapped() != (tracing.trap != Trap::none)) return false;
    tracers.push_back(tracing.tracer);
    tracees.push_back(tracing.tracee);
  }
  for (std::vector<Index>* const list : {&tracers, &tracees}) {
    std::ranges::sort(*list);
    list->erase(std::ranges::unique(*list).begin(), list->end());
  }
  return tracers.size() == traces && tracees.size() == traced && traced == tracings_.size();
}

}  // namespace forkproof::impl
