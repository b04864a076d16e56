/// fork, vfork and clone: a task is made step by step (impl/steps.hpp), and if a step fails those
/// before it are undone, the last first.
///
/// What is taken is kept in a Birth, which nobody else can see, until the last step ties it to the
/// others.
///
/// Sources: kernel/fork.c copy_process(), kernel_clone().
#include "impl/bits/clone_flags.hpp"
#include "impl/bits/task_flags.hpp"
#include "impl/machine.hpp"

namespace forkproof::impl {
namespace {

std::uint16_t flags_of_child(const Task& maker) {
  return static_cast<std::uint16_t>(bits::flags_of_child(std::uint32_t{maker.flags}));
}

/// What the call comes to when the step fails.
constexpr std::uint64_t failure_of(CopyStep step) {
  return static_cast<std::uint64_t>(table_of(step).no_room);
}

/// A step of which nothing is modelled but that.
std::uint64_t may_fail(CopyStep step, auto& faults) {
  return faults.strike(step) ? failure_of(step) : bits::kGoesOn;
}

}  // namespace

/// A task in the making: what has been taken for it.
struct Machine::Birth {
  Task& maker;
  Process& makers;
  CloneFlags flags;
  std::uint8_t exit_signal;
  bool is_thread;
  const Wanted& wanted;
  Task* task = nullptr;
  Process* process = nullptr;  // its own
  Index actions = kNobody;
  Index space = kNobody;
  std::int32_t number = 0;
  bool below = false;  // not in the world's own pid namespace, or its maker is not
  Index ns = kNobody;  // its pid namespace
  Index proxy = kNobody;
  Index user_ns = kNobody;  // a new one
  Index kthread = kNobody;  // what a kernel thread has besides
  Index pidfd = kNobody;  // the open file that will stand for it
  Index cgroup = kNobody;  // that it is charged to
  bool maker_got_files = false, maker_got_fs = false;  // to share, as it had none
  bool maker_got_actions = false;
  bool maker_got_space = false;
};

Outcome Machine::kernel_clone(Task& t, CloneFlags flags, std::uint8_t exit_signal,
                              const Wanted& wanted) {
  Birth birth{.maker = t, .makers = process_of(t), .flags = flags, .exit_signal = exit_signal,
              .is_thread = flags.has(clone_flag::thread), .wanted = wanted};
  birth.below = (process_of(t).ns | (flags.bits & clone_flag::new_any.bits)) != 0;
  NoFaults none;
  const std::uint64_t verdict =
      faults_.armed() ? copy_process_or_fail(birth) : copy_process(birth, none);
  if (verdict == bits::kRestarts) return postpone(birth);
  if (verdict != bits::kGoesOn) return Outcome::failure(static_cast<Errno>(verdict));

  Task& child = *birth.task;
  const bool vfork = flags.has(clone_flag::vfork);
  if (vfork) init_completion(t, child);
  wake_up_new_task(child);
  touch(child, true);
  return vfork ? wait_for_vfork_done(t, child) : Outcome::task(Pid{seen_by(t, birth.number)});
}

/// A child of kthreadd, which has no memory and shares what else there is to share: its table of
/// actions, too, which never changes.
Errno Machine::kernel_thread(Task*& child) {
  constexpr CloneFlags kShared =
      clone_flag::vm | clone_flag::fs | clone_flag::files | clone_flag::sighand;
  Task& maker = tasks_[kthreadd_.task];
  Birth birth{.maker = maker, .makers = process_of(maker), .flags = kShared,
              .exit_signal = static_cast<std::uint8_t>(sig::chld.n), .is_thread = false,
              .wanted = kNothingMore};
  const std::uint64_t verdict = copy_process_or_fail(birth);
  child = birth.task;
  if (verdict == bits::kGoesOn) process_of(*child).kthread = birth.kthread;
  return static_cast<Errno>(verdict == bits::kGoesOn ? std::uint64_t{0} : verdict);
}

/// A signal came first: it is dealt with, then the call is made again.
Outcome Machine::postpone(const Birth& b) {
  Task& t = b.maker;
  t.call = Call::create;
  t.args = {.number = b.exit_signal,
            .generation = static_cast<std::uint32_t>(b.flags.bits >> 32),
            .options = static_cast<std::uint32_t>(b.flags.bits)};
  if (b.wanted != kNothingMore || id(t) < wanted_.size()) [[unlikely]] {
    if (id(t) >= wanted_.size()) wanted_.resize(id(t) + 1);
    wanted_[id(t)] = b.wanted;
  }
  enqueue(t);
  return Outcome::of(Outcome::Kind::blocks);
}

std::uint64_t Machine::copy_process_or_fail(Birth& b) { return copy_process(b, faults_); }

/// All the steps, or none. Answers an errno, kRestarts or kGoesOn.
std::uint64_t Machine::copy_process(Birth& b, auto& faults) {
  std::uint64_t verdict = check_flags(b);
  if (verdict == bits::kGoesOn) verdict = dup_task_struct(b, faults);
  if (verdict == bits::kGoesOn) verdict = copy_creds(b, faults);
  if (verdict == bits::kGoesOn) verdict = set_kthread_struct(b, Profile::linux_6, faults);
  if (verdict == bits::kGoesOn) verdict = sched_fork(b, faults);
  if (verdict == bits::kGoesOn && b.flags.has(clone_flag::sysvsem))
    verdict = may_fail(CopyStep::copy_semundo, faults);
  if (verdict == bits::kGoesOn) verdict = copy_files(b, faults);
  if (verdict == bits::kGoesOn) verdict = copy_fs(b, faults);
  if (verdict == bits::kGoesOn) verdict = copy_sighand(b, faults);
  if (verdict == bits::kGoesOn) verdict = copy_signal(b, faults);
  if (verdict == bits::kGoesOn) verdict = copy_mm(b, faults);
  if (verdict == bits::kGoesOn) verdict = copy_namespaces(b, faults);
  if (verdict == bits::kGoesOn) verdict = may_fail(CopyStep::copy_io, faults);
  if (verdict == bits::kGoesOn) verdict = may_fail(CopyStep::copy_thread, faults);
  if (verdict == bits::kGoesOn) verdict = alloc_pid(b, faults);
  if (verdict == bits::kGoesOn) verdict = pidfd_prepare(b, faults);
  if (verdict == bits::kGoesOn) verdict = can_fork(b, faults);
  if (verdict == bits::kGoesOn) verdict = set_kthread_struct(b, Profile::linux_4_12, faults);
  if (verdict == bits::kGoesOn)
    attach(b);
  else
    undo(b);
  return verdict;
}

std::uint64_t Machine::check_flags(Birth& b) {
  if (b.below && b.is_thread && children_in(b.maker) != b.makers.pid_ns())
    return static_cast<std::uint64_t>(Errno::inval);
  // Only a tracee runs while its process stops; what it made would not have stopped before 4.20.
  const bool outruns = b.is_thread && profile_ == Profile::linux_4_12 && stops(b.makers);
  if (b.flags.has(clone_flag::pidfd | clone_flag::detached) || outruns)
    return static_cast<std::uint64_t>(Errno::inval);
  return bits::before_copying(b.flags.bits, b.makers.unkillable, profile_ == Profile::linux_6,
                              [&] { return look_again(b.maker); });
}

std::uint64_t Machine::dup_task_struct(Birth& b, auto& faults) {
  if (faults.strike(CopyStep::dup_task_struct)) return failure_of(CopyStep::dup_task_struct);
  Task& t = tasks_.make();
  b.task = &t;
  set_state(t, states().born);
  t.flags = flags_of_child(b.maker);
  t.blocked = b.maker.blocked;
  return bits::kGoesOn;
}

/// A user whose tasks are all he may have gets no other.
std::uint64_t Machine::copy_creds(Birth& b, auto& faults) {
  if (b.flags.has(clone_flag::newuser)) [[unlikely]] {
    const Errno may = may_make_user_ns(b.maker, mounts_of(b.maker));
    if (may != Errno::ok) return static_cast<std::uint64_t>(may);
    if (faults.strike(CopyStep::copy_creds)) return failure_of(CopyStep::copy_creds);
    b.user_ns = create_user_ns(b.maker, limits_of(b.makers));
  }
  if (b.maker.attributes == kNobody) return bits::kGoesOn;
  const Index ns = b.user_ns != kNobody ? b.user_ns : attributes_of(b.maker).user_ns;
  const Errno refused = may_have_one_more(b.maker, ns);
  return refused == Errno::ok ? bits::kGoesOn : static_cast<std::uint64_t>(refused);
}

/// The record of a kernel thread, which has it from the beginning or, in 4.12, takes it itself.
std::uint64_t Machine::set_kthread_struct(Birth& b, Profile when, auto& faults) {
  constexpr CopyStep kStep = CopyStep::set_kthread_struct;
  const bool is_kthread = kthreadd_.exists && id(b.maker) == kthreadd_.task;
  if (!is_kthread || when != profile_) [[likely]] return bits::kGoesOn;
  if (faults.strike(kStep)) return static_cast<std::uint64_t>(errno_of(kStep, profile_));
  kthreads_.prepare();
  b.kthread = kthreads_.make().self;
  return bits::kGoesOn;
}

/// What the task is called, how it is scheduled, and its signal stack: mostly as usual.
std::uint64_t Machine::sched_fork(Birth& b, auto& faults) {
  if (b.maker.attributes == kNobody && b.user_ns == kNobody) return bits::kGoesOn;
  const Attributes makers = attributes_of(b.maker);
  if (makers.policy == Policy::deadline && !makers.reset_on_fork)
    return static_cast<std::uint64_t>(Errno::again);
  if (faults.strike(CopyStep::sched_fork)) return failure_of(CopyStep::sched_fork);
  const bool runs_beside = b.flags.has(clone_flag::vm) && !b.flags.has(clone_flag::vfork);
  Attributes own = makers.of_child(runs_beside);
  if (b.user_ns != kNobody) own.enter(b.user_ns);
  if (own == makers) {
    b.task->attributes = b.maker.attributes;
    ++attributes_[b.maker.attributes].users;
  } else {
    set_attributes(*b.task, own);
  }
  count_user(own, true);
  return bits::kGoesOn;
}

std::uint64_t Machine::copy_files(Birth& b, auto& faults) {
  constexpr CopyStep kStep = CopyStep::copy_files;
  if (b.flags.has(clone_flag::files)) {
    if (b.maker.files == kNobody) {
      if (faults.strike(kStep)) return failure_of(kStep);
      own_files(b.maker);
      b.maker_got_files = true;
    }
    b.task->files = b.maker.files;
    ++files_[b.maker.files].users;
  } else if (b.maker.files != kNobody && files_[b.maker.files].open != 0) {
    if (faults.strike(kStep)) return failure_of(kStep);
    b.task->files = copy_of(b.maker.files);
  }
  return bits::kGoesOn;
}

std::uint64_t Machine::copy_fs(Birth& b, auto& faults) {
  constexpr CopyStep kStep = CopyStep::copy_fs;
  if (b.flags.has(clone_flag::fs)) {
    if (b.maker.fs == kNobody) {
      if (faults.strike(kStep)) return failure_of(kStep);
      own_fs(b.maker);
      b.maker_got_fs = true;
    }
    b.task->fs = b.maker.fs;
    ++fs_[b.maker.fs].users;
  } else if (b.maker.fs != kNobody && !fs_[b.maker.fs].is_usual(mounts_of(b.maker))) {
    if (faults.strike(kStep)) return failure_of(kStep);
    b.task->fs = copy_of_fs(b.maker.fs);
  }
  return bits::kGoesOn;
}

std::uint64_t Machine::copy_sighand(Birth& b, auto& faults) {
  constexpr CopyStep kStep = CopyStep::copy_sighand;
  if (b.is_thread) return bits::kGoesOn;
  const bool share = b.flags.has(clone_flag::sighand);
  if (share && b.makers.actions == kNobody) {
    if (faults.strike(kStep)) return failure_of(kStep);
    own_actions(b.makers);
    b.maker_got_actions = true;
  }
  if (share) {
    b.actions = b.makers.actions;
  } else if (b.makers.actions != kNobody && !actions_[b.makers.actions].all_default()) {
    if (faults.strike(kStep)) return failure_of(kStep);
    b.actions = actions_.take();
    actions_[b.actions] = actions_[b.makers.actions];
    actions_[b.actions].sharers = {};
    if (b.flags.has(clone_flag::clear_sighand)) {
      actions_[b.actions].caught = actions_[b.actions].restarts = {};
      actions_[b.actions].child = {};
    }
  }
  return bits::kGoesOn;
}

std::uint64_t Machine::copy_signal(Birth& b, auto& faults) {
  if (b.is_thread) return bits::kGoesOn;
  if (faults.strike(CopyStep::copy_signal)) return failure_of(CopyStep::copy_signal);
  b.process = &processes_.make();
  b.process->limits = b.makers.limits;
  if (b.process->limits != kNobody) ++limits_[b.process->limits].users;
  return bits::kGoesOn;
}

std::uint64_t Machine::copy_mm(Birth& b, auto& faults) {
  constexpr CopyStep kStep = CopyStep::copy_mm;
  if (b.is_thread || b.makers.kthread != kNobody) return bits::kGoesOn;
  if (b.flags.has(clone_flag::vm)) {
    if (b.makers.space == kNobody) {
      if (faults.strike(kStep)) return failure_of(kStep);
      own_space(b.makers);
      b.maker_got_space = true;
    }
    b.space = b.makers.space;
  } else if (b.makers.space != kNobody && memory_[b.makers.space].present != 0) {
    b.space = memory_.fork(b.makers.space, faults);
    if (b.space == kNobody) return failure_of(kStep);
  }
  return bits::kGoesOn;
}

/// The maker's own are there: new ones are made with flags only.
std::uint64_t Machine::copy_namespaces(Birth& b, auto& faults) {
  if (!b.below) return bits::kGoesOn;
  const Index owner = attributes_of(*b.task).user_ns;
  if (!may_make_namespaces(b.maker, b.flags, owner)) return static_cast<std::uint64_t>(Errno::perm);
  if (b.flags.has(clone_flag::newipc | clone_flag::sysvsem))
    return static_cast<std::uint64_t>(Errno::inval);
  const Errno refused = may_create_namespaces(b.maker, b.flags, owner);
  if (refused != Errno::ok) return static_cast<std::uint64_t>(refused);
  b.ns = children_in(b.maker);
  const std::uint64_t verdict = copy_pid_ns(b, faults);
  if (verdict != bits::kGoesOn) return verdict;
  const auto proxy = proxy_of_child(b.maker, b.flags, owner);
  if (!proxy) return failure_of(CopyStep::copy_namespaces);
  b.proxy = *proxy;
  if (b.flags.has(clone_flag::newns))
    follow_mounts(*b.task, mounts_of(b.maker), proxies_[b.proxy].of[ns_kind::mnt]);
  return bits::kGoesOn;
}

std::uint64_t Machine::copy_pid_ns(Birth& b, auto& faults) {
  if (!b.flags.has(clone_flag::newpid)) return bits::kGoesOn;
  if (faults.strike(CopyStep::copy_namespaces)) return failure_of(CopyStep::copy_namespaces);
  b.ns = make_namespace(b.ns, attributes_of(*b.task).user_ns);
  return bits::kGoesOn;
}

std::uint64_t Machine::alloc_pid(Birth& b, auto& faults) {
  const auto depth = static_cast<std::size_t>(level_of(b.ns));
  const std::span<const std::int32_t> wanted = b.wanted.tids.numbers();
  if (wanted.size() > depth + 1) return static_cast<std::uint64_t>(Errno::inval);
  if (b.ns != kNobody) [[unlikely]] {
    if (faults.strike(CopyStep::alloc_pid)) return failure_of(CopyStep::alloc_pid);
    const std::uint64_t inner = alloc_inner(b.maker, b.ns, wanted, birth_numbers_);
    if (inner != bits::kGoesOn) return inner;
  }
  if (wanted.size() > depth) [[unlikely]] return alloc_wanted(b, faults);
  const std::int32_t found = find_number();
  if (found != 0 && faults.strike(CopyStep::alloc_pid)) return failure_of(CopyStep::alloc_pid);
  if (found != 0) take_number(b.number = found);
  if (b.ns != kNobody && found != 0 && !namespaces_[b.ns].accepts)
    return static_cast<std::uint64_t>(Errno::nomem);
  return bits::after_search(std::uint64_t{0}, found == 0, profile_ == Profile::linux_6, [&] {
    // can_fork came first
    return cgroups_.has_room(cgroups_.of(id(b.maker)), tasks_.taken()) && look_again(b.maker);
  });
}

/// A number in the world is asked for, and the cursor is not.
std::uint64_t Machine::alloc_wanted(Birth& b, auto& faults) {
  const std::int32_t n = b.wanted.tids.numbers().back();
  const Errno refused = refuses_number(b.maker, kNobody, n);
  if (refused != Errno::ok) return static_cast<std::uint64_t>(refused);
  if (faults.strike(CopyStep::alloc_pid)) return failure_of(CopyStep::alloc_pid);
  taken_.take(static_cast<std::uint64_t>(b.number = n));
  const bool dead = b.ns != kNobody && !namespaces_[b.ns].accepts;
  return dead ? static_cast<std::uint64_t>(Errno::nomem) : bits::kGoesOn;
}

/// Without a free descriptor the number is passed.
std::uint64_t Machine::pidfd_prepare(Birth& b, auto& faults) {
  if (!b.flags.has(clone_flag::pidfd)) [[likely]] return bits::kGoesOn;
  if (faults.strike(CopyStep::pidfd_prepare)) return failure_of(CopyStep::pidfd_prepare);
  if (b.maker.files == kNobody) b.maker_got_files = true;
  const bool full = free_descriptor(b.maker) == kDescriptors;
  if (full || b.wanted.args == Clone3Args::pidfd_unwritable)
    return static_cast<std::uint64_t>(full ? Errno::mfile : Errno::fault);
  b.pidfd = alloc_file(b.maker);
  return bits::kGoesOn;
}

/// A control group that is full, or cannot be had, refuses the task. What is refused anyway is no
/// step that can fail.
std::uint64_t Machine::can_fork(Birth& b, auto& faults) {
  Index group = kNobody;
  const bool asks = cgroups_.in_use() || b.wanted.into;
  const Errno refused =
      asks ? choose_cgroup(b.maker, b.is_thread, b.wanted, group) : Errno::ok;
  if (refused != Errno::ok) [[unlikely]] return static_cast<std::uint64_t>(refused);
  if (faults.strike(CopyStep::can_fork)) return failure_of(CopyStep::can_fork);
  cgroups_.charge(b.cgroup = group);
  return bits::kGoesOn;
}

/// A first number of a namespace that is given back was the last; one that could not be had at all
/// is the next one's.
void Machine::give_back_numbers(const Birth& b) {
  if (b.number != 0) taken_.give_back(static_cast<std::size_t>(b.number));
  if (b.ns == kNobody || namespaces_[b.ns].count != 0 || !namespaces_[b.ns].accepts) return;
  if (b.number == 0) namespaces_[b.ns].cursor = 1;
  namespaces_[b.ns].accepts = b.number == 0;
}

/// The last step done is undone first. The cursor has passed the number, and stays.
void Machine::undo(Birth& b) {
  cgroups_.uncharge(b.cgroup);
  if (b.pidfd != kNobody) free_file(b.pidfd);
  give_back_numbers(b);
  put_proxy(b.proxy);
  put_namespace(b.ns);
  const bool shares_space = b.flags.has(clone_flag::vm);
  if (b.maker_got_space) leave_space(b.makers);
  if (!shares_space && b.space != kNobody) memory_.drop(b.space);
  if (b.process != nullptr) {
    leave_limits(*b.process);
    processes_.give_back(id(*b.process));
  }
  if (b.maker_got_actions) leave_actions(b.makers);
  if (!b.flags.has(clone_flag::sighand) && b.actions != kNobody) actions_.give_back(b.actions);
  if (b.task != nullptr) {
    exit_fs(*b.task);
    exit_files(*b.task);
  }
  if (b.maker_got_fs) exit_fs(b.maker);
  if (b.maker_got_files) exit_files(b.maker);
  if (b.task != nullptr) put_task_struct(id(*b.task));
  if (b.kthread != kNobody) kthreads_.give_back(b.kthread);
  put_user_ns(b.user_ns);
}

void Machine::attach(Birth& b) {
  Task& t = *b.task;
  t.pid = b.number;
  numbers_.make(b.number).task = id(t);
  if (b.ns != kNobody) [[unlikely]] attach_in_namespaces(b, t);
  if (cgroups_.in_use()) [[unlikely]] cgroups_.enter(id(t), b.cgroup);
  if (b.is_thread)
    attach_thread(b, t);
  else
    attach_process(b, t);
  if (b.flags.has(clone_flag::ptrace)) [[unlikely]] ptrace_init_task(t, b.maker);
  if (b.pidfd != kNobody) [[unlikely]]
    install_pidfd(files_[b.maker.files], b.pidfd, t,
                  b.is_thread ? pidfd_flag::thread : PidfdFlags{});
  if (b.wanted.into && cgroups_.is_frozen(id(t))) [[unlikely]] freeze_or_thaw(t);  // no makers are
  put_user_ns(b.user_ns);  // the task has it
  if (b.proxy == kNobody) return;
  process_of(t).ns |= Process::kProxied;
  proxied_.set(id(t), b.proxy);
}

void Machine::attach_in_namespaces(Birth& b, Task& t) {
  take_inner(b.ns, b.number, birth_numbers_);
  if (b.is_thread) return;
  b.process->ns = b.ns;
  b.process->unkillable = birth_numbers_.front() == kInit.n;
  if (!b.process->unkillable) return;
  namespaces_[b.ns].reaper = id(t);
  namespaces_[b.ns].began = true;
}

void Machine::attach_thread(Birth& b, Task& t) {
  Process& p = b.makers;
  t.process = id(p);
  p.threads.push_back(tasks_, id(t));
  ++p.thread_count;
  ++p.live;
  touch(p);
  if (!stops(p)) return;
  t.stop_counted = p.to_stop > 0;  // it joins a group stop that is under way, or in effect
  p.to_stop += t.stop_counted;
  t.stop_pending = true;
  t.stopped_by = b.maker.stopped_by;
  alert(t, false);
}

void Machine::attach_process(Birth& b, Task& t) {
  Process& from = b.makers;
  Process& p = *b.process;
  t.process = id(p);
  p.tgid = b.number;
  p.threads.push_back(tasks_, id(t));
  p.thread_count = p.live = 1;
  p.detour = id(t);
  p.exec_id = from.exec_id;
  const auto from_maker = [&](std::uint64_t makers, std::uint64_t given) {
    return bits::from_maker(b.flags.bits, makers, given);
  };
  p.parent = static_cast<Index>(from_maker(from.parent, id(b.maker)));
  p.parent_exec_id = from_maker(from.parent_exec_id, from.exec_id);
  p.exit_signal = static_cast<std::int16_t>(
      from_maker(static_cast<std::uint64_t>(from.exit_signal), b.exit_signal));
  join_session(p, from.sid);
  p.group = from.group;
  groups_[p.group].members.push_back(processes_, id(p));
  all_.push_back(processes_, id(p));
  p.actions = b.actions;
  if (p.actions != kNobody) actions_[p.actions].sharers.push_back(processes_, id(p));
  p.space = b.space;
  if (p.space != kNobody) memory_[p.space].borrowers.push_back(processes_, id(p));

  Task& parent = tasks_[p.parent];
  const Process& family = process_of(parent);
  p.has_subreaper = family.has_subreaper || family.is_subreaper;
  p.order = ++order_;
  parent.children.push_back(processes_, id(p));
  count_child(p, true);
}

}  // namespace forkproof::impl
