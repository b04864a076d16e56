/// wait4 and waitid: what there is to report, and who sleeps until there is.
///
/// Each task keeps a ring of those of its children that have news, in the order of its children,
/// and counts those that may have some later. So a wait for any child looks at no child that has
/// nothing to tell. A child that gets news is put in its place from the young end: O(1) when
/// children die in the order they came in.
///
/// Sources: kernel/exit.c do_wait(), wait_consider_task(), child_wait_callback(); wait4(2);
/// forkproof.md SETTLE:6.
#include <limits>

#include "impl/bits/wait_options.hpp"
#include "impl/bits/wait_status.hpp"
#include "impl/machine.hpp"

namespace forkproof::impl {
namespace {

/// `-n` as the kernel's int would have it.
std::int32_t negated(std::int32_t n) {
  return static_cast<std::int32_t>(0U - static_cast<std::uint32_t>(n));
}

/// The first argument of wait4.
std::int32_t wait4_pid(const Selector& s) {
  switch (s.kind) {
    case Selector::Kind::any: return -1;
    case Selector::Kind::task: return s.who.n;
    case Selector::Kind::group: return negated(s.who.n);
    case Selector::Kind::own_group: return 0;
  }
  return -1;
}

bool has(const Blocked& args, WaitOptions o) { return (args.options & o.bits) != 0; }

bool is_for_process(Whom whom) { return whom == Whom::process || whom == Whom::by_pidfd; }

bool wants_clones_or_not(const Blocked& args, bool clone_child) {
  return bits::wait_chooses(args.options, clone_child);
}

/// What the macros of the C library read in a status word.
void tell(Outcome& found, std::int32_t child, std::uint32_t status) {
  const auto news = [&](Change change, std::uint32_t code) {
    found = Outcome::news(Pid{child}, change, static_cast<std::int32_t>(code));
  };
  if (bits::is_exited(status)) return news(Change::exited, bits::upper_byte(status));
  if (bits::is_killed(status)) return news(Change::killed, bits::term_signal(status));
  if (bits::is_stopped(status)) return news(Change::stopped, bits::upper_byte(status));
  assert(bits::is_continued(status));
  news(Change::continued, 0);
}

}  // namespace

Outcome Machine::perform(Task& t, const Wait4& op) {
  if (!bits::wait4_takes(op.options.bits)) return Outcome::failure(Errno::inval);
  const std::int32_t pid = wait4_pid(op.selector);
  if (pid == std::numeric_limits<std::int32_t>::min())
    return Outcome::failure(profile_ == Profile::linux_6 ? Errno::srch : Errno::child);
  t.args = {};
  t.whom = Whom::any;
  t.args.options = static_cast<std::uint32_t>((op.options | wait_option::exited).bits);
  if (pid > 0) {
    t.whom = Whom::process;
    t.args.number = pid;
  } else if (pid != -1) {
    t.whom = pid == 0 ? Whom::own_group : Whom::group;
    t.args.number = -pid;
  }
  if (process_of(t).pid_ns() != kNobody) [[unlikely]]
    asked_.set(id(t), static_cast<std::uint32_t>(t.args.number));
  return begin_wait(t);
}

Outcome Machine::perform(Task& t, const Waitid& op) {
  if (!bits::waitid_takes(op.options.bits)) return Outcome::failure(Errno::inval);
  t.args = {};
  t.whom = Whom::any;
  t.args.options = static_cast<std::uint32_t>(op.options.bits);
  using Kind = IdSelector::Kind;
  const std::int32_t id = op.selector.kind == Kind::own_group ? 0 : op.selector.who.n;
  if (op.selector.kind == Kind::pidfd) {
    if (profile_ == Profile::linux_4_12 || op.selector.fd < 0)
      return Outcome::failure(Errno::inval);
    t.whom = Whom::by_pidfd;
    asked_.set(this->id(t), static_cast<std::uint32_t>(op.selector.fd));
    return begin_wait(t);
  }
  if (op.selector.kind == Kind::task) {
    if (id <= 0) return Outcome::failure(Errno::inval);
    t.whom = Whom::process;
    t.args.number = id;
  } else if (op.selector.kind != Kind::any) {
    const bool knows_own = profile_ == Profile::linux_6;
    if (id < 0 || (id == 0 && !knows_own)) return Outcome::failure(Errno::inval);
    t.whom = id == 0 ? Whom::own_group : Whom::group;
    t.args.number = id;
  }
  if (process_of(t).pid_ns() != kNobody) [[unlikely]]
    asked_.set(this->id(t), static_cast<std::uint32_t>(t.args.number));
  return begin_wait(t);
}

/// Looks once, and falls asleep if there is nothing. A number stands for whoever has it now.
Outcome Machine::begin_wait(Task& t) {
  if (t.whom == Whom::by_pidfd) [[unlikely]] return begin_wait_by_pidfd(t);
  if (t.whom == Whom::process || t.whom == Whom::group)
    if (process_of(t).pid_ns() != kNobody) [[unlikely]]
      t.args.number = meant_by(t, static_cast<std::int32_t>(asked_.find(id(t))));
  if (t.whom == Whom::own_group) t.args.number = groups_[process_of(t).group].number;
  if (t.whom != Whom::any) t.args.generation = numbers_.find(t.args.number).generation;
  return look_or_sleep(t);
}

/// The descriptor is looked at whenever the wait begins, and not while it goes on.
Outcome Machine::begin_wait_by_pidfd(Task& t) {
  const OpenFile* const pidfd = pidfd_at(t, static_cast<Descriptor>(asked_.find(id(t))));
  if (pidfd == nullptr) return Outcome::failure(Errno::badf);
  const bool sleeps = !pidfd->flags.has(pidfd_flag::nonblock) || has(t.args, wait_option::nohang);
  t.args.number = pidfd->target;
  t.args.generation = pidfd->generation;
  if (sleeps) return look_or_sleep(t);
  const Outcome found = look(t);
  return found.kind == Outcome::Kind::blocks ? Outcome::failure(Errno::again) : found;
}

Outcome Machine::look_or_sleep(Task& t) {
  const Outcome found = look(t);
  if (found.kind == Outcome::Kind::blocks) {
    t.call = Call::wait;
    t.asleep = true;
    set_state(t, bits::kInterruptible);
    process_of(t).sleepers.push_back(tasks_, id(t));
    touch(t);
  }
  return found;
}

void Machine::stop_waiting(Task& t) {
  if (t.call == Call::poll) [[unlikely]] return stop_polling(t);
  if (!t.asleep) return;
  t.asleep = false;
  set_state(t, bits::kRunning);
  process_of(t).sleepers.remove(tasks_, id(t));
}

/// One look at the children: news, or ECHILD, or, without WNOHANG, nothing yet, so that it blocks.
Outcome Machine::look(Task& t) {
  Outcome found = Outcome::of(Outcome::Kind::blocks);
  bool exists = false;
  if (is_for_process(t.whom)) {
    Process* const child = child_by_number(t);
    if (child != nullptr) {
      exists = !ready(*child) && !stops_no_more(t, *child);
      if (report(t, *child, found)) return found;
    }
    if (!tracings_.empty() && look_at_all_tracees(t, found, exists)) return found;
  } else {
    Index of = id(t);
    bool traces_some = false;
    do {
      if (look_at_news(t, tasks_[of], found)) return found;
      if (tasks_[of].traces && look_at_tracees(t, of, found, traces_some)) return found;
      of = Ring<Threads>::around(tasks_, of);
    } while (of != id(t) && !has(t.args, wait_option::nothread));
    exists = traces_some || exists_child(t);
  }
  if (!exists)
    found = Outcome::failure(Errno::child);
  else if (has(t.args, wait_option::nohang))
    found = Outcome::of(Outcome::Kind::none);
  return found;
}

/// The child that a wait for one process is for, if it is one of the waiter's and chosen.
Process* Machine::child_by_number(const Task& t) {
  const Number& n = numbers_.find(t.args.number);
  if (n.generation != t.args.generation || n.task == kNobody) return nullptr;
  Process& p = process_of(tasks_[n.task]);
  if (p.tgid != t.args.number || !is_child_of(p, t)) return nullptr;
  return wants_clones_or_not(t.args, p.clone_child()) ? &p : nullptr;
}

bool Machine::is_child_of(const Process& p, const Task& t) const {
  if (p.parent == kNobody) return false;
  if (has(t.args, wait_option::nothread)) return p.parent == id(t);
  return tasks_[p.parent].process == t.process;
}

bool Machine::look_at_news(const Task& t, const Task& of, Outcome& found) {
  const Ring<News>& news = of.news;
  const bool from_young = bug_ == Bug::lifo_wait;
  Index i = from_young ? news.last(processes_) : news.first;
  while (i != kNobody) {
    Process& child = processes_[i];
    i = from_young ? news.before(processes_, i) : news.after(processes_, i);
    if (!wants_clones_or_not(t.args, child.clone_child())) continue;
    if (!selects(t, leader_of(child))) continue;
    if (report(t, child, found)) return true;
  }
  return false;
}

/// Whether there is a child that could have news later.
bool Machine::exists_child(const Task& t) const {
  if (t.whom == Whom::any) {
    std::uint32_t living = 0;
    Index of = id(t);
    do {
      const Task& thread = tasks_[of];
      for (const bool clone : {false, true})
        if (wants_clones_or_not(t.args, clone)) living += thread.living[clone];
      of = Ring<Threads>::around(tasks_, of);
    } while (of != id(t) && !has(t.args, wait_option::nothread));
    for (const Tracing& tracing : tracings_) {
      const Process& p = process_of(tasks_[tracing.tracee]);
      living -= p.leader() == tracing.tracee && is_child_of(p, t) && !ready(p) &&
                wants_clones_or_not(t.args, p.clone_child()) && stops_no_more(t, p);
    }
    return living > 0;
  }
  const Number& n = numbers_.find(t.args.number);
  if (n.generation != t.args.generation || n.group == kNobody) return false;
  const Ring<Members>& members = groups_[n.group].members;
  for (Index i = members.first; i != kNobody; i = members.after(processes_, i)) {
    const Process& p = processes_[i];
    if (is_child_of(p, t) && !ready(p) && wants_clones_or_not(t.args, p.clone_child()) &&
        !stops_no_more(t, p))
      return true;
  }
  return false;
}

/// Whether such a wait will hear nothing of a child that its own process traces, and whose leader
/// is dead, before it can be reaped.
bool Machine::stops_no_more(const Task& t, const Process& child) const {
  const Task& leader = leader_of(child);
  return leader.traced && is_traced(leader) && is_familys(leader) && !has_more(t, leader);
}

/// Takes what `child` has to report, if the options ask for it. A dead child is then gone.
bool Machine::report(const Task& t, Process& child, Outcome& found) {
  Task& leader = leader_of(child);
  if (is_traced(leader) && is_familys(leader)) [[unlikely]]
    return report_tracee(t, leader, found);
  if (ready(child)) {
    if (!has(t.args, wait_option::exited)) return false;
    report_death(t, leader, found);
    return true;
  }
  const bool is_stopped = (child.flags & process_flag::stopped) != 0;
  if (!is_stopped || child.exit_code == 0 || !has(t.args, wait_option::stopped))
    return report_continue(t, leader, found);
  tell(found, seen_by(t, child.tgid),
       bits::stopped_status(static_cast<std::uint32_t>(child.exit_code)));
  if (!has(t.args, wait_option::nowait)) child.exit_code = 0;
  update_news(child);
  return true;
}

/// The same of a thread to its tracer, or to its parent if both are of one process.
bool Machine::report_tracee(const Task& t, Task& tracee, Outcome& found) {
  if (is_gone(tracee)) {
    if (!has(t.args, wait_option::exited)) return false;
    report_death(t, tracee, found);
    return true;
  }
  Tracing& tracing = tracing_of(tracee);
  if (!tracing.reports()) return report_continue(t, tracee, found);
  tell(found, seen_by(t, tracee.pid),
       bits::stopped_status(static_cast<std::uint32_t>(tracing.code.n)));
  if (!has(t.args, wait_option::nowait)) tracing.code = sig::none;
  update_news(process_of(tracee));
  return true;
}

/// A process's continue, as that of the thread that is looked at.
bool Machine::report_continue(const Task& t, const Task& child, Outcome& found) {
  Process& p = process_of(child);
  if ((p.flags & process_flag::continued) == 0 || !has(t.args, wait_option::continued))
    return false;
  tell(found, seen_by(t, child.pid), bits::continued_status(t.args.options));
  const auto rest = static_cast<std::uint8_t>(~process_flag::continued);
  if (!has(t.args, wait_option::nowait)) p.flags &= rest;
  update_news(p);
  return true;
}

/// A dead thread is gone when that was reported, and with its leader a process; or, if a tracer of
/// elsewhere asked, that is its parent's.
void Machine::report_death(const Task& t, Task& dead, Outcome& found) {
  Process& p = process_of(dead);
  const std::int32_t code = p.exits() ? p.exit_code : dead.exit_code;
  tell(found, seen_by(t, dead.pid), static_cast<std::uint32_t>(code));
  if (has(t.args, wait_option::nowait)) return;
  if (!is_leader(dead)) return release_task(dead);
  if (!dead.traced || is_familys(dead)) {
    collect_usage(processes_[t.process], p);
    return release_task(dead);
  }
  unlink_tracing(dead);
  if (mourn(p)) release_task(dead);  // now its parent hears of it
}

/// Whether a wait is for this task, going by its number or group.
bool Machine::selects(const Task& t, const Task& child) const {
  if (t.whom == Whom::any) return true;
  const std::int32_t theirs =
      is_for_process(t.whom) ? child.pid : groups_[process_of(child).group].number;
  return theirs == t.args.number && numbers_.find(theirs).generation == t.args.generation;
}

/// Wakes those of the threads of a parent, or tracer, that wait for this child, the last to fall
/// asleep first.
void Machine::wake_waiters(const Task& child, Index parent) {
  const Process& family = process_of(tasks_[parent]);
  if (tasks_[parent].call == Call::reap) [[unlikely]]
    return wake(tasks_[parent], bits::kInterruptible);
  const Index tracer = tracer_of(child);
  const Index told = tracer == kNobody ? process_of(child).parent : tracer;
  for (Index i = family.sleepers.last(tasks_); i != kNobody;
       i = family.sleepers.before(tasks_, i)) {
    Task& t = tasks_[i];
    if (has(t.args, wait_option::nothread) && told != i) continue;
    if (selects(t, child)) wake(t, bits::kInterruptible);
  }
}

bool Machine::has_news(const Process& p) const {
  const bool stop = (p.flags & process_flag::stopped) != 0 && p.exit_code != 0;
  return stop || (p.flags & process_flag::continued) != 0 || dead(p) ||
         (!tracings_.empty() && is_trapped(p));
}

/// Puts `p` on its parent's ring of news, in its place, or takes it off.
void Machine::update_news(Process& p) {
  if (p.parent == kNobody) return;
  const bool has_some = has_news(p);
  if (has_some == linked<News>(p)) return;
  Ring<News>& news = tasks_[p.parent].news;
  if (!has_some) return news.remove(processes_, id(p));
  Index older = news.last(processes_);
  while (older != kNobody && processes_[older].order > p.order)
    older = news.before(processes_, older);
  news.insert_after(processes_, older, id(p));
}

/// For a process that is not dead.
void Machine::set_exit_signal(Process& p, std::int16_t signal) {
  if (p.exit_signal == signal) return;
  count_child(p, false);
  p.exit_signal = signal;
  count_child(p, true);
}

}  // namespace forkproof::impl
