/// Limits of resources, how many tasks a user has, and what was used.
///
/// Sources: setrlimit(2), getrusage(2), times(2), setresuid(2), capset(2); kernel/sys.c
/// do_prlimit(), flag_nproc_exceeded(), getrusage(); kernel/fork.c copy_process(); kernel/exit.c
/// wait_task_zombie(), __exit_signal().
#include <numeric>

#include "impl/machine.hpp"

namespace forkproof::impl {
namespace {

constexpr std::uint32_t kMark = static_cast<std::uint32_t>(task_flag::nproc_exceeded.bits);

void set_mark(Task& t, bool on) {
  t.flags = static_cast<std::uint16_t>(on ? t.flags | kMark : t.flags & ~kMark);
}

bool is_marked(const Task& t) { return (t.flags & kMark) != 0; }

}  // namespace

const LimitTable Records::kLimitsAtFirst{};

// --- limits --------------------------------------------------------------------------------------

Outcome Machine::perform(Task& t, const Setrlimit& op) {
  Process& p = process_of(t);
  const bool too_many = op.resource == Resource::nofile && op.hard.n > kOpenFilesMost;
  const bool raises = op.hard > limits_of(p)[op.resource].hard;
  if (op.hard < op.soft) return Outcome::failure(Errno::inval);
  if (too_many || (raises && !ns_capable(t, kNobody, capability::sys_resource)))
    return Outcome::failure(Errno::perm);
  LimitTable table = limits_of(p);
  table[op.resource] = {op.soft, op.hard};
  set_limits(p, table);
  touch(p);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Getrlimit& op) {
  const Limits& limits = limits_of(process_of(t))[op.resource];
  const Limit& asked = op.kind == LimitKind::hard ? limits.hard : limits.soft;
  return Outcome::number(static_cast<std::int64_t>(asked.n));
}

/// Gives the process limits: its own record if they are not the first ones.
void Machine::set_limits(Process& p, const LimitTable& to) {
  if (p.limits != kNobody && limits_[p.limits].users == 1 && !(to == kLimitsAtFirst)) {
    limits_[p.limits].value = to;
    return;
  }
  leave_limits(p);
  if (to == kLimitsAtFirst) return;
  p.limits = limits_.take();
  limits_[p.limits] = {.value = to, .users = 1};
}

void Machine::leave_limits(Process& p) {
  const Index record = std::exchange(p.limits, kNobody);
  if (record != kNobody && --limits_[record].users == 0) limits_.give_back(record);
}

/// Whether the user has more tasks in the namespace than the limit, with `more`, or those there are
/// more than may be in it, or in one that it is in.
bool Machine::is_over_limit(User user, Index ns, Limit most, std::uint64_t more) const {
  if (user == User::root) return false;
  if (profile_ == Profile::linux_4_12) ns = kNobody;
  const auto place = static_cast<std::size_t>(user);
  const auto& own = ns == kNobody ? user_tasks_ : user_ns_[ns].tasks;
  if (own[place] + more > most.n) return true;
  for (; ns != kNobody; ns = user_ns_[ns].parent) {
    const Index above = user_ns_[ns].parent;
    // Who is being made is among the tasks of the world already.
    const std::uint64_t others = std::reduce(user_tasks_.begin(), user_tasks_.end());
    const std::uint64_t count =
        above == kNobody ? tasks_.taken() - others : user_ns_[above].tasks[0] + more;
    if (count > user_ns_[ns].most.n) return true;
  }
  return false;
}

/// The user's tasks are looked at. Who may have one more is no longer marked, and his child still
/// is.
Errno Machine::may_have_one_more(Task& t, Index ns) {
  const Attributes& a = attributes_of(t);
  const Limit most = limits_of(process_of(t))[Resource::nproc].soft;
  const auto exempt = [&] {
    return ns_capable(t, kNobody, capability::sys_resource) ||
           ns_capable(t, kNobody, capability::sys_admin);
  };
  if (a.user != User::root && is_over_limit(a.user, ns, most, 1) && !exempt()) return Errno::again;
  if (!is_marked(t)) return Errno::ok;
  set_mark(t, false);
  touch(t);
  return Errno::ok;
}

/// Whether an exec is refused. One that is not clears the mark.
bool Machine::has_too_many_to_exec(Task& t) {
  if (!is_marked(t)) return false;
  const Attributes& a = attributes_of(t);
  if (is_over_limit(a.user, a.user_ns, limits_of(process_of(t))[Resource::nproc].soft, 0))
    return true;
  set_mark(t, false);
  return false;
}

// --- users and capabilities ----------------------------------------------------------------------

/// A task of root in the world is not counted. Before 5.14 nobody counts by namespace.
void Machine::count_user(const Attributes& a, bool in) {
  Index ns = profile_ == Profile::linux_4_12 ? kNobody : a.user_ns;
  const auto bump = [in](std::uint64_t& count) { in ? ++count : --count; };
  if (ns == kNobody) {
    if (a.user != User::root) bump(user_tasks_[static_cast<std::size_t>(a.user)]);
    return;
  }
  bump(user_ns_[ns].tasks[static_cast<std::size_t>(a.user)]);
  while ((ns = user_ns_[ns].parent) != kNobody) bump(user_ns_[ns].tasks[0]);
}

Outcome Machine::perform(Task& t, const Setresuid& op) {
  Attributes a = attributes_of(t);
  if (!is_mapped(a.user_ns, op.user)) return Outcome::failure(Errno::inval);
  const bool known = a.user == op.user || op.user == User::root;  // as which it acts
  const bool asks = !known || profile_ == Profile::linux_4_12;
  const bool may = asks && ns_capable(t, a.user_ns);
  if (a.user == op.user) return Outcome::success();
  if (!known && !may) return Outcome::failure(Errno::perm);
  // In 4.12 the newcomer is counted in this comparison, as it were.
  const std::uint64_t more = profile_ == Profile::linux_6 ? 0 : 1;
  const Limit most = limits_of(process_of(t))[Resource::nproc].soft;
  set_mark(t, is_over_limit(op.user, a.user_ns, most, more));
  count_user(a, false);
  a.user = op.user;
  set_attributes(t, a);
  count_user(a, true);
  touch(t);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Capset& op) {
  Attributes a = attributes_of(t);
  if (a.powerless) return Outcome::failure(Errno::perm);
  a.capabilities = static_cast<std::uint32_t>(op.effective.bits);
  set_attributes(t, a);
  touch(t);
  return Outcome::success();
}

// --- usage ---------------------------------------------------------------------------------------

Usage& Machine::usage_of(Process& p) {
  if (p.usage == kNobody) {
    p.usage = usage_.take();
    usage_[p.usage] = {};
  }
  return usage_[p.usage];
}

Outcome Machine::perform(Task& t, const Fault& op) {
  if (op.batches > kFaultsAtOnce) return Outcome::failure(Errno::inval);
  if (op.batches == 0) return Outcome::success();
  usage_of(process_of(t)).own += op.batches;
  thread_usage_.set(id(t), thread_usage_.find(id(t)) + op.batches);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Getrusage& op) {
  const Process& p = process_of(t);
  if (p.usage == kNobody) return Outcome::number(0);
  const Usage& u = usage_[p.usage];
  switch (op.whose) {
    case Whose::self: return Outcome::number(static_cast<std::int64_t>(u.own));
    case Whose::children: return Outcome::number(static_cast<std::int64_t>(u.children));
    case Whose::thread: return Outcome::number(thread_usage_.find(id(t)));
  }
  return {};
}

Outcome Machine::perform(Task& t, const Spend& op) {
  if (op.ticks > kTicksAtOnce) return Outcome::failure(Errno::inval);
  const Account to = op.in == Mode::kernel ? Account::stime : Account::utime;
  if (op.ticks != 0) usage_of(process_of(t)).ticks[static_cast<std::size_t>(to)] += op.ticks;
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Times& op) {
  const Index record = process_of(t).usage;
  const auto which = static_cast<std::size_t>(op.which);
  if (record == kNobody) return Outcome::number(0);
  return Outcome::number(static_cast<std::int64_t>(usage_[record].ticks[which]));
}

/// A dead child is waited for: all that it used, and had of its own children, is the waiter's.
void Machine::collect_usage(Process& waiter, const Process& child) {
  if (child.usage == kNobody) return;
  const Usage child_usage = usage_[child.usage];
  Usage& mine = usage_of(waiter);
  mine.children += child_usage.own + child_usage.children;
  constexpr std::size_t kOwn = 2;  // utime and stime, and then those of children
  for (std::size_t i = 0; i < kOwn; ++i)
    mine.ticks[kOwn + i] += child_usage.ticks[i] + child_usage.ticks[kOwn + i];
}

void Machine::leave_usage(Process& p) {
  const Index record = std::exchange(p.usage, kNobody);
  if (record != kNobody) usage_.give_back(record);
}

// --- soundness -----------------------------------------------------------------------------------

/// Limits count their users, users their tasks, and records of usage belong to somebody each.
bool Machine::sound_limits() const {
  std::vector<std::uint32_t> processes(limits_.end());
  std::vector<bool> used(usage_.end());
  std::array<std::uint64_t, kUsers.size()> tasks{};
  std::size_t records = 0;
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    const Process& p = processes_[i];
    if (p.limits != kNobody) ++processes[p.limits];
    if (p.usage != kNobody && used[p.usage]) return false;
    if (p.usage != kNobody) used[p.usage] = true, ++records;
    for (Index n = p.threads.first; n != kNobody; n = p.threads.after(tasks_, n))
      if (profile_ == Profile::linux_4_12 || attributes_of(tasks_[n]).user_ns == kNobody)
        ++tasks[static_cast<std::size_t>(attributes_of(tasks_[n]).user)];
  }
  std::size_t tables = 0;
  for (Index i = 1; i < processes.size(); ++i) {
    if (processes[i] == 0) continue;
    ++tables;
    if (limits_[i].users != processes[i] || limits_[i].value == kLimitsAtFirst) return false;
  }
  tasks[0] = 0;
  return tables == limits_.taken() && records == usage_.taken() && tasks == user_tasks_ &&
         limits_.sound() && usage_.sound() && sound_queues();
}

}  // namespace forkproof::impl
