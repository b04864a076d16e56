/// Kernel threads: who makes them, how they are parked and stopped, what they sleep in, and what
/// wakes whom.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

/// How deeply a task sleeps.
Depth Model::depth_of(const Task& t) {
  constexpr Depth kDepths[] = {Depth::awake, Depth::interruptible, Depth::uninterruptible,
                               Depth::killable, Depth::idle};
  using enum Call::Kind;
  if (t.zombie) return Depth::beyond;
  if (t.trace.trapped) return Depth::traced;
  if (t.stopped) return Depth::stopped;
  if (t.frozen) return Depth::interruptible;
  switch (t.call.kind) {
    case none:
    case sched:
      return kDepths[static_cast<std::size_t>(t.kthread.state)];
    case wait:
    case pause:
    case poll:
    case reap:
    case outlive:
    case serve:
      return Depth::interruptible;
    case vfork:
    case ask:
    case exec:
      return Depth::killable;
    case park:
    case stop:
    case unwoken:
      return Depth::uninterruptible;
    case parked:
      return Depth::parked;
    case unborn:
      return Depth::beyond;
    case restart:
    case held:
    case lost:
      break;
  }
  return Depth::awake;
}

/// Whether a wake with this mask ends that sleep. TASK_TRACED has lost its WAKEKILL since 4.12.
bool Model::reaches(WakeMask mask, Depth depth) const {
  const bool deep =
      depth == Depth::uninterruptible || depth == Depth::killable || depth == Depth::idle;
  switch (mask) {
    case WakeMask::normal:
      return deep || depth == Depth::interruptible;
    case WakeMask::interruptible:
      return depth == Depth::interruptible;
    case WakeMask::uninterruptible:
      return deep;
    case WakeMask::wakekill:
      return depth == Depth::killable || depth == Depth::stopped ||
             (depth == Depth::traced && !linux_6());
    case WakeMask::parked:
      return depth == Depth::parked;
    case WakeMask::stopped:
      return depth == Depth::stopped;
    case WakeMask::traced:
      return depth == Depth::traced;
    case WakeMask::fatal:
      return depth == Depth::interruptible || depth == Depth::killable ||
             depth == Depth::stopped || depth == Depth::traced;
  }
  return false;
}

// --- making them -------------------------------------------------------------------------------

/// The world gets kthreadd, the parent of all kernel threads to come. In linux-4.12 init is a
/// kernel thread too, until its exec.
void Model::begin_kthreads() {
  world_.kthreads = true;
  const TaskId id = world_.kthreadd = world_.tasks.make();
  Task& t = world_.tasks[id];
  t.born = next_place();
  t.flags = task_flag::kthread | task_flag::nofreeze | task_flag::forknoexec;
  t.exit_signal = sig::chld.n;
  t.call = {.kind = Call::Kind::serve};
  t.handlers = world_.handlers.make();
  world_.handlers[t.handlers].ignored = SigSet{~std::uint64_t{0}};
  t.files = world_.files.make();
  t.fs = world_.fs.make();
  world_.handlers[t.handlers].users = 1;
  world_.files[t.files].users = world_.fs[t.fs].users = 1;
  use_numbers(id, {kKthreadd, {}});
  world_.cursor = kKthreadd.n + 1;

  t.process = world_.processes.make();
  ++world_.made;
  Process& p = world_.processes[t.process];
  p.leader = p.signal_target = id;
  p.threads = {id};
  p.process_place = next_place();
  world_.all_processes.put(p.process_place, t.process);
  if (linux_6()) return;
  Task& init = world_.tasks[world_.reaper];
  init.flags = task_flag::kthread | task_flag::forknoexec;
  world_.spaces.drop(std::exchange(init.space, SpaceId::none()));
}

Model::Answer Model::act(TaskId me, const KthreadCreate&) { return ask_for_kthread(me, false); }

Model::Answer Model::act(TaskId me, const KthreadRun&) { return ask_for_kthread(me, true); }

