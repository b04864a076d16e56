/// Limits of resources, the users and capabilities that they hang on, and what was used.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

namespace cap = capability;

// --- limits --------------------------------------------------------------------------------------

Model::Answer Model::act(TaskId me, const Setrlimit& op) {
  Process& p = world_.process_of(world_.tasks[me]);
  const bool raises = op.hard > p.limits_of(op.resource).hard;
  if (op.soft > op.hard) return fails(Errno::inval, "limit.soft-above-hard"_rule);
  if (op.resource == Resource::nofile && op.hard.n > kOpenFilesMost)
    return fails(Errno::perm, "limit.nofile-most"_rule);
  if (raises && !capable(me, {}, cap::sys_resource))
    return fails(Errno::perm, world().tasks[me].attributes.user_ns ? "limit.hard-below"_rule
                                                                   : "limit.hard-raised"_rule);

  if (raises) cover("limit.raised-by-capable"_rule);
  set_limits(p, op.resource, {op.soft, op.hard});
  touch(p);
  return answers(Outcome::success(), "limit.set"_rule);
}

/// Those of a new world need not be remembered.
void Model::set_limits(Process& p, Resource resource, Limits limits) {
  std::erase_if(p.limits, [&](const auto& set) { return set.resource == resource; });
  if (limits == limits_at_first(resource)) return;
  const auto at = std::ranges::upper_bound(p.limits, resource, {}, &ResourceLimits::resource);
  p.limits.insert(at, {resource, limits});
}

Model::Answer Model::act(TaskId me, const Getrlimit& op) {
  const Process& p = world().process_of(world().tasks[me]);
  const Limits limits = p.limits_of(op.resource);
  const Limit limit = op.kind == LimitKind::soft ? limits.soft : limits.hard;
  if (p.threads.size() > 1 && !p.limits.empty()) cover("limit.threads-share"_rule);
  return answers(Outcome::number(static_cast<std::int64_t>(limit.n)), "limit.get"_rule);
}

/// A new process has its maker's limits.
void Model::inherit_limits(Process& child, const Process& maker) {
  child.limits = maker.limits;
  if (!child.limits.empty()) cover("limit.inherited"_rule);
}

/// How many tasks there are in a user namespace whose real user this is: threads and zombies, too.
/// To root count those in all namespaces below, which root has made. In linux-4.12 namespaces make
/// no difference.
std::uint64_t Model::tasks_of(UserNamespaceId ns, User user) const {
  std::uint64_t count = 0;
  world_.tasks.for_each([&](TaskId, const Task& t) {
    const Attributes& a = t.attributes;
    const bool below = user == User::root && world().is_below(a.user_ns, ns);
    const bool here = a.user == user && (!linux_6() || a.user_ns == ns);
    count += here || (below && linux_6());
  });
  return count;
}

/// Whether a user has more tasks than a limit, with so many more; or those in the user namespace,
/// or in one that it is in, are more than may be there.
bool Model::is_over(UserNamespaceId ns, User user, Limit most, std::uint64_t more) const {
  while (true) {
    if (!most.unlimited() && tasks_of(ns, user) + more > most.n) return true;
    if (!ns || !linux_6()) return false;
    most = world().user_namespaces[ns].tasks_most;
    user = User::root;
    ns = world().user_namespaces[ns].parent;
  }
}

/// Why the caller's user may have no task more in a user namespace; nothing if he may, which is
/// remembered.
Model::Answer Model::refuses_one_more(TaskId id, UserNamespaceId ns) {
  Task& me = world_.tasks[id];
  const Attributes& a = me.attributes;
  const Limit most = world().process_of(me).limits_of(Resource::nproc).soft;
  if (is_over(ns, a.user, most, 1)) {
    const bool exempt = a.user == User::root || capable(id, {}, cap::sys_resource) ||
                        capable(id, {}, cap::sys_admin);
    const bool by_namespace = most.unlimited() || tasks_of(ns, a.user) < most.n;
    if (!exempt)
      return fails(Errno::again, by_namespace ? "nproc.namespace"_rule : "nproc.fork"_rule);
    cover(a.user == User::root ? "nproc.root-exempt"_rule : "nproc.capable-exempt"_rule);
  }
  if (!me.flags.has(task_flag::nproc_exceeded)) return std::nullopt;
  cover("nproc.fork-clears"_rule);
  me.flags = me.flags - task_flag::nproc_exceeded;
  touch(id);
  return std::nullopt;
}

