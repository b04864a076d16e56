/// Kernel threads: kthreadd makes them, others wake, park and stop them.
///
/// Sources: kernel/kthread.c kthread(), kthread_stop(), kthread_park(), __kthread_parkme(),
/// kthreadd(); kernel/sched/core.c try_to_wake_up(), schedule(); forkproof.md KTHREAD.
#include "impl/kthreads.hpp"

#include <algorithm>

#include "impl/machine.hpp"

namespace forkproof::impl {

/// kthreadd, number 2; and in 4.12 init is a kernel thread, too, until it execs.
void Machine::begin_kthreads() {
  cursor_ = kKthreadd.n + 1;
  if (profile_ == Profile::linux_4_12) {
    Task& init = tasks_[reaper_];
    init.flags = task_flag::forknoexec.bits;
    set_kthread_struct(process_of(init));
  }
  Task& t = tasks_.make();
  Process& p = processes_.make();
  kthreadd_.task = id(t);
  t.pid = p.tgid = kKthreadd.n;
  t.process = id(p);
  t.flags = task_flag::forknoexec.bits;
  t.call = Call::serve;
  set_state(t, bits::kInterruptible);
  p.exit_signal = static_cast<std::int16_t>(sig::chld.n);
  p.thread_count = p.live = 1;
  p.detour = id(t);
  p.threads.push_back(tasks_, id(t));
  all_.push_back(processes_, id(p));
  taken_.take(kKthreadd.n);
  numbers_.make(kKthreadd.n).task = id(t);
  numbers_.make(0);  // what group and session are called, and nobody can ask for
  join_session(p, 0);
  join_group(p, 0);
  own_actions(p).ignored = SigSet{~std::uint64_t{0}};
  set_kthread_struct(p);
}

void Machine::set_kthread_struct(Process& p) {
  kthreads_.prepare();
  p.kthread = kthreads_.make().self;
}

void Machine::free_kthread_struct(Process& p) {
  kthreads_.give_back(p.kthread);
  p.kthread = kNobody;
}

TaskFlags Machine::flags_of_kthread(const Process& p) const {
  return is_init(p) ? task_flag::kthread : task_flag::kthread | task_flag::nofreeze;
}

/// The record of a thread that kthread_create made, and that has begun.
Kthread* Machine::to_kthread(const Task& t) {
  const Index k = process_of(t).kthread;
  const bool is_one = k != kNobody && kthreads_[k].made && t.call != Call::unborn;
  return is_one ? &kthreads_[k] : nullptr;
}

// --- making ------------------------------------------------------------------------------------

Outcome Machine::ask_for_kthread(Task& t, bool runs) {
  if (process_of(t).pid_ns() != kNobody) return Outcome::failure(Errno::perm);
  if (faults_.strike(CopyStep::kthread_create))
    return Outcome::failure(errno_of(CopyStep::kthread_create, profile_));
  set_state(t, bits::kRunning);  // as it is when it has waited
  if (!kthreadd_.held) {
    Task* child = nullptr;
    const Errno refused = copy_kthread(child);
    return refused == Errno::ok ? run_new_kthread(*child, runs) : Outcome::failure(refused);
  }
  kthreadd_.requests.push_back({id(t), runs, kNobody});
  t.call = Call::ask;
  set_state(t, states().killable());
  touch(t);
  return Outcome::of(Outcome::Kind::blocks);
}

/// kthreadd forks. Nothing wakes the new thread but wake_up_new_task, which asks for no state.
Errno Machine::copy_kthread(Task*& child) {
  const Errno refused = kernel_thread(child);
  if (refused != Errno::ok) return refused;
  kthreads_[process_of(*child).kthread].made = true;
  child->call = Call::unborn;
  touch(*child);
  return Errno::ok;
}

/// The new thread gets to where it sleeps until it is to call its function.
Outcome Machine::run_new_kthread(Task& t, bool runs) {
  if (t.attributes != kNobody) {
    Attributes usual;
    usual.nice = attributes_of(t).nice;
    set_attributes(t, usual);
  }
  t.call = Call::unwoken;
  set_state(t, bits::kUninterruptible);
  touch(t);
  const Outcome made = Outcome::task(Pid{t.pid});
  if (runs) {
    wake(t, bits::kNormal);
    run_now(t);
  }
  return made;
}

/// kthreadd gets the processor. A request whose creator is dead is freed by the thread made for it.
void Machine::serve_requests() {
  for (const KthreadRequest& request : std::exchange(kthreadd_.requests, {})) {
    make_room();
    const bool wanted = request.creator != kNobody;
    Task* child = request.made == kNobody ? nullptr : &tasks_[request.made];
    const Errno refused = child == nullptr ? copy_kthread(child) : Errno::ok;
    const Outcome made = refused == Errno::ok ? run_new_kthread(*child, request.runs && wanted)
                                              : Outcome::failure(refused);
    if (wanted)
      tell_creator(request.creator, made);
    else if (refused == Errno::ok)
      do_exit(*child, 0);
  }
}

void Machine::tell_creator(Index creator, Outcome made) {
  keep(tasks_[creator], made);
  wake(tasks_[creator], bits::kNormal);
}

/// kthreadd loses the processor when it has made a thread, or could not.
Outcome Machine::perform(const CopyProcess&) {
  if (!kthreadd_.exists) return Outcome::failure(Errno::nosys);
  if (kthreadd_.requests.empty()) return Outcome::failure(Errno::again);
  KthreadRequest& request = kthreadd_.requests.front();
  if (request.made != kNobody) return Outcome::failure(Errno::busy);
  make_room();
  Task* child = nullptr;
  if (const Errno refused = copy_kthread(child); refused != Errno::ok) {
    if (request.creator != kNobody) tell_creator(request.creator, Outcome::failure(refused));
    kthreadd_.requests.erase(kthreadd_.requests.begin());
    return Outcome::failure(refused);
  }
  request.made = id(*child);
  return Outcome::task(Pid{child->pid});
}

void Machine::abandon_request(const Task& t) {
  for (KthreadRequest& request : kthreadd_.requests)
    if (request.creator == id(t)) request.creator = kNobody;
}

Outcome Machine::perform(const HoldKthreadd& op) {
  if (!kthreadd_.exists) return Outcome::failure(Errno::nosys);
  kthreadd_.held = op.on != 0;
  if (!kthreadd_.held) serve_requests();
  return Outcome::success();
}

Outcome Machine::perform(const NrUninterruptible&) {
  if (!kthreadd_.exists) return Outcome::failure(Errno::nosys);
  std::int64_t count = 0;
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i))
    for_each_thread(processes_[i], [&](const Task& t) {
      count += t.call != Call::none && bits::counts_as_load(std::uint32_t{t.state}, states());
    });
  return Outcome::number(count);
}