Model::Answer Model::ask_for_kthread(TaskId creator, bool run) {
  Task& me = world_.tasks[creator];
  if (world().process_of(me).ns) return fails(Errno::perm, "kthread.not-from-below"_rule);

  me.kthread.state = Sleep::running;
  if (!world_.held) return make_kthread(run);
  world_.requests.push_back({creator, run});
  me.call = {.kind = Call::Kind::ask};
  touch(creator);
  answers({}, "kthread.create-waits"_rule);
  return std::nullopt;
}

/// The thread that kthreadd makes for one request. It is still to be woken.
Outcome Model::copy_kthread() {
  const Attributes& makers = world().tasks[world_.kthreadd].attributes;
  if (makers.policy == Policy::deadline && !makers.reset_on_fork)
    return fails(Errno::again, "sched.deadline-fork"_rule);
  Numbers numbers;
  const Task& maker = world().tasks[world_.kthreadd];
  if (const Answer refused = fresh_numbers(world_.kthreadd, {}, {}, numbers)) return *refused;
  if (!has_room_for_task(maker.cgroup)) return fails(Errno::again, "cgroup.full"_rule);

  new_kthread(numbers.number);
  return Outcome::task(numbers.number);
}

/// What kthreadd does for one request.
Outcome Model::make_kthread(bool run) {
  const Outcome made = copy_kthread();
  if (made.kind != Outcome::Kind::task) return made;
  return wake_new_kthread(world_.task_of(made.who.pid()), run);
}

TaskId Model::new_kthread(Pid number) {
  const TaskId id = world_.tasks.make();
  Task& t = world_.tasks[id];
  const Task& maker = world().tasks[world_.kthreadd];
  t.born = next_place();
  use_numbers(id, {number, {}});
  t.flags = maker.flags;
  t.parent = world_.kthreadd;
  t.exit_signal = sig::chld.n;
  t.kthread.made = true;
  t.call = {.kind = Call::Kind::unborn};
  t.handlers = copy_handlers(maker.handlers);
  world_.handlers[t.handlers].users++;
  inherit_files(t, maker, clone_flag::files | clone_flag::fs);
  inherit_attributes(t, maker, {});
  new_process(id, world_.process_of(maker), NamespaceId::none());
  cover("kthread.no-memory"_rule);
  cover("kthread.parent"_rule);
  cover("kthread.ignores-signals"_rule);
  touch(id);
  return id;
}

/// A new thread runs until it has told its creator that it is there. The wake asks for no state.
Outcome Model::wake_new_kthread(TaskId id, bool run) {
  Task& t = world_.tasks[id];
  const Outcome made = Outcome::task(t.tid);
  t.call = {.kind = Call::Kind::unwoken};
  t.attributes = {.nice = t.attributes.nice};
  cover("kthread.scheduling"_rule);
  touch(id);
  if (run) {
    cover("kthread.run"_rule);
    wake_up(id, WakeMask::normal);
  }
  return answers(made, "kthread.create"_rule);
}

/// kthreadd gets the processor: it makes what it was asked for, in that order.
void Model::serve_requests() {
  for (const Request& request : std::exchange(world_.requests, {})) {
    const bool run = request.run && request.creator;
    const Outcome made = request.made ? wake_new_kthread(request.made, run) : make_kthread(run);
    if (request.creator) {
      tell_creator(request.creator, made);
    } else if (made.kind == Outcome::Kind::task) {
      cover("kthread.abandoned"_rule);
      end_kthread(world_.task_of(made.who.pid()), {});
    }
  }
}

void Model::tell_creator(TaskId creator, Outcome made) {
  world_.tasks[creator].call = {.kind = Call::Kind::held, .result = made};
  wake(creator);
}

/// kthreadd gets as far as it can without waking what it has made.
Outcome Model::turn(const CopyProcess&) {
  if (!world_.kthreads) return fails(Errno::nosys, "kthread.no-such-world"_rule);
  if (world().requests.empty()) return fails(Errno::again, "kthread.nothing-to-make"_rule);
  if (world().requests.front().made) return fails(Errno::busy, "kthread.new-not-woken"_rule);

  const Outcome made = copy_kthread();
  if (made.kind == Outcome::Kind::task) {
    world_.requests.front().made = world_.task_of(made.who.pid());
    return answers(made, "kthread.new"_rule);
  }
  const TaskId creator = world().requests.front().creator;
  world_.requests.erase(world_.requests.begin());
  if (creator) tell_creator(creator, made);
  return made;
}

