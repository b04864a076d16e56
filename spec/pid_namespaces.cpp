/// Pid namespaces: who knows whom by which number, and the end of a namespace's init.
#include "spec/model.hpp"

namespace forkproof::spec {

// --- numbers -------------------------------------------------------------------------------------

/// The number by which a task knows what is `p` in the world; 0 if it cannot see it.
Pid Model::seen_by(TaskId id, Pid p) const {
  return world_.seen_in(world_.process_of(world_.tasks[id]).ns, p);
}

/// What a task means by a number, in the world.
Pid Model::meant_by(TaskId id, Pid p) const {
  return world_.meant_in(world_.process_of(world_.tasks[id]).ns, p);
}

/// Whether the receiver of a signal cannot see its sender.
bool Model::is_from_above(TaskId sender, TaskId to) const {
  return world_.seen_in(world_.process_of(world_.tasks[to]).ns, world_.tasks[sender].tid).n == 0;
}

/// The limit of the numbers in a namespace.
std::int32_t Model::pid_max_of(NamespaceId ns) {
  if (!ns) return world_.pid_max;
  cover(linux_6() ? "pidns.own-limit"_rule : "pidns.one-limit"_rule);
  return linux_6() ? world_.namespaces[ns].pid_max : world_.pid_max;
}

Model::Answer Model::act(TaskId id, const NsPidMax& op) {
  const Task& me = world().tasks[id];
  const NamespaceId ns = world_.process_of(me).ns;
  const UserNamespaceId owner = world().owner_of(ns);
  const bool may = linux_6() && capable(id, owner, capability::sys_admin);
  if (linux_6() && !may && !world().knows(owner, User::root))
    return fails(Errno::acces, "pidns.limit-right"_rule);
  if (op.value < kPidMaxMin || op.value > kPidMaxLimit)
    return fails(Errno::inval, "world.pid-max-range"_rule);

  (ns && linux_6() ? world_.namespaces[ns].pid_max : world_.pid_max) = op.value;
  return answers(Outcome::success(), "pidns.sets-limit"_rule);
}

Model::Answer Model::act(TaskId id, const NsPidCursor& op) {
  const Task& me = world().tasks[id];
  const NamespaceId ns = world_.process_of(me).ns;
  const UserNamespaceId owner = world().owner_of(ns);
  if (!capable(id, owner, linux_6() ? Capabilities{} : capability::sys_admin))
    return fails(Errno::perm, "pidns.cursor-right"_rule);
  if (op.value < 1 || op.value > pid_max_of(ns) + 1)
    return fails(Errno::inval, "world.pid-cursor-range"_rule);

  (ns ? world_.namespaces[ns].cursor : world_.cursor) = op.value;
  return answers(Outcome::success(), "pidns.sets-cursor"_rule);
}

// --- making and leaving --------------------------------------------------------------------------

/// Why no namespace can be made for the children of a task; nothing if one can.
Model::Answer Model::refuses_namespace(const Task& me, UserNamespaceId owner) {
  const NamespaceId own = world_.process_of(me).ns;
  if (me.child_ns != own) return fails(Errno::inval, "pidns.not-twice"_rule);
  const UserNamespaceId above = world().owner_of(own);
  if (linux_6() && owner != above && !world().is_below(owner, above))
    return fails(Errno::inval, "pidns.owner-not-above"_rule);
  if (world_.level_of(own) == kNamespaceDepth) return fails(Errno::nospc, "pidns.depth"_rule);
  return std::nullopt;
}

NamespaceId Model::make_namespace(NamespaceId parent, UserNamespaceId owner) {
  const NamespaceId id = world_.namespaces.make();
  Namespace& ns = world_.namespaces[id];
  ns.made = next_place();
  ns.parent = parent;
  ns.owner = owner;
  ns.level = world_.level_of(parent) + 1;
  if (parent) world_.namespaces[parent].users++;
  world_.count_namespace(owner, NsKind::pid, true);
  return id;
}

/// A namespace goes with the last who could make a task in it, or has a number there.
void Model::drop_if_unused(NamespaceId id) {
  while (id && world_.namespaces[id].users == 0 && world_.namespaces[id].numbers.empty()) {
    const NamespaceId parent = world_.namespaces[id].parent;
    give_back(world().namespaces[id].owner, NsKind::pid);
    world_.namespaces.drop(id);
    if (parent) world_.namespaces[parent].users--;
    id = parent;
  }
}

/// A first number that is given back without a task leaves a namespace that never has any.
void Model::abandon_first_number(NamespaceId id) {
  if (!id || !world_.namespaces[id].numbers.empty()) return;
  cover("pidns.first-abandoned"_rule);
  world_.namespaces[id].accepts = false;
}

/// From now on the task's children will be in `ns`.
void Model::enter_namespace(Task& t, NamespaceId ns) {
  t.child_ns = ns;
  if (ns) world_.namespaces[ns].users++;
}

void Model::leave_namespace(Task& t) {
  leave_namespace(std::exchange(t.child_ns, NamespaceId::none()));
}

/// One user less.
void Model::leave_namespace(NamespaceId ns) {
  if (!ns) return;
  world_.namespaces[ns].users--;
  drop_if_unused(ns);
}

/// A number is free again. An init that outlives its namespace hears of it.
void Model::leave_number(InnerNumber number) {
  Namespace& ns = world_.namespaces[number.ns];
  ns.numbers.erase(number.number.n);
  const bool few = ns.numbers.size() == 1 || ns.numbers.size() == 2;
  if (!ns.accepts && few && ns.reaper && world_.tasks[ns.reaper].zaps()) wake(ns.reaper);
  drop_if_unused(number.ns);
}

/// The world ends: what lay below it goes unseen.
void Model::forget_namespaces() {
  world_.tasks.for_each([&](TaskId id, const Task& t) {
    if (t.proxy) leave_namespaces(world_.tasks[id]);
  });
  if (world_.namespaces.size() == 0) return;
  world_.processes.for_each(
      [&](ProcessId id, const Process&) { world_.processes[id].ns = NamespaceId::none(); });
  world_.tasks.for_each(
      [&](TaskId id, const Task&) { world_.tasks[id].child_ns = NamespaceId::none(); });
  world_.open_files.for_each(
      [&](OpenFileId id, const OpenFile&) { world_.open_files[id].ns = NamespaceId::none(); });
  std::vector<std::int32_t> used;
  world_.numbers.for_each([&](std::int32_t n, const Number&) { used.push_back(n); });
  for (const std::int32_t n : used) world_.numbers[n].inner.clear();
  std::vector<UserNamespaceId> owners;
  world_.namespaces.for_each([&](NamespaceId, const auto& ns) { owners.push_back(ns.owner); });
  for (const UserNamespaceId owner : owners) world_.count_namespace(owner, NsKind::pid, false);
  world_.namespaces.clear();
}

// --- the end of an init --------------------------------------------------------------------------

/// Whether the end of this thread ends a namespace below the world's.
bool Model::is_last_of_init(TaskId id) const {
  const Process& p = world_.process_of(world_.tasks[id]);
  return p.ns && world_.namespaces[p.ns].reaper == id && !live_thread(p);
}

/// Kills everybody else in the namespace. Answers whether the task is alone there already; else it
/// sleeps until it is.
bool Model::zap(TaskId id) {
  const Process& p = world().process_of(world().tasks[id]);
  Namespace& ns = world_.namespaces[p.ns];
  cover("pidns.zap"_rule);
  crowded_ |= !next_.empty();  // whom its end has woken by now may run while it looks for others
  cover("pidns.zap-closes"_rule);
  ns.accepts = false;
  update_news(p.leader);  // its stops and continues are nobody's business any more
  Handlers& h = world_.handlers[world_.tasks[id].handlers];
  h.ignored.add(sig::chld);
  h.caught.remove(sig::chld);
  if (h.users > p.threads.size()) cover("pidns.zap-ignores-children"_rule);

  std::vector<Pid> members;  // by their numbers in here
  for (const auto& [number, member] : ns.numbers)
    if (number != kInit.n) members.push_back(member);
  for (const Pid member : members) {
    const TaskId to = world_.task_of(member);
    if (to && world_.tasks[to].process != world_.tasks[id].process)
      send(sig::kill, to, Scope::process, true, Sender::force);
  }
  return go_on_zapping(id);
}

/// Reaps the children that are dead, and looks who is left.
bool Model::go_on_zapping(TaskId id) {
  Task& me = world_.tasks[id];
  const bool reaps = std::exchange(me.call, {}).kind != Call::Kind::outlive;
  std::vector<TaskId> dead;
  for (const auto& [place, child] : me.children)
    if (reaps && ready(child) && !world().tasks[child].trace.by) dead.push_back(child);
  for (const TaskId child : dead) {
    cover("pidns.zap-reaps"_rule);
    tell(child);
    account(id, child);
    release(child);
  }
  touch(id);
  if (is_alone(id)) return true;
  cover("pidns.zap-waits"_rule);
  me.call = {.kind = reaps && !me.children.empty() ? Call::Kind::reap : Call::Kind::outlive};
  return false;
}

/// Whether nothing in the namespace has a number but the task and its leader.
bool Model::is_alone(TaskId id) const {
  const Process& p = world_.process_of(world_.tasks[id]);
  return world_.namespaces[p.ns].numbers.size() == (p.leader == id ? 1U : 2U);
}

}  // namespace forkproof::spec
