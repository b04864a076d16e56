/// The namespaces but those of pids: who is in which, how one gets there; and reboot.
#include "spec/model.hpp"

#include <bit>

namespace forkproof::spec {

namespace fl = clone_flag;

/// The kinds that the profile has: those of time are of 5.6.
CloneFlags Model::kinds_of_namespaces() const {
  return (linux_6() ? fl::new_any : fl::new_any - fl::newtime) | fl::newuser;
}

// --- making, entering and leaving ----------------------------------------------------------------

/// Why who has no SYS_ADMIN may make none of these kinds; nothing if none is to be made, or a user
/// namespace with them, to which they belong, and in which everything can be done.
Model::Answer Model::refuses_without_admin(TaskId id, CloneFlags flags, UserNamespaceId owner) {
  if (!flags.any(fl::new_any)) return std::nullopt;
  if (!capable(id, owner, capability::sys_admin))
    return fails(Errno::perm, "ns.needs-admin"_rule);
  const Task& me = world().tasks[id];
  if (!can(me, me.attributes.user_ns, capability::sys_admin))
    cover("userns.others-with-it"_rule);
  return std::nullopt;
}

/// The same namespaces, with new ones of some kinds.
NsProxy Model::renewed(NsProxy p, CloneFlags kinds, UserNamespaceId owner) {
  const auto renew = [&](CloneFlags flag, NsKind kind, Place& made) {
    if (!kinds.has(flag)) return;
    made = next_place();
    world_.others[made] = {.kind = kind, .owner = owner};
    world_.count_namespace(owner, kind, true);
  };
  renew(fl::newns, NsKind::mnt, p.mnt);
  renew(fl::newipc, NsKind::ipc, p.ipc);
  renew(fl::newnet, NsKind::net, p.net);
  renew(fl::newcgroup, NsKind::cgroup, p.cgroup);
  renew(fl::newtime, NsKind::time, p.children_time);
  if (!kinds.has(fl::newuts)) return p;
  const std::int32_t host = p.uts ? world().uts[p.uts].host : world().host;
  p.uts = world_.uts.make();
  world_.uts[p.uts].host = host;
  world_.uts[p.uts].owner = owner;
  world_.count_namespace(owner, NsKind::uts, true);
  cover("uts.copied"_rule);
  return p;
}

void Model::enter_namespaces(Task& t, NsProxy p) {
  const NsProxyId before = std::exchange(t.proxy, NsProxyId::none());
  if (!p.is_worlds_own()) {
    t.proxy = world_.proxies.make();
    world_.proxies[t.proxy] = p;
    if (p.uts) world_.uts[p.uts].users++;
    for (const Place place : p.others())
      if (place != 0) world_.others[place].users++;
  }
  drop_proxy(before);
}

void Model::leave_namespaces(Task& t) { drop_proxy(std::exchange(t.proxy, NsProxyId::none())); }

/// A namespace goes with the last who is in it.
void Model::drop_proxy(NsProxyId id) {
  if (!id) return;
  const NsProxy p = world().proxies[id];
  world_.proxies.drop(id);
  if (p.uts && --world_.uts[p.uts].users == 0) {
    give_back(world().uts[p.uts].owner, NsKind::uts);
    world_.uts.drop(p.uts);
  }
  for (const Place place : p.others()) {
    if (place == 0 || --world_.others[place].users > 0) continue;
    give_back(world().others.at(place).owner, world().others.at(place).kind);
    world_.others.erase(place);
  }
}

/// A new task is where its maker is, but for what is asked to be new.
void Model::inherit_namespaces(Task& child, const Task& me, CloneFlags flags,
                               UserNamespaceId owner) {
  NsProxy p = renewed(world().proxy_of(me), flags, owner);
  if (me.proxy) cover("ns.inherited"_rule);
  if (flags.any(fl::new_proxy)) cover("ns.clone"_rule);
  const bool moves = p.time != p.children_time;
  if (moves) cover(flags.has(fl::vm) ? "ns.time-vm"_rule : "ns.time-children"_rule);
  if (moves && !flags.has(fl::vm)) p.time = p.children_time;
  enter_namespaces(child, p);
}

void Model::unshare_namespaces(Task& me, CloneFlags flags, UserNamespaceId owner) {
  if (!flags.any(fl::new_proxy | fl::newtime)) return;
  if (flags.has(fl::newns) && !flags.has(fl::fs)) cover("ns.unshare-mounts"_rule);
  if (flags.has(fl::newtime)) cover("ns.unshare-time"_rule);
  const Place before = world().proxy_of(me).mnt;
  enter_namespaces(me, renewed(world().proxy_of(me), flags, owner));
  follow_mounts(me, before);
}

/// A root that was in the mounts of which there is a copy now is in that.
void Model::follow_mounts(const Task& t, Place before) {
  FsInfo& fs = world_.fs[t.fs];
  if (fs.root == before) fs.root = world().proxy_of(t).mnt;
}

/// An exec has new memory, so that the time of its children is its own now.
void Model::time_after_exec(Task& me) {
  NsProxy p = world().proxy_of(me);
  if (p.time == p.children_time) return;
  p.time = p.children_time;
  enter_namespaces(me, p);
  cover("ns.time-exec"_rule);
}

// --- setns ---------------------------------------------------------------------------------------

/// Whether nobody else runs in the memory of the caller, and no other thread of its process.
bool Model::is_single_threaded(const Task& me) const {
  return world().process_of(me).running_threads == 1 && world().spaces[me.space].users == 1;
}

Model::Answer Model::refuses_setns(TaskId id, const Setns& op, TaskId to) {
  const Errno nobody = linux_6() ? Errno::srch : Errno::noent;
  if (linux_6() && op.task.n <= 0) return fails(Errno::inval, "setns.no-number"_rule);
  if (!to) return fails(nobody, "setns.unknown"_rule);
  if (op.flags == CloneFlags{} || op.flags - kinds_of_namespaces() != CloneFlags{})
    return fails(Errno::inval, "setns.kinds"_rule);
  if (!linux_6() && !std::has_single_bit(op.flags.bits))
    return fails(Errno::inval, "setns.one-file"_rule);
  // A zombie's files are there, with which it is done until 5.8.
  const bool has_file = !linux_6() && (op.flags == fl::newpid || op.flags == fl::newuser);
  if (!may_access(id, world().tasks[to], linux_6()))
    return fails(linux_6() ? Errno::perm : Errno::acces, "setns.may-not-look"_rule);
  if (world().tasks[to].exiting() && !has_file) return fails(nobody, "setns.zombie"_rule);
  return refuses_kinds(id, op.flags, world().tasks[to]);
}

/// Why not these kinds of a task's: that of users comes first, that of time last, and in all others
/// the caller needs SYS_ADMIN where they belong to, and where it will be itself, which for control
/// groups alone is asked first.
Model::Answer Model::refuses_kinds(TaskId id, CloneFlags kinds, const Task& to) {
  const Task& me = world().tasks[id];
  const UserNamespaceId users = to.attributes.user_ns;
  if (kinds.has(fl::newuser)) {
    if (const Answer refused = refuses_setns_of_user(me, users)) return refused;
    capable(id, users, capability::sys_admin);  // it is their owner
  }
  const NsProxy theirs = world().proxy_of(to);
  const UserNamespaceId home = kinds.has(fl::newuser) ? users : me.attributes.user_ns;
  const auto admin = [&](CloneFlags kind, UserNamespaceId owner) {
    if (!kinds.has(kind)) return true;
    cover("superpriv.home-first"_rule);
    const bool home_first = kind == fl::newcgroup;
    return capable(id, home_first ? home : owner, capability::sys_admin) &&
           capable(id, home_first ? owner : home, capability::sys_admin);
  };
  if (!admin(fl::newns, world().owner_of(theirs.mnt)) ||
      !admin(fl::newuts, world().owner_of(theirs.uts)) ||
      !admin(fl::newipc, world().owner_of(theirs.ipc)) ||
      !admin(fl::newpid, world().owner_of(world().process_of(to).ns)) ||
      !admin(fl::newcgroup, world().owner_of(theirs.cgroup)) ||
      !admin(fl::newnet, world().owner_of(theirs.net)))
    return fails(Errno::perm, "setns.needs-admin"_rule);
  if (kinds == fl::newns && world().fs[me.fs].users > 1)
    return fails(Errno::inval, "setns.mounts-shared-fs"_rule);
  if (kinds.has(fl::newtime) && !is_single_threaded(me))
    return fails(Errno::users, "setns.time-threads"_rule);
  if (!admin(fl::newtime, world().owner_of(theirs.time)))
    return fails(Errno::perm, "setns.needs-admin"_rule);
  return std::nullopt;
}

Model::Answer Model::act(TaskId id, const Setns& op) {
  Task& me = world_.tasks[id];
  const TaskId to = find_for(id, op.task.pid());
  if (const Answer refused = refuses_setns(id, op, to)) return refused;

  const NsProxy theirs = world().proxy_of(world().tasks[to]);
  NsProxy p = world().proxy_of(me);
  if (op.flags.has(fl::newns)) {
    cover("setns.mounts-at-root"_rule);
    p.mnt = theirs.mnt;
    world_.fs[me.fs].directory = 0;
    world_.fs[me.fs].root = theirs.mnt;
  }
  if (op.flags.has(fl::newuts)) p.uts = theirs.uts;
  if (op.flags.has(fl::newipc)) p.ipc = theirs.ipc;
  if (op.flags.has(fl::newnet)) p.net = theirs.net;
  if (op.flags.has(fl::newcgroup)) p.cgroup = theirs.cgroup;
  if (op.flags.has(fl::newtime)) p.time = p.children_time = theirs.time;
  if (op.flags.any(fl::new_proxy | fl::newtime)) enter_namespaces(me, p);
  if (op.flags.has(fl::newtime)) cover("setns.time"_rule);
  if (op.flags.has(fl::newuser)) {
    cover("setns.user"_rule);
    enter_user_namespace(me, world().tasks[to].attributes.user_ns);
    touch(id);
  }
  if (op.flags.has(fl::newpid)) {
    cover("setns.pid-children"_rule);
    leave_namespace(me);
    enter_namespace(me, world().process_of(world().tasks[to]).ns);
  }
  return answers(Outcome::success(), "setns.joins"_rule);
}

// --- what can be seen of them --------------------------------------------------------------------

bool Model::are_same(const World& w, const Task& a, const Task& b, CloneFlags kinds) {
  const NsProxy p = w.proxy_of(a), q = w.proxy_of(b);
  return (!kinds.has(fl::newns) || p.mnt == q.mnt) && (!kinds.has(fl::newuts) || p.uts == q.uts) &&
         (!kinds.has(fl::newipc) || p.ipc == q.ipc) && (!kinds.has(fl::newnet) || p.net == q.net) &&
         (!kinds.has(fl::newcgroup) || p.cgroup == q.cgroup) &&
         (!kinds.has(fl::newtime) || p.time == q.time) &&
         (!kinds.has(fl::newpid) || w.process_of(a).ns == w.process_of(b).ns) &&
         (!kinds.has(fl::newuser) || a.attributes.user_ns == b.attributes.user_ns);
}

Model::Answer Model::act(TaskId id, const SameNs& op) {
  const TaskId other = find_for(id, op.task.pid());
  if (op.flags == CloneFlags{} || op.flags - kinds_of_namespaces() != CloneFlags{})
    return fails(Errno::inval, "ns.same-kinds"_rule);
  if (!other) return fails(Errno::noent, "ns.same-unknown"_rule);
  const bool of_proxy = op.flags.any(fl::new_proxy | fl::newtime);
  if (world().tasks[other].exiting() && of_proxy)
    return fails(Errno::noent, "ns.same-zombie"_rule);

  if (world().tasks[other].exiting()) cover("ns.same-kept"_rule);
  const bool same = are_same(world(), world().tasks[id], world().tasks[other], op.flags);
  return answers(Outcome::number(same), "ns.same"_rule);
}

Model::Answer Model::act(TaskId id, const Sethostname& op) {
  const UtsNameId uts = world().proxy_of(world().tasks[id]).uts;
  if (!capable(id, world().owner_of(uts), capability::sys_admin))
    return fails(Errno::perm, "uts.needs-admin"_rule);

  (uts ? world_.uts[uts].host : world_.host) = op.host;
  return answers(Outcome::success(), "uts.set"_rule);
}

Model::Answer Model::act(TaskId id, const Gethostname&) {
  const UtsNameId uts = world().proxy_of(world().tasks[id]).uts;
  return answers(Outcome::number(uts ? world().uts[uts].host : world().host), "uts.get"_rule);
}

// --- reboot --------------------------------------------------------------------------------------

Model::Answer Model::act(TaskId id, const Reboot& op) {
  using enum RebootCommand;
  const bool starts_again = op.command == restart || op.command == restart2;
  const bool ends = op.command == halt || op.command == power_off;
  const NamespaceId ns = world().process_of(world().tasks[id]).ns;
  if (!capable(id, world().owner_of(ns)))
    return fails(Errno::perm, "reboot.owner"_rule);
  if (!starts_again && !ends) return fails(Errno::inval, "reboot.unknown"_rule);

  const Signal signal = starts_again ? sig::hup : sig::int_;
  (ns ? world_.namespaces[ns].reboot : world_.reboot) = signal;
  cover("reboot.init-killed"_rule);
  send(sig::kill, world_.reaper_of(ns), Scope::thread, true, Sender::force);
  flush(world_.tasks[id].pending, SigSet::of(sig::kill));  // of its own death nothing is seen
  effects_.outcome = answers(Outcome::death(signal), "reboot.caller-exits"_rule);
  exit_thread(id, 0);
  return Outcome{};
}

/// What a parent is told of an init that was ended so.
void Model::end_by_reboot(TaskId id) {
  Process& p = world_.process_of(world_.tasks[id]);
  const Signal signal = p.ns ? world().namespaces[p.ns].reboot : world().reboot;
  if (signal == sig::none || id != world_.reaper_of(p.ns) || live_thread(p)) return;
  cover("reboot.status"_rule);
  p.group_exit_code = signal.n;
}

}  // namespace forkproof::spec
