/// User namespaces: who is in which, who can what in them, and whom their maps know.
///
/// Every task of a trace is root in effect, and so the owner of the namespaces that it makes.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

namespace cap = capability;

// --- who can what --------------------------------------------------------------------------------

/// Whether a task has capabilities in a user namespace: of no capability in particular, those that
/// no trace names. Who owns a namespace has all of them there, and so in those below it.
bool Model::can(const Task& me, UserNamespaceId ns, Capabilities what) const {
  const Attributes& a = me.attributes;
  if (a.user_ns == ns) return !a.powerless && a.capabilities.has(what);
  return world().is_below(ns, a.user_ns);
}

/// What a call asks of its caller: who has the capabilities is marked as one who has used them.
bool Model::capable(TaskId id, UserNamespaceId ns, Capabilities what) {
  Task& me = world_.tasks[id];
  if (!can(me, ns, what)) return false;
  cover("superpriv.set"_rule);
  if (me.flags.has(task_flag::superpriv)) return true;
  me.flags = me.flags | task_flag::superpriv;
  touch(id);
  return true;
}

/// Whether a task has capabilities in the user namespace of another, or is in that, and the other
/// has none there.
bool Model::is_as_strong(const Task& me, const Task& other) const {
  const Attributes &mine = me.attributes, &theirs = other.attributes;
  if (can_anything(me, theirs.user_ns)) return true;
  return mine.user_ns == theirs.user_ns && theirs.powerless;
}

/// Whether a task may trace another, or be shown its namespaces. `by_real`: for its real user
/// (PTRACE_MODE_REALCREDS), else for whom it acts as (PTRACE_MODE_FSCREDS), which is root.
///
/// Of whom this is no question of users, or who has no more capabilities there, none is asked for.
bool Model::may_access(TaskId id, const Task& other, bool by_real) {
  const Task& me = world().tasks[id];
  const Attributes &mine = me.attributes, &theirs = other.attributes;
  if (me.process == other.process) return true;
  const bool same_user = theirs.user == User::root && (!by_real || mine.user == User::root);
  const bool unmarked = !linux_6() && can_anything(me, theirs.user_ns);
  if (unmarked && !same_user) cover("superpriv.access-unmarked"_rule);
  if (!same_user && !unmarked && !capable(id, theirs.user_ns)) return false;
  const bool has_all = !mine.powerless && (by_real || mine.capabilities == cap::all);
  if (mine.user_ns != theirs.user_ns || !(theirs.powerless || has_all))
    return capable(id, theirs.user_ns);
  if (same_user) cover("superpriv.access"_rule);
  return true;
}

/// Why a task may not schedule another anew, which has capabilities that it has not itself.
Model::Answer Model::refuses_stronger(TaskId id, const Task& who) {
  if (!world().tasks[id].attributes.powerless || who.attributes.powerless) return std::nullopt;
  if (capable(id, who.attributes.user_ns)) return std::nullopt;
  return fails(Errno::perm, "sched.stronger"_rule);
}

Model::Answer Model::refuses_nice(TaskId id, const Task& who, std::int32_t nice) {
  const Limit most = world().process_of(who).limits_of(Resource::nice).soft;
  const bool raises = nice < who.attributes.nice && static_cast<std::uint64_t>(20 - nice) > most.n;
  if (!raises) cover("superpriv.not-needed"_rule);
  if (raises && !capable(id)) return fails(Errno::acces, "nice.raised-below"_rule);
  return refuses_stronger(id, who);
}

Model::Answer Model::refuses_policy(TaskId id, const Task& who, const SchedSetscheduler& op) {
  const Process& p = world().process_of(who);
  const Limit rt_most = p.limits_of(Resource::rtprio).soft;
  const Limit nice_most = p.limits_of(Resource::nice).soft;
  const Attributes& a = who.attributes;
  const bool real_time = is_real_time(op.policy) &&
                         ((op.policy != a.policy && rt_most.n == 0) ||
                          (op.priority > a.rt_priority &&
                           static_cast<std::uint64_t>(op.priority) > rt_most.n));
  const bool leaves_idle = a.policy == Policy::idle && op.policy != Policy::idle &&
                           static_cast<std::uint64_t>(20 - a.nice) > nice_most.n;
  const bool resets = a.reset_on_fork && !op.flags.has(sched_flag::reset_on_fork);
  const bool may = !linux_6() && capable(id);
  if (!linux_6()) cover("superpriv.asked-first"_rule);
  if ((real_time || leaves_idle || resets) && !may && !capable(id))
    return fails(Errno::perm, "sched.set-below"_rule);
  return refuses_stronger(id, who);
}

// --- making and entering -------------------------------------------------------------------------

/// Why no user namespace can be made below that of a task; nothing if one can.
Model::Answer Model::refuses_user_namespace(const Task& me) {
  const UserNamespaceId own = me.attributes.user_ns;
  if (own && world().user_namespaces[own].level == kUserNamespaceDepth)
    return fails(Errno::nospc, "userns.depth"_rule);
  if (const Answer refused = refuses_more(own, NsKind::user)) return refused;
  if (world().fs[me.fs].root != world().proxy_of(me).mnt)
    return fails(Errno::perm, "userns.other-root"_rule);
  if (!world().knows(own, User::root)) return fails(Errno::perm, "userns.unmapped-maker"_rule);
  return std::nullopt;
}