// --- stopping and parking ----------------------------------------------------------------------

/// Why `t` cannot wait for a kernel thread.
Errno Machine::may_wait_for(const Task& t, TaskRef who) {
  if (process_of(t).thread_count > 1) return Errno::perm;
  const Task* const to = find_for(t, who.pid());
  if (to == nullptr) return Errno::srch;
  const Kthread* const k = to_kthread(*to);
  if (k == nullptr) return Errno::inval;
  return k->waiter == kNobody ? Errno::ok : Errno::busy;
}

Outcome Machine::sleep_for(Task& t, Kthread& k, Call call) {
  k.waiter = id(t);
  t.call = call;
  set_state(t, bits::kUninterruptible);
  touch(t);
  return Outcome::of(Outcome::Kind::blocks);
}

/// Who sleeps for this of the thread is woken, with the outcome.
void Machine::complete(Kthread& k, Call call, const Outcome& outcome) {
  if (k.waiter == kNobody || tasks_[k.waiter].call != call) return;
  Task& waiter = tasks_[std::exchange(k.waiter, kNobody)];
  keep(waiter, outcome);
  wake(waiter, bits::kNormal);
}

Outcome Machine::perform(Task& t, const KthreadStop& op) {
  const Errno refused = may_wait_for(t, op.task);
  if (refused != Errno::ok) return Outcome::failure(refused);
  Task& thread = *find_for(t, op.task.pid());
  if (&thread == &t) return Outcome::failure(Errno::inval);
  Kthread& k = *to_kthread(thread);
  set_state(t, bits::kRunning);
  k.bits |= kthread_bit::should_stop;
  unpark(thread);
  wake_up(thread, bits::kNormal);
  if (thread.call == Call::unwoken) {
    run_now(thread);
    return Outcome::failure(Errno::intr);
  }
  return sleep_for(t, k, Call::stop);
}

