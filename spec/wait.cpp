/// wait4 and waitid: who is eligible, what is reported, who sleeps and who is woken.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

namespace opt = wait_option;

namespace {

constexpr WaitOptions kWait4Options =
    opt::nohang | opt::stopped | opt::continued | opt::nothread | opt::all | opt::clone;
constexpr WaitOptions kWaitidOptions = kWait4Options | opt::exited | opt::nowait;

/// The pid argument of the call that a selector stands for.
std::int32_t raw_pid(const Selector& s) {
  switch (s.kind) {
    case Selector::Kind::any:
      return -1;
    case Selector::Kind::own_group:
      return 0;
    case Selector::Kind::task:
      return s.who.n;
    case Selector::Kind::group:
      return static_cast<std::int32_t>(-static_cast<std::uint32_t>(s.who.n));
  }
  return 0;
}

}  // namespace

Model::Answer Model::act(TaskId id, const Wait4& op) {
  const std::int32_t pid = raw_pid(op.selector);
  if ((op.options - kWait4Options).bits != 0) return fails(Errno::inval, "wait.wait4-options"_rule);
  if (pid == INT32_MIN && linux_6()) return fails(Errno::srch, "wait.least-number"_rule);
  if (pid == INT32_MIN) return fails(Errno::child, "wait.least-number-no-child"_rule);

  WaitQuery query{.options = op.options | opt::exited};
  cover("wait.wexited-implied"_rule);
  if (pid == -1) cover("wait.any"_rule);
  if (pid > 0) {
    cover("wait.task"_rule);
    query.whom = WaitQuery::Whom::process;
    query.number = meant_by(id, {pid});
  } else if (pid != -1) {
    query.whom = WaitQuery::Whom::group;
    query.number =
        pid == 0 ? world().process_of(world().tasks[id]).pgid : meant_by(id, Pid{-pid});
    cover(pid == 0 ? "wait.own-group"_rule : "wait.group"_rule);
  }
  return wait(id, query, op);
}

Model::Answer Model::act(TaskId id, const Waitid& op) {
  using Kind = IdSelector::Kind;
  const bool own_group = op.selector.kind == Kind::own_group ||
                         (op.selector.kind == Kind::group && op.selector.who.n == 0);
  if ((op.options - kWaitidOptions).bits != 0)
    return fails(Errno::inval, "wait.waitid-options"_rule);
  if (!op.options.any(opt::exited | opt::stopped | opt::continued))
    return fails(Errno::inval, "wait.waitid-asks-nothing"_rule);
  if (op.selector.kind == Kind::task && op.selector.who.n <= 0)
    return fails(Errno::inval, "wait.waitid-task-range"_rule);
  if (op.selector.kind == Kind::group && op.selector.who.n < 0)
    return fails(Errno::inval, "wait.waitid-group-range"_rule);
  if (op.selector.kind == Kind::pidfd) return wait_by_pidfd(id, op);
  if (own_group && !linux_6()) return fails(Errno::inval, "wait.waitid-own-group-refused"_rule);

  WaitQuery query{.options = op.options};
  if (op.selector.kind == Kind::task) {
    query.whom = WaitQuery::Whom::process;
    query.number = meant_by(id, op.selector.who.pid());
  } else if (op.selector.kind != Kind::any) {
    query.whom = WaitQuery::Whom::group;
    query.number = own_group ? world_.process_of(world_.tasks[id]).pgid
                             : meant_by(id, op.selector.who.pid());
    cover(own_group ? "wait.waitid-own-group"_rule : "wait.group"_rule);
  }
  return wait(id, query, op);
}

/// Reports what there is, or puts the caller to sleep until there is something.
Model::Answer Model::wait(TaskId id, WaitQuery query, const Op& op) {
  const Number* const number = world_.numbers.find(query.number.n);
  if (number != nullptr && query.use == 0) query.use = number->use;
  if (Answer found = look(id, query)) {
    const bool news = found->kind == Outcome::Kind::change;
    outcome_rule_ = news ? "wait.oldest-first"_rule : fired().back();
    return found;
  }
  world_.tasks[id].call = {
      .kind = Call::Kind::wait, .query = query, .again = op, .since = next_place()};
  touch(id);
  answers({}, "wait.sleeps"_rule);
  return std::nullopt;
}