/// Why a task whose user was found to have too many may not exec; nothing if it may, and then it is
/// forgotten that he had.
Model::Answer Model::refuses_exec(TaskId id) {
  Task& me = world_.tasks[id];
  if (!me.flags.has(task_flag::nproc_exceeded)) return std::nullopt;
  const Limit most = world().process_of(me).limits_of(Resource::nproc).soft;
  if (is_over(me.attributes.user_ns, me.attributes.user, most, 0))
    return fails(Errno::again, "nproc.exec"_rule);
  cover("nproc.exec-clears"_rule);
  me.flags = me.flags - task_flag::nproc_exceeded;
  return std::nullopt;
}

// --- users and capabilities ----------------------------------------------------------------------

/// The call itself never fails for a limit: what is found is remembered for the next exec.
Model::Answer Model::act(TaskId id, const Setresuid& op) {
  Task& me = world_.tasks[id];
  if (!world().knows(me.attributes.user_ns, op.user))
    return fails(Errno::inval, "user.unknown"_rule);
  const bool same = me.attributes.user == op.user, own = same || op.user == User::root;
  if (!linux_6()) cover("superpriv.asked-first"_rule);
  else if (own) cover("superpriv.not-needed"_rule);
  const bool may = (!linux_6() || !own) && capable(id, me.attributes.user_ns);
  if (same) return answers(Outcome::success(), "user.same"_rule);
  if (!own && !may) return fails(Errno::perm, "user.powerless"_rule);
  const Limit most = world().process_of(me).limits_of(Resource::nproc).soft;
  const bool many = is_over(me.attributes.user_ns, op.user, most, linux_6() ? 0 : 1);

  me.attributes.user = op.user;
  if (many && op.user != User::root) {
    cover(linux_6() ? "nproc.marked"_rule : "nproc.marked-early"_rule);
    me.flags = me.flags | task_flag::nproc_exceeded;
  } else {
    if (me.flags.has(task_flag::nproc_exceeded)) cover("nproc.unmarked"_rule);
    me.flags = me.flags - task_flag::nproc_exceeded;
  }
  if (me.pdeath != sig::none) cover("user.pdeathsig-kept"_rule);
  touch(id);
  return answers(Outcome::success(), "user.set"_rule);
}

Model::Answer Model::act(TaskId id, const Capset& op) {
  if (world().tasks[id].attributes.powerless)
    return fails(Errno::perm, "capability.powerless"_rule);

  world_.tasks[id].attributes.capabilities = op.effective;
  touch(id);
  return answers(Outcome::success(), "capability.set"_rule);
}

/// Whether somebody outside of its process has the task's root and working directory in common.
bool Model::shares_fs(const Task& me) const {
  const auto& threads = world().process_of(me).threads;
  const auto own = std::ranges::count_if(
      threads, [&](TaskId thread) { return world().tasks[thread].fs == me.fs; });
  return world().fs[me.fs].users > static_cast<std::uint32_t>(own);
}

/// The program of root's file gives all capabilities, where root is known; one that another runs is
/// not trusted to die with its parent.
void Model::credentials_after_exec(Task& me, bool shared_fs) {
  Attributes& a = me.attributes;
  const bool was_powerless = a.powerless;
  a.powerless = !world().knows(a.user_ns, User::root) || (was_powerless && shared_fs);
  if (a.user != User::root) cover("user.exec-kept"_rule);
  if (a.powerless)
    cover(was_powerless ? "capability.exec-stays-powerless"_rule : "capability.exec-loses"_rule);
  else if (a.capabilities != cap::all)
    cover("capability.exec-regains"_rule);
  a.capabilities = a.powerless ? Capabilities{} : cap::all;
  Process& p = world_.process_of(me);
  Limits stack = p.limits_of(Resource::stack);
  if (linux_6() && a.user != User::root && stack.soft > kSecureStack) {
    cover("limit.stack-secure"_rule);
    stack.soft = kSecureStack;
    set_limits(p, Resource::stack, stack);
  }
  if (me.pdeath == sig::none) return;
  if (was_powerless && !a.powerless) {
    cover("exec.pdeathsig-gained"_rule);
    me.pdeath = sig::none;
    return;
  }
  cover(a.user == User::root ? "exec.pdeathsig-kept"_rule : "exec.pdeathsig-secure"_rule);
  if (a.user != User::root) me.pdeath = sig::none;
}