Outcome Machine::perform(Task& t, const KthreadPark& op) {
  const Errno refused = may_wait_for(t, op.task);
  if (refused != Errno::ok) return Outcome::failure(refused);
  Task& thread = *find_for(t, op.task.pid());
  Kthread& k = *to_kthread(thread);
  if (k.should_park() && profile_ == Profile::linux_6) return Outcome::failure(Errno::busy);
  if (thread.call == Call::parked) return Outcome::success();
  k.bits |= kthread_bit::should_park;
  if (&thread == &t) return Outcome::success();
  set_state(t, bits::kRunning);
  wake_up(thread, bits::kNormal);
  if (thread.call == Call::unwoken) run_now(thread);
  return thread.call == Call::parked ? Outcome::success() : sleep_for(t, k, Call::park);
}

Outcome Machine::perform(Task& t, const KthreadUnpark& op) {
  Task* const thread = find_for(t, op.task.pid());
  if (thread == nullptr) return Outcome::failure(Errno::srch);
  const Kthread* const k = to_kthread(*thread);
  if (k == nullptr) return Outcome::failure(Errno::inval);
  if (k->waiter != kNobody && tasks_[k->waiter].call == Call::park)
    return Outcome::failure(Errno::busy);
  unpark(*thread);
  return Outcome::success();
}

/// The bit is cleared first: a thread that is woken looks at it.
void Machine::unpark(Task& t) {
  to_kthread(t)->bits &= static_cast<std::uint8_t>(~kthread_bit::should_park);
  wake_up(t, states().parked);
}

/// The state is set first: who is told then finds the thread parked.
void Machine::park_self(Task& t) {
  t.call = Call::parked;
  set_state(t, states().parked);
  touch(t);
  complete(*to_kthread(t), Call::park, Outcome::success());
}

/// A kernel thread lets go of the memory that it has not, which tells who waits for its end.
void Machine::exit_kthread(Task& t) {
  Kthread* const k = to_kthread(t);
  if (k == nullptr) return;
  complete(*k, Call::stop, Outcome::number(k->result));
  free_kthread_struct(process_of(t));
}

// --- kernel threads themselves -----------------------------------------------------------------

Outcome Machine::perform(Task& t, const KthreadShouldStop&) {
  const Kthread* const k = to_kthread(t);
  return k == nullptr ? Outcome::failure(Errno::inval) : Outcome::number(k->should_stop());
}

Outcome Machine::perform(Task& t, const KthreadShouldPark&) {
  const Kthread* const k = to_kthread(t);
  return k == nullptr ? Outcome::failure(Errno::inval) : Outcome::number(k->should_park());
}

Outcome Machine::perform(Task& t, const KthreadParkme&) {
  const Kthread* const k = to_kthread(t);
  if (k == nullptr) return Outcome::failure(Errno::inval);
  if (k->should_park()) {
    park_self(t);
    return Outcome::of(Outcome::Kind::blocks);
  }
  set_state(t, bits::kRunning);
  touch(t);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const SetCurrentState& op) {
  set_state(t, bits::state_of_sleep(op.state, states()));
  touch(t);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Schedule&) {
  if (t.state == bits::kRunning) return Outcome::success();
  touch(t);
  const Kthread* const k = to_kthread(t);
  const bool pending = profile_ == Profile::linux_6 && k != nullptr && k->should_stop();
  if (bits::sleep_is_broken(std::uint32_t{t.state}, pending)) {
    set_state(t, bits::kRunning);
    return Outcome::success();
  }
  t.call = Call::schedule;
  return Outcome::of(Outcome::Kind::blocks);
}

// --- waking ------------------------------------------------------------------------------------

Outcome Machine::perform(Task& t, const WakeUpProcess& op) {
  Task* const to = find_for(t, op.task.pid());
  if (to == nullptr) return Outcome::failure(Errno::srch);
  return Outcome::number(wake_up(*to, bits::kNormal));
}

Outcome Machine::perform(Task& t, const WakeUpState& op) {
  Task* const to = find_for(t, op.task.pid());
  if (to == nullptr) return Outcome::failure(Errno::srch);
  const std::uint64_t mask = bits::wake_mask(op.mask, states());
  if (to->halted() && bits::reaches(mask, std::uint64_t{to->state}))
    return Outcome::failure(Errno::inval);
  return Outcome::number(wake_up(*to, mask));
}

Outcome Machine::perform(Task& t, const TaskStateMatch& op) {
  const Task* const to = find_for(t, op.task.pid());
  if (to == nullptr) return Outcome::failure(Errno::srch);
  const std::uint64_t mask = bits::wake_mask(op.mask, states());
  return Outcome::number(bits::reaches(mask, std::uint64_t{to->state}));
}