/// One scan: the caller's own children first, then those of its other threads, going round; each
/// oldest first, and after its children whom it traces. Answers news, ECHILD or `none`; nothing
/// means sleep.
Model::Answer Model::look(TaskId id, const WaitQuery& query) {
  const Process& mine = world().process_of(world().tasks[id]);
  const bool only_mine = query.options.has(opt::nothread);
  const std::size_t n = mine.threads.size();
  const std::size_t first =
      static_cast<std::size_t>(std::ranges::find(mine.threads, id) - mine.threads.begin());
  bool there = false;

  for (std::size_t i = 0; i < (only_mine ? 1 : n); ++i) {
    const Task& thread = world().tasks[mine.threads[(first + i) % n]];
    for (const auto& [place, child] : thread.news)
      if (consider(query, child) == Verdict::news) {
        if (n > 1) cover(i > 0 ? "wait.sibling-children"_rule : "wait.own-children-first"_rule);
        return report(id, query, child, false);
      }
    for (const TaskId child : tracees_of(mine.threads[(first + i) % n]))
      if (consider(query, child, true) == Verdict::news) {
        cover("ptrace.wait-after-children"_rule);
        return report(id, query, child, true);
      }
  }
  if (only_mine && n > 1) cover("wait.nothread"_rule);
  for (std::size_t i = 0; i < (only_mine ? 1 : n) && !there; ++i)
    for (const auto& [place, child] : world().tasks[mine.threads[(first + i) % n]].children)
      if (consider(query, child) != Verdict::not_there) {
        there = true;
        break;
      }
  for (std::size_t i = 0; i < (only_mine ? 1 : n) && !there; ++i)
    for (const TaskId child : tracees_of(mine.threads[(first + i) % n]))
      there = there || consider(query, child, true) != Verdict::not_there;
  if (!there) {
    cover("wait.no-child"_rule);
    return Outcome::failure(Errno::child);
  }
  if (!query.options.has(opt::nohang)) return std::nullopt;
  cover("wait.nohang"_rule);
  return Outcome::of(Outcome::Kind::none);
}

bool Model::selects(const WaitQuery& query, TaskId child) const {
  switch (query.whom) {
    case WaitQuery::Whom::any:
      return true;
    case WaitQuery::Whom::process:
      if (world_.tasks[child].tid != query.number) return false;
      break;
    case WaitQuery::Whom::group:
      if (world_.process_of(world_.tasks[child]).pgid != query.number) return false;
      break;
  }
  return world_.numbers.find(query.number.n)->use == query.use;
}

/// What one child, or, to its tracer, one traced task means to one wait.
Model::Verdict Model::consider(const WaitQuery& query, TaskId child, bool as_tracer) {
  const Task& t = world().tasks[child];
  const Process& p = world().process_of(t);
  if (!selects(query, child)) return Verdict::not_there;
  const bool clone_child = t.exit_signal != sig::chld.n;
  const bool chosen = query.options.has(opt::all) || clone_child == query.options.has(opt::clone);
  if (as_tracer && !chosen) cover("ptrace.wait-any-kind"_rule);
  if (!as_tracer && !chosen) {
    cover(clone_child ? "wait.sigchld-children"_rule : "wait.clone-children"_rule);
    return Verdict::not_there;
  }
  if (clone_child && query.options.has(opt::all)) cover("wait.all-children"_rule);

  const bool traced = t.trace.by && (as_tracer || world().is_familys_own(t));
  if (ready(child) && t.trace.by && !traced) {
    cover("ptrace.wait-not-yet"_rule);
  } else if (ready(child)) {
    if (query.options.has(opt::exited)) return Verdict::news;
    cover("wait.zombie-not-asked"_rule);
    return Verdict::not_there;
  }
  const bool has_threads = t.zombie && !ready(child);
  if (has_threads && traced && !query.options.any(opt::exited | opt::continued)) {
    cover("ptrace.wait-no-more-stops"_rule);
    return Verdict::not_there;
  }
  if (has_threads) cover("wait.leader-with-threads"_rule);
  if (has_threads && has_news(child)) cover("wait.leader-with-threads-events"_rule);
  if (traced && p.stop_complete) cover("ptrace.wait-own-stops"_rule);
  if (traced ? t.trace.trapped && t.trace.code != sig::none
             : query.options.has(opt::stopped) && p.stop_complete && p.stop_signal != sig::none)
    return Verdict::news;
  if (query.options.has(opt::continued) && p.continued) return Verdict::news;
  if (has_news(child)) cover("wait.events-not-asked"_rule);
  return Verdict::there;
}

/// Tells the news of a child and, unless WNOWAIT, takes them.
Outcome Model::report(TaskId waiter, const WaitQuery& query, TaskId child, bool as_tracer) {
  const Task& t = world().tasks[child];
  const bool traced = t.trace.by && (as_tracer || world().is_familys_own(t));
  Process& p = world_.process_of(t);
  const Pid pid = seen_by(waiter, t.tid);
  const bool keep = query.options.has(opt::nowait);
  if (keep) cover("wait.nowait"_rule);
  if (query.whom == WaitQuery::Whom::any) cover("wait.oldest-first"_rule);

  if (ready(child) && (traced || !t.trace.by)) return report_death(waiter, query, child);
  if (traced && t.trace.trapped && t.trace.code != sig::none) {
    const Signal by = t.trace.code;
    if (!keep) world_.tasks[child].trace.code = sig::none;
    update_news(child);
    cover(query.options.has(opt::stopped) ? "wait.stopped"_rule : "ptrace.wait-unasked"_rule);
    if (!keep) cover("ptrace.wait-once"_rule);
    return Outcome::news(pid, Change::stopped, by.n);
  }
  const bool stop = !traced && query.options.has(opt::stopped) && p.stop_complete &&
                    p.stop_signal != sig::none;
  const Signal by = p.stop_signal;
  if (!keep && stop) p.stop_signal = sig::none;
  if (!keep && !stop) p.continued = false;
  update_news(p.leader);
  cover(stop ? "wait.stopped"_rule : "wait.continued"_rule);
  if (!keep) cover(stop ? "wait.stopped-once"_rule : "wait.continued-once"_rule);
  return stop ? Outcome::news(pid, Change::stopped, by.n)
              : Outcome::news(pid, Change::continued, 0);
}

