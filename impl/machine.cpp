/// The life of an op: the actor does it, then the tasks that it woke run until nobody has anything
/// to do (forkproof.md SETTLE).
#include "impl/bits/task_flags.hpp"
#include "impl/machine.hpp"

#include <algorithm>
#include <new>
#include <variant>

namespace forkproof::impl {

const Actions Records::kAllDefault{};
const Task Records::kKernel{};
const Records::Wanted Records::kNothingMore{};

Machine::Machine(const WorldSpec& spec, Bug bug) : bug_(bug) {
  profile_ = spec.profile;
  kthreadd_.exists = spec.kthreads;
  begin_world(spec.pid_max);
  if (kthreadd_.exists) begin_kthreads();
}

void Machine::reset(const WorldSpec& spec) {
  forget_all();
  if (cgroups_.in_use()) cgroups_.forget();
  profile_ = spec.profile;
  kthreadd_.exists = spec.kthreads;
  kthreadd_.held = false;
  begin_world(spec.pid_max);
  if (kthreadd_.exists) begin_kthreads();
}

/// Whether an op is none that such a task, or such a world, answers.
template <class O>
bool Machine::is_refused(const Task& t) const {
  if constexpr (by_kthread<O>) return !kthreadd_.exists || !is_kthread(t);
  if constexpr (in_kernel<O>) return !kthreadd_.exists;
  constexpr bool kAnswered = std::is_same_v<O, Exit> || std::is_same_v<O, Exec> ||
                             std::is_same_v<O, ExecFails> ||
                             std::is_same_v<O, Getpid> || std::is_same_v<O, Gettid> ||
                             std::is_same_v<O, Getppid> || std::is_same_v<O, Getpgid> ||
                             std::is_same_v<O, Getsid>;
  return !kAnswered && kthreadd_.exists && is_kthread(t);
}

const Effects& Machine::apply(Pid actor, const Op& op) {
  effects_.clear();
  execer_ = kNobody;
  std::visit(
      [&]<class O>(const O& o) {
        if constexpr (by_world<O>) {
          effects_.outcome = perform(o);
          settle();
        } else {
          if constexpr (creates_task<O>) make_room();
          Task* const t = find(actor);
          if (t == nullptr || !can_run(*t)) {
            effects_.outcome = Outcome::of(Outcome::Kind::not_run);
            return;
          }
          if (kthreadd_.exists) [[unlikely]] switch_mm(*t);
          if (is_refused<O>(*t)) {
            effects_.outcome = Outcome::failure(Errno::nosys);
            return;
          }
          act(*t, o);
          settle();
        }
      },
      op);
  return effects_;
}

/// The actor's part: the op, then what it has to do before anybody else runs.
void Machine::act(Task& actor, const auto& op) {
  const Index me = id(actor);
  sp_ = bits::stack_top(std::uint64_t{me}, stack_shift()) - kCallFrame;
  // Made in its place: a copy would have to wait for each of its small members to be written.
  const Outcome& out = *new (&effects_.outcome) Outcome(perform(actor, op));
  const bool is_dead = out.kind == Outcome::Kind::nothing || out.kind == Outcome::Kind::dies;
  Task& t = tasks_[me];  // which may be gone, if it is dead
  if (!is_dead && t.signalled && t.call != Call::exec) {
    if (out.kind != Outcome::Kind::blocks) keep(t, out);
    effects_.outcome = Outcome::of(Outcome::Kind::blocks);
    dequeue(t);
    proceed(t);
  }
  sp_ = 0;
}

void Machine::settle() {
  while (!woken_.empty()) run_next(woken_.first);
}

/// Takes down who has been woken until now.
void Machine::list_woken() {
  listed_.clear();
  for (Index i = woken_.first; i != kNobody; i = woken_.after(tasks_, i)) listed_.push_back(i);
}

/// Those that were listed run, but for the actor.
void Machine::run_listed() {
  for (const Index i : listed_)
    if (!over_ && i != current() && tasks_[i].queued) run_next(i);
}

void Machine::run_next(Index i) {
  if (tasks_[i].call == Call::create) make_room();
  Task& t = tasks_[i];
  dequeue(t);
  run(t);
}

/// A task that was woken runs: a wait looks for a result before signals are dealt with.
void Machine::run(Task& t) {
  if (t.call >= Call::reap) [[unlikely]] {
    if (go_on_zapping(t)) leave_family(t);
    return;
  }
  if (t.call == Call::exec) [[unlikely]] go_on_execing(t);
  if ((t.call >= Call::exec || t.vfork_child != kNobody) && sleeps_on(t)) return;
  if (t.call == Call::poll) [[unlikely]] look_in_poll(t);
  if (t.asleep) {
    const Outcome found = look(t);
    if (found.kind != Outcome::Kind::blocks) {
      stop_waiting(t);
      keep(t, found);
    }
  }
  proceed(t);
}

void Machine::proceed(Task& t) {
  if (t.signalled || t.continued) {
    stop_waiting(t);
    if (take_signals(t) != Fate::runs) return;
  } else if (t.frozen) [[unlikely]] {
    return set_state(t, bits::kInterruptible);  // woken by hand
  }
  conclude(t);
}

/// Signals are dealt with: the call returns, is interrupted, or goes on.
void Machine::conclude(Task& t) {
  if (t.vfork_child != kNobody) return set_state(t, states().killable());
  if (t.has_result) return answer(t, t.result.outcome());
  Outcome out = Outcome::of(Outcome::Kind::blocks);
  const Handled handled = std::exchange(t.handled, Handled::nothing);
  switch (t.call) {
    case Call::none:
    case Call::unborn:
    case Call::reap:
    case Call::outlive:
    case Call::lost:
    case Call::vfork: case Call::exec: return;
    case Call::ask:
    case Call::park:
    case Call::stop:
    case Call::unwoken:
    case Call::schedule:
    case Call::parked:
    case Call::serve: return conclude_kthread(t);
    case Call::pause:
      if (handled != Handled::nothing) out = Outcome::failure(Errno::intr);
      set_state(t, bits::kInterruptible);
      break;
    case Call::poll:
      if (polls(t)) return set_state(t, bits::kInterruptible);
      out = handled == Handled::nothing ? begin_poll(t) : Outcome::failure(Errno::intr);
      break;
    case Call::wait:
      if (t.asleep) return set_state(t, bits::kInterruptible);
      out = handled == Handled::interrupts ? Outcome::failure(Errno::intr) : begin_wait(t);
      break;
    case Call::create:
      out = make_again(t);
      break;
  }
  if (out.kind != Outcome::Kind::blocks)
    answer(t, out);
  else if (id(t) == current())
    effects_.outcome = out;  // a vfork that was made again has a child to tell of
}

void Machine::answer(Task& t, const Outcome& outcome) {
  t.call = Call::none;
  t.has_result = false;
  t.handled = Handled::nothing;
  set_state(t, bits::kRunning);
  touch(t);
  if (id(t) == current() || id(t) == execer_)
    effects_.outcome = outcome;
  else
    effects_.returned.push_back({{t.pid}, outcome});
}

void Machine::keep(Task& t, const Outcome& outcome) {
  t.result = Kept::of(outcome);
  t.has_result = true;
}

/// Before a call that creates a task: the references that it holds must stay good.
void Machine::make_room() {
  tasks_.prepare();
  processes_.prepare();
}

void Machine::begin_world(std::int32_t pid_max) {
  pid_max_ = pid_max;
  cursor_ = kInit.n + 1;
  order_ = 0;
  host_ = 0;
  reboot_ = 0;
  over_ = false;
  Task& t = tasks_.make();
  Process& p = processes_.make();
  t.pid = kInit.n;
  t.process = id(p);
  p.tgid = kInit.n;
  p.exit_signal = static_cast<std::int16_t>(sig::chld.n);
  p.leads_session = p.unkillable = true;
  p.thread_count = p.live = 1;
  p.detour = reaper_ = id(t);
  p.threads.push_back(tasks_, id(t));
  all_.push_back(processes_, id(p));
  taken_.take(kInit.n);
  numbers_.make(kInit.n).task = id(t);
  join_session(p, kInit.n);
  join_group(p, kInit.n);
}

/// The last thread of init has ended: nothing remains but init's leader, a zombie.
void Machine::end_world(const Process& init) {
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i))
    touch(processes_[i], true);
  if (execer_ != kNobody && tasks_[execer_].call == Call::exec)
    effects_.outcome = Outcome::death(sig::kill);
  execer_ = kNobody;
  const Task leader = leader_of(init);
  const Process end = init;
  Attributes attributes = attributes_of(leader);
  attributes.user_ns = kNobody;  // there is none any more
  const bool was_kthread = is_kthread(leader);
  const std::int32_t cursor = cursor_;
  const std::int32_t exit_code = reboot_ != 0 ? reboot_ : end.exit_code;
  const Index cgroup = cgroups_.of(id(leader));
  if (cgroups_.in_use()) leave_cgroups_but(id(leader));
  forget_all();
  begin_world(pid_max_);

  Task& t = *find(kInit);
  Process& p = process_of(t);
  t.flags = static_cast<std::uint16_t>(bits::flags_ended(std::uint32_t{leader.flags}));
  t.blocked = leader.blocked;
  t.exit_code = leader.exit_code;
  set_attributes(t, attributes);
  count_user(attributes, true);
  if (was_kthread) set_kthread_struct(p);
  set_state(t, states().dead);
  set_exit_state(t, bits::kExitZombie);
  set_flags(p, end.flags);  // in 4.12 it may be one of the stopped of its group
  p.exit_code = exit_code;
  p.exit_signal = end.exit_signal;
  p.live = 0;
  if (cgroups_.in_use()) cgroups_.rename(id(t), cgroup);
  cursor_ = cursor;
  over_ = true;
}