/// Wakes a task that the mask reaches, and answers whether it does.
bool Machine::wake_up(Task& t, std::uint64_t mask) {
  if (!bits::reaches(static_cast<std::uint32_t>(mask), std::uint32_t{t.state})) return false;
  touch(t);
  wake(t, mask);
  return true;
}

/// A woken task runs before whoever woke it goes on.
void Machine::run_now(Task& t) {
  dequeue(t);
  run(t);
}

/// Whether a task that was woken while it sleeps for somebody sleeps on: that has not come, and
/// nothing kills it, or it cannot be killed there.
bool Machine::sleeps_on(Task& t) {
  const bool for_kthread = t.call == Call::ask || t.call == Call::park || t.call == Call::stop;
  if (t.call != Call::exec && (for_kthread ? t.has_result : t.vfork_child == kNobody))
    return false;
  const bool killable = !for_kthread || t.call == Call::ask;
  const bool execing = execing_ != kNobody && tasks_[execing_].process == t.process;
  if (killable && (process_of(t).exits() || execing)) return false;
  set_state(t, killable ? states().killable() : bits::kUninterruptible);
  return true;
}

/// A kernel thread that was woken goes on, or sleeps again.
void Machine::conclude_kthread(Task& t) {
  switch (t.call) {
    case Call::unwoken: return first_run(t);
    case Call::schedule: return answer(t, Outcome::success());
    case Call::parked: {
      Kthread& k = *to_kthread(t);
      if (k.should_park()) return set_state(t, states().parked);
      if (std::exchange(k.started, true)) return answer(t, Outcome::success());
      t.call = Call::none;
      return;
    }
    default: return set_state(t, bits::kInterruptible);  // kthreadd, for which there is nothing
  }
}

/// What a new thread does: it ends if it is to stop, parks if it is to park, or else its function
/// is called.
void Machine::first_run(Task& t) {
  Kthread& k = *to_kthread(t);
  t.call = Call::none;
  if (k.should_stop()) return do_exit(t, 0);
  if (k.should_park()) return park_self(t);
  k.started = true;
}

// --- soundness ---------------------------------------------------------------------------------

/// What must hold of a kernel thread, and of who waits for one.
bool Machine::sound_kthread(const Task& t) const {
  const Process& p = process_of(t);
  const bool of_kthreads = t.call >= Call::unborn && t.call <= Call::serve;
  if (p.kthread == kNobody) return !of_kthreads;
  if (!kthreadd_.exists || p.space != kNobody || p.thread_count != 1) return false;
  const Kthread& k = kthreads_[p.kthread];
  if (!k.made) return k.waiter == kNobody && (is_init(p) || id(t) == kthreadd_.task);
  if (k.waiter != kNobody) {
    const Call call = tasks_[k.waiter].call;
    if (call != Call::stop && call != Call::park) return false;
    if (call == Call::stop ? !k.should_stop() : !k.should_park()) return false;
  }
  if (t.call == Call::parked && !k.should_park()) return false;
  const bool fresh = t.call == Call::unborn || t.call == Call::unwoken;
  if (fresh && k.bits != 0) return false;
  return p.parent == kthreadd_.task && ~actions_of(p).ignored.bits == 0;
}

/// Every record belongs to a process, every request to somebody who waits, or to the dead.
bool Machine::sound_kthreads() const {
  std::size_t records = 0;
  std::ptrdiff_t waiting = 0, unborn = 0;
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    records += processes_[i].kthread != kNobody;
    const Ring<Threads>& threads = processes_[i].threads;
    for (Index t = threads.first; t != kNobody; t = threads.after(tasks_, t)) {
      waiting += tasks_[t].call == Call::ask && !tasks_[t].has_result;
      unborn += tasks_[t].call == Call::unborn;
    }
  }
  const auto waits = [&](const KthreadRequest& r) {
    return r.creator != kNobody && tasks_[r.creator].call == Call::ask;
  };
  const auto dead = std::ranges::count(kthreadd_.requests, kNobody, &KthreadRequest::creator);
  const std::vector<KthreadRequest>& all = kthreadd_.requests;
  const bool has_new = !all.empty() && all.front().made != kNobody;
  if (unborn != has_new || (has_new && tasks_[all.front().made].call != Call::unborn)) return false;
  return records == kthreads_.taken() && std::ranges::count_if(all, waits) == waiting &&
         waiting + dead == std::ssize(all) && (kthreadd_.held || all.empty()) &&
         kthreads_.sound();
}

}  // namespace forkproof::impl