// --- usage ---------------------------------------------------------------------------------------

Model::Answer Model::act(TaskId id, const Fault& op) {
  if (op.batches > kFaultsAtOnce) return fails(Errno::inval, "usage.fault-many"_rule);

  use(id, {.faults = op.batches});
  return answers(Outcome::success(), "usage.fault"_rule);
}

Model::Answer Model::act(TaskId id, const Spend& op) {
  if (op.ticks > kTicksAtOnce) return fails(Errno::inval, "times.spend-many"_rule);

  use(id, op.in == Mode::user ? Usage{.user = op.ticks} : Usage{.system = op.ticks});
  return answers(Outcome::success(), "times.spend"_rule);
}

void Model::use(TaskId id, const Usage& usage) {
  world_.tasks[id].used += usage;
  world_.used += usage;
}

/// All that the threads of a process have used, those that are gone included.
Usage Model::used_by(const Process& p) const {
  Usage sum = p.used_by_dead_threads;
  for (const TaskId id : p.threads) sum += world_.tasks[id].used;
  return sum;
}

namespace {

Outcome as_number(std::uint64_t n) { return Outcome::number(static_cast<std::int64_t>(n)); }

}  // namespace

Model::Answer Model::act(TaskId id, const Getrusage& op) {
  const Task& me = world().tasks[id];
  const Process& p = world().process_of(me);
  if (op.whose == Whose::thread) return answers(as_number(me.used.faults), "usage.thread"_rule);
  if (op.whose == Whose::children)
    return answers(as_number(p.used_by_children.faults), "usage.children"_rule);
  if (p.used_by_dead_threads != Usage{}) cover("usage.dead-threads"_rule);
  return answers(as_number(used_by(p).faults), "usage.self"_rule);
}

Model::Answer Model::act(TaskId id, const Times& op) {
  const Process& p = world().process_of(world().tasks[id]);
  const bool own = op.which == Account::utime || op.which == Account::stime;
  const bool user = op.which == Account::utime || op.which == Account::cutime;
  const Usage usage = own ? used_by(p) : p.used_by_children;
  const Usage& dead = p.used_by_dead_threads;
  if (own && (user ? dead.user : dead.system) != 0) cover("times.dead-threads"_rule);
  if (own && (user ? usage.user : usage.system) != 0 && world().tasks[id].self_exec_id != 0)
    cover("times.exec-kept"_rule);
  return answers(as_number(user ? usage.user : usage.system),
                 own ? "times.own"_rule : "times.children"_rule);
}

/// What a child used, and those that it waited for, is counted where it is waited for: once.
void Model::account(TaskId waiter, TaskId child) {
  Process& dead = world_.process_of(world_.tasks[child]);
  Process& mine = world_.process_of(world_.tasks[waiter]);
  const Usage own = used_by(dead);
  if (own != Usage{}) cover("usage.reap"_rule);
  if (dead.used_by_children != Usage{}) cover("usage.reap-grandchildren"_rule);
  if (own.user + own.system != 0) cover("times.reap"_rule);
  mine.used_by_children += own + dead.used_by_children;
  dead.used_by_dead_threads = dead.used_by_children = {};
  world_.tasks[child].used = {};
}

/// A thread goes: its share stays with its process, and with the process, if that was its last, all
/// that nobody has waited for.
void Model::account_end(TaskId id) {
  Task& t = world_.tasks[id];
  Process& p = world_.process_of(t);
  if (p.leader != id || p.threads.size() > 1) {
    p.used_by_dead_threads += std::exchange(t.used, {});
    return;
  }
  const Usage lost = used_by(p) + p.used_by_children;
  if (lost != Usage{}) cover("usage.unwaited-lost"_rule);
  if (lost.user + lost.system != 0) cover("times.unwaited-lost"_rule);
  world_.usage_lost += lost;
}

}  // namespace forkproof::spec