/// Who waits for kthreadd is killed: the request is left to the thread that is made for it.
void Model::abandon_request(TaskId creator) {
  cover("kthread.creator-killed"_rule);
  std::ranges::find(world_.requests, creator, &Request::creator)->creator = TaskId::none();
}

Outcome Model::turn(const HoldKthreadd& op) {
  if (!world_.kthreads) return fails(Errno::nosys, "kthread.no-such-world"_rule);

  world_.held = op.on != 0;
  if (!world_.held) serve_requests();
  return answers(Outcome::success(), "kthread.held"_rule);
}

Outcome Model::turn(const NrUninterruptible&) {
  if (!world_.kthreads) return fails(Errno::nosys, "kthread.no-such-world"_rule);

  std::int64_t count = 0;
  world_.tasks.for_each([&](TaskId, const Task& t) {
    if (t.call.kind == Call::Kind::none) return;  // it has said so, but has not slept yet
    const Depth depth = depth_of(t);
    if (depth == Depth::idle) cover("state.idle-no-load"_rule);
    count += depth == Depth::uninterruptible || depth == Depth::killable;
  });
  return answers(Outcome::number(count), "state.load"_rule);
}

// --- stopping and parking ----------------------------------------------------------------------

/// Whether it is a kernel thread that somebody was told of who asked for one.
bool Model::is_known(TaskId id) const {
  const Task& t = world().tasks[id];
  return t.kthread.made && t.call.kind != Call::Kind::unborn;
}

/// Why the caller cannot wait for a kernel thread; nothing if it can.
Model::Answer Model::refuses_wait_for(TaskId me, TaskRef kthread) {
  if (world().process_of(world().tasks[me]).threads.size() > 1)
    return fails(Errno::perm, "kthread.waits-alone"_rule);
  const TaskId id = find_for(me, kthread.pid());
  if (!id) return fails(Errno::srch, "kthread.unknown"_rule);
  if (!is_known(id)) return fails(Errno::inval, "kthread.not-made"_rule);
  if (world().tasks[id].kthread.awaited_by) return fails(Errno::busy, "kthread.one-at-a-time"_rule);
  return std::nullopt;
}

/// The caller sleeps until the kernel thread does what it was asked.
Model::Answer Model::sleep_for(TaskId me, TaskId kthread, Call::Kind kind) {
  world_.tasks[kthread].kthread.awaited_by = me;
  world_.tasks[me].call = {.kind = kind};
  touch(me);
  answers({}, kind == Call::Kind::stop ? "kthread.stop-waits"_rule : "kthread.park-waits"_rule);
  return std::nullopt;
}

Model::Answer Model::act(TaskId me, const KthreadStop& op) {
  if (const Answer refused = refuses_wait_for(me, op.task)) return refused;
  const TaskId id = find_for(me, op.task.pid());
  if (id == me) return fails(Errno::inval, "kthread.stop-itself"_rule);

  Task& t = world_.tasks[id];
  t.kthread.should_stop = true;
  world_.tasks[me].kthread.state = Sleep::running;
  if (t.call.kind == Call::Kind::unwoken) {
    end_kthread(id, {});
    return answers(Outcome::failure(Errno::intr), "kthread.stop-before-first-run"_rule);
  }
  unpark(id);
  wake_up(id, WakeMask::normal);
  return sleep_for(me, id, Call::Kind::stop);
}