/// Gives back all numbers and records. Costs what was in use.
void Machine::forget_all() {
  const auto forget = [&](std::int32_t n) {
    if (n == 0) {  // of kernel threads, and never taken
      numbers_[n] = {};
      return;
    }
    Number& number = numbers_[n];
    if (!number.in_use()) return;
    number = {.generation = number.generation + 1};
    taken_.give_back(static_cast<std::size_t>(n));
  };
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    const Process& p = processes_[i];
    for_each_thread(p, [&](const Task& t) { forget(t.pid); });
    forget(groups_[p.group].number);
    forget(p.sid);
  }
  forget_records();
  all_ = {};
  woken_ = {};
}

/// Empties the arenas.
void Machine::forget_records() {
  tasks_.clear();
  processes_.clear();
  groups_.clear();
  actions_.clear();
  memory_.clear();
  active_mm_ = kNobody;
  open_files_.clear();
  files_.clear();
  fs_.clear();
  attributes_.clear();
  limits_.clear();
  if (usage_.end() > 1) thread_usage_.clear();
  usage_.clear();
  user_tasks_ = user_signals_ = {};
  ucounts_ = {};
  queues_.clear();
  caught_.clear();
  user_ns_.clear();
  namespaces_.clear();
  kthreads_.clear();
  kthreadd_.requests.clear();
  kthreadd_.task = kNobody;
  if (proxies_.taken() != 0) proxied_.clear();
  proxies_.clear();
  ns_.clear();
  tracings_.clear();
  forsaken_.clear();
  pollers_.clear();
  ever_traced_ = false;
  if (living_namespaces_ != 0) {
    innermost_.clear();
    diverted_.clear();
    asked_.clear();
    living_namespaces_ = 0;
  }
}

}  // namespace forkproof::impl