/// Tells the death of a process, or a thread, and takes it away; or, if a tracer heard of a process
/// before its parent did, leaves it to that.
Outcome Model::report_death(TaskId waiter, const WaitQuery& query, TaskId child) {
  const Task& t = world().tasks[child];
  const Process& p = world().process_of(t);
  const Pid pid = seen_by(waiter, t.tid);
  const std::int32_t status = p.group_exit ? p.group_exit_code : t.exit_code;
  const bool for_parent = world().is_familys_own(t);
  const bool thread = !world().is_leader(child);
  if (thread) cover("ptrace.wait-thread"_rule);
  if (!query.options.has(opt::nowait) && thread) {
    release(child);
  } else if (!query.options.has(opt::nowait) && for_parent) {
    cover("wait.reaps"_rule);
    tell(child);
    account(waiter, child);
    release(child);
  } else if (!query.options.has(opt::nowait)) {
    cover("ptrace.tracer-first"_rule);
    unlink(child);
    if (notify_parent(child)) release(child);
  }
  cover((status & 0x7f) == 0 ? "wait.exited"_rule : "wait.killed"_rule);
  return (status & 0x7f) == 0 ? Outcome::news(pid, Change::exited, status >> 8)
                              : Outcome::news(pid, Change::killed, status & 0x7f);
}

/// Whether a death can be reported: of a process when no other thread of it is left.
bool Model::ready(TaskId id) const {
  const Task& t = world_.tasks[id];
  return t.zombie && (!world_.is_leader(id) || world_.process_of(t).threads.size() == 1);
}

bool Model::has_news(TaskId leader) const {
  const Process& p = world_.process_of(world_.tasks[leader]);
  const Tracing& trace = world_.tasks[leader].trace;
  return ready(leader) || (p.stop_complete && p.stop_signal != sig::none) || p.continued ||
         (trace.trapped && trace.code != sig::none);
}

/// Keeps the parent's list of children with news true after anything about a child changed. Of
/// other threads than the leader there are none for it.
void Model::update_news(TaskId leader) {
  const Task& t = world().tasks[leader];
  if (!t.parent || !world().is_leader(leader)) return;
  Line<TaskId>& news = world_.tasks[t.parent].news;
  if (has_news(leader))
    news.put(t.sibling, leader);
  else
    news.erase(t.sibling);
}

/// Wakes the threads of the process of a parent or tracer that sleep in a wait which this child's
/// event matches, who fell asleep last first; which of them really looks first is nobody's promise.
void Model::wake_waiters(TaskId child, TaskId parent) {
  const Task& t = world().tasks[child];
  if (!parent) return;
  if (world().tasks[parent].call.kind == Call::Kind::reap) return wake(parent);
  std::vector<TaskId> waiters;
  for (const TaskId id : world_.process_of(world_.tasks[parent]).threads) {
    const Task& w = world().tasks[id];
    if (w.call.kind != Call::Kind::wait || w.stopped || w.frozen || w.trace.trapped)
      continue;
    if (!selects(w.call.query, child)) {
      cover("wait.wake-filter"_rule);
      continue;
    }
    if (w.call.query.options.has(opt::nothread) &&
        id != (t.trace.by ? t.trace.by : t.parent)) {
      cover("wait.wake-filter-thread"_rule);
      continue;
    }
    waiters.push_back(id);
  }
  if (waiters.empty()) return;
  std::ranges::sort(waiters, std::greater{},
                    [&](TaskId id) { return world_.tasks[id].call.since; });
  if (waiters.size() > 1) {
    std::vector<Pid> numbers;
    for (const TaskId id : waiters) numbers.push_back(world_.tasks[id].tid);
    const std::size_t first = choose_->pick("wait.one-winner"_rule, numbers);
    cover("wait.one-winner"_rule);
    std::rotate(waiters.begin(), waiters.begin() + static_cast<std::ptrdiff_t>(first),
                waiters.begin() + static_cast<std::ptrdiff_t>(first) + 1);
  }
  cover("exit.wakes-parent"_rule);
  for (const TaskId id : waiters) wake(id);
}

}  // namespace forkproof::spec