UserNamespaceId Model::make_user_namespace(const Task& me) {
  const Process& p = world().process_of(me);
  const UserNamespaceId own = me.attributes.user_ns;
  const std::int32_t level = own ? world().user_namespaces[own].level : 0;
  const UserNamespaceId id = world_.user_namespaces.make();
  UserNamespace& ns = world_.user_namespaces[id];
  ns.parent = own;
  ns.level = level + 1;
  ns.made_by_powerless = me.attributes.powerless;
  if (own || me.attributes.user != User::root) ns.tasks_most = p.limits_of(Resource::nproc).soft;
  ns.signals_most = p.limits_of(Resource::sigpending).soft;
  world_.count_namespace(own, NsKind::user, true);
  cover("nslimit.at-first"_rule);
  return id;
}

/// Who enters a user namespace can everything there, and nothing outside.
void Model::enter_user_namespace(Task& t, UserNamespaceId ns) {
  t.attributes.user_ns = ns;
  t.attributes.capabilities = cap::all;
  t.attributes.powerless = false;
}

/// A user namespace goes with the last who is in it, the last namespace that it owns, the last that
/// is below it and the last file that was opened in it.
void Model::forget_user_namespaces() {
  if (world().user_namespaces.size() == 0) return;
  std::vector<bool> used(world().user_namespaces.capacity());
  const auto use = [&](UserNamespaceId ns) {
    for (; ns && !used[ns.n]; ns = world().user_namespaces[ns].parent) used[ns.n] = true;
  };
  for (const auto& [place, made] : world().others) use(made.owner);
  world().tasks.for_each([&](TaskId, const Task& t) { use(t.attributes.user_ns); });
  world().namespaces.for_each([&](NamespaceId, const Namespace& ns) { use(ns.owner); });
  world().uts.for_each([&](UtsNameId, const UtsName& uts) { use(uts.owner); });
  world().open_files.for_each([&](OpenFileId, const OpenFile& file) { use(file.opened_in); });
  std::vector<UserNamespaceId> unused;
  world().user_namespaces.for_each([&](UserNamespaceId id, const UserNamespace&) {
    if (!used[id.n]) unused.push_back(id);
  });
  for (const UserNamespaceId id : unused)
    give_back(world().user_namespaces[id].parent, NsKind::user);
  for (const UserNamespaceId id : unused) world_.user_namespaces.drop(id);
}

/// Whether a namespace, or one that it is in, has as many signals queued as it may have.
bool Model::has_no_room(UserNamespaceId ns) const {
  for (UserNamespaceId above; ns; ns = above) {
    above = world().user_namespaces[ns].parent;
    if (world().queued_for(above, User::root) >= world().user_namespaces[ns].signals_most.n)
      return true;
  }
  return false;
}

/// Why a task may not move to the user namespace of another, which it may look at.
Model::Answer Model::refuses_setns_of_user(const Task& me, UserNamespaceId ns) {
  if (ns == me.attributes.user_ns) return fails(Errno::inval, "setns.user-own"_rule);
  if (world().process_of(me).threads.size() > 1)
    return fails(Errno::inval, "setns.user-threads"_rule);
  if (world().fs[me.fs].users > 1) return fails(Errno::inval, "setns.user-shared-fs"_rule);
  return std::nullopt;
}

// --- maps ----------------------------------------------------------------------------------------

/// Why a task may not write the maps of a user namespace.
Model::Answer Model::refuses_map(TaskId id, UserNamespaceId ns, IdMap whom) {
  const Task& me = world().tasks[id];
  const UserNamespaceId own = me.attributes.user_ns;
  if (!ns) return fails(Errno::perm, "userns.map-machine"_rule);
  const UserNamespace& maps = world().user_namespaces[ns];
  if (own != ns && own != maps.parent) return fails(Errno::perm, "userns.map-elsewhere"_rule);
  if (maps.mapped) return fails(Errno::perm, "userns.map-once"_rule);
  if (!can(me, ns, cap::sys_admin)) return fails(Errno::perm, "userns.map-needs-admin"_rule);
  if (linux_6() && (own == ns ? maps.made_by_powerless : me.attributes.powerless))
    return fails(Errno::perm, "userns.map-root-needs-fcap"_rule);
  if (whom == IdMap::root) return std::nullopt;
  if (!capable(id, maps.parent)) return fails(Errno::perm, "userns.map-needs-setuid"_rule);
  if (!world().knows(maps.parent, User::alice))
    return fails(Errno::perm, "userns.map-unknown-outside"_rule);
  return std::nullopt;
}

Model::Answer Model::act(TaskId id, const MapIds& op) {
  const TaskId whose = find_for(id, op.task.pid());
  if (!whose) return fails(Errno::noent, "userns.map-nobody"_rule);
  const UserNamespaceId ns = world().tasks[whose].attributes.user_ns;
  if (const Answer refused = refuses_map(id, ns, op.whom)) return refused;

  if (capable(id, ns, cap::sys_admin)) cover("superpriv.denies-setgroups"_rule);
  world_.user_namespaces[ns].mapped = true;
  world_.user_namespaces[ns].whom = op.whom;
  return answers(Outcome::success(), "userns.map"_rule);
}

Model::Answer Model::act(TaskId id, const Getuid&) {
  const Attributes& a = world().tasks[id].attributes;
  if (!world().knows(a.user_ns, a.user))
    return answers(Outcome::number(kOverflowUser), "userns.overflow"_rule);
  return answers(Outcome::number(static_cast<std::int64_t>(a.user)), "userns.getuid"_rule);
}

}  // namespace forkproof::spec