Model::Answer Model::act(TaskId me, const KthreadPark& op) {
  if (const Answer refused = refuses_wait_for(me, op.task)) return refused;
  const TaskId id = find_for(me, op.task.pid());
  Task& t = world_.tasks[id];
  const bool parked = t.call.kind == Call::Kind::parked;
  if (t.kthread.should_park && linux_6()) return fails(Errno::busy, "kthread.park-twice"_rule);
  if (parked) return answers(Outcome::success(), "kthread.park-parked"_rule);

  t.kthread.should_park = true;
  if (id == me) return answers(Outcome::success(), "kthread.park-itself"_rule);
  world_.tasks[me].kthread.state = Sleep::running;
  wake_up(id, WakeMask::normal);
  if (t.call.kind == Call::Kind::parked)
    return answers(Outcome::success(), "kthread.park-before-first-run"_rule);
  return sleep_for(me, id, Call::Kind::park);
}

Model::Answer Model::act(TaskId me, const KthreadUnpark& op) {
  const TaskId id = find_for(me, op.task.pid());
  if (!id) return fails(Errno::srch, "kthread.unknown"_rule);
  if (!is_known(id)) return fails(Errno::inval, "kthread.not-made"_rule);
  const Kthread& k = world().tasks[id].kthread;
  if (k.awaited_by && world_.tasks[k.awaited_by].call.kind == Call::Kind::park)
    return fails(Errno::busy, "kthread.one-at-a-time"_rule);

  unpark(id);
  return answers(Outcome::success(), "kthread.unpark"_rule);
}

/// The thread is no longer asked to park; if it has, its function goes on, or is called at last.
void Model::unpark(TaskId id) {
  Task& t = world_.tasks[id];
  t.kthread.should_park = false;
  if (t.call.kind == Call::Kind::parked) wake_up(id, WakeMask::parked);
}

/// The thread parks. Who waits for that is told only now.
void Model::parkme(TaskId id) {
  Task& t = world_.tasks[id];
  t.call = {.kind = Call::Kind::parked};
  t.kthread.state = Sleep::running;
  touch(id);
  cover("kthread.parked"_rule);
  tell_awaiting(id, Call::Kind::park, Outcome::success());
}

/// Who sleeps for this of the thread has its answer.
void Model::tell_awaiting(TaskId kthread, Call::Kind kind, Outcome outcome) {
  TaskId& by = world_.tasks[kthread].kthread.awaited_by;
  if (!by) return;
  if (world_.tasks[by].call.kind != kind) return cover("kthread.ends-unparked"_rule);
  world_.tasks[by].call = {.kind = Call::Kind::held, .result = outcome};
  wake(std::exchange(by, TaskId::none()));
}

void Model::end_kthread(TaskId id, Outcome result) {
  tell_awaiting(id, Call::Kind::stop, result);
  cover("kthread.autoreaped"_rule);
  exit_thread(id, 0);
}

// --- what kernel threads do --------------------------------------------------------------------

/// Whether the caller is a kernel thread that was made, which has been asked things.
Model::Answer Model::refuses_ask(TaskId me) {
  if (world().tasks[me].kthread.made) return std::nullopt;
  return fails(Errno::inval, "kthread.not-made"_rule);
}

Model::Answer Model::act(TaskId me, const KthreadShouldStop&) {
  if (const Answer refused = refuses_ask(me)) return refused;
  return answers(Outcome::number(world().tasks[me].kthread.should_stop),
                 "kthread.should-stop"_rule);
}

Model::Answer Model::act(TaskId me, const KthreadShouldPark&) {
  if (const Answer refused = refuses_ask(me)) return refused;
  return answers(Outcome::number(world().tasks[me].kthread.should_park),
                 "kthread.should-park"_rule);
}

Model::Answer Model::act(TaskId me, const KthreadParkme&) {
  if (const Answer refused = refuses_ask(me)) return refused;

  if (world().tasks[me].kthread.should_park) {
    parkme(me);
    return std::nullopt;
  }
  world_.tasks[me].kthread.state = Sleep::running;
  touch(me);
  return answers(Outcome::success(), "kthread.parkme-not-asked"_rule);
}

Model::Answer Model::act(TaskId me, const SetCurrentState& op) {
  world_.tasks[me].kthread.state = op.state;
  touch(me);
  return answers(Outcome::success(), "state.set"_rule);
}

Model::Answer Model::act(TaskId me, const Schedule&) {
  Kthread& k = world_.tasks[me].kthread;
  if (k.state == Sleep::running) return answers(Outcome::success(), "state.schedule-runs"_rule);

  touch(me);
  if (linux_6() && k.should_stop && k.state == Sleep::interruptible) {
    k.state = Sleep::running;
    return answers(Outcome::success(), "kthread.stop-breaks-sleep"_rule);
  }
  world_.tasks[me].call = {.kind = Call::Kind::sched};
  answers({}, "state.schedule-sleeps"_rule);
  return std::nullopt;
}

// --- waking ------------------------------------------------------------------------------------

Model::Answer Model::act(TaskId me, const WakeUpProcess& op) {
  const TaskId id = find_for(me, op.task.pid());
  if (!id) return fails(Errno::srch, "kthread.unknown"_rule);

  const bool woken = wake_up(id, WakeMask::normal);
  return answers(Outcome::number(woken), woken ? "wake.normal"_rule : "wake.awake"_rule);
}

Model::Answer Model::act(TaskId me, const WakeUpState& op) {
  const TaskId id = find_for(me, op.task.pid());
  if (!id) return fails(Errno::srch, "kthread.unknown"_rule);
  const Depth depth = depth_of(world().tasks[id]);
  const bool halted = depth == Depth::stopped || depth == Depth::traced;
  if (halted && reaches(op.mask, depth)) return fails(Errno::inval, "wake.not-out-of-a-stop"_rule);

  const bool woken = wake_up(id, op.mask);
  return answers(Outcome::number(woken), woken ? "wake.mask"_rule : "wake.other-mask"_rule);
}

Model::Answer Model::act(TaskId me, const TaskStateMatch& op) {
  const TaskId id = find_for(me, op.task.pid());
  if (!id) return fails(Errno::srch, "kthread.unknown"_rule);
  const Depth depth = depth_of(world().tasks[id]);
  const bool matches = reaches(op.mask, depth);
  if (depth == Depth::beyond) return answers(Outcome::number(0), "state.new-or-dead"_rule);
  if (depth == Depth::stopped)
    return answers(Outcome::number(matches), "state.stopped-killable"_rule);
  if (depth == Depth::traced)
    return answers(Outcome::number(matches), linux_6() ? "state.traced"_rule
                                                       : "state.traced-killable"_rule);
  return answers(Outcome::number(matches), matches ? "state.match"_rule : "state.no-match"_rule);
}

/// Wakes a kernel thread if the mask reaches what it sleeps in, and answers whether it did. What
/// sleeps for something of its own looks whether that has come, and sleeps on.
bool Model::wake_up(TaskId id, WakeMask mask) {
  Task& t = world_.tasks[id];
  if (!reaches(mask, depth_of(t))) return false;
  touch(id);
  if (t.frozen) return cover("freezer.woken-in-vain"_rule), true;
  switch (t.call.kind) {
    case Call::Kind::none:
      cover("state.woken-before-sleep"_rule);
      t.kthread.state = Sleep::running;
      break;
    case Call::Kind::sched:
      t.kthread.state = Sleep::running;
      cover("state.schedule-returns"_rule);
      finish(id, Outcome::success());
      break;
    case Call::Kind::unwoken:
      first_run(id);
      break;
    case Call::Kind::parked:
      if (t.kthread.should_park)
        cover("kthread.parks-again"_rule);
      else if (std::exchange(t.kthread.started, true))
        cover("kthread.parkme-returns"_rule), finish(id, Outcome::success());
      else
        t.call = {};
      break;
    case Call::Kind::wait:
    case Call::Kind::poll:
      wake(id);  // it looks once more
      break;
    default:
      cover("wake.sleeps-on"_rule);
  }
  return true;
}

/// A new thread runs for the first time: it parks if it was asked to, else its function is called.
void Model::first_run(TaskId id) {
  Task& t = world_.tasks[id];
  t.call = {};
  if (t.kthread.should_park) return parkme(id);
  t.kthread.started = true;
  cover("kthread.first-run"_rule);
}

}  // namespace forkproof::spec
