/// Limits on namespaces: what is counted in each user namespace, and whether there is room.
///
/// Room is looked for before anything is taken, so that nothing has to be undone for want of it.
///
/// Sources: kernel/ucount.c inc_ucount(), dec_ucount(), set_permissions(); kernel/nsproxy.c
/// create_new_namespaces().
#include <vector>

#include "impl/machine.hpp"

namespace forkproof::impl {
namespace {

constexpr std::size_t place_of(NsKind kind) { return static_cast<std::size_t>(kind); }

struct KindInTurn {
  CloneFlags flag;
  NsKind kind;
};
constexpr KindInTurn kAfterPids[] = {{clone_flag::newcgroup, NsKind::cgroup},
                                     {clone_flag::newnet, NsKind::net},
                                     {clone_flag::newtime, NsKind::time}};
constexpr KindInTurn kBeforePids[] = {{clone_flag::newns, NsKind::mnt},
                                      {clone_flag::newuts, NsKind::uts},
                                      {clone_flag::newipc, NsKind::ipc}};

}  // namespace

/// Whether one more of the kind may belong to a user namespace: in it, and in all above it.
bool Users::has_room_for(Index owner, NsKind kind) const {
  while (true) {
    const Ucounts& here = ucounts_of(owner);
    if (here.count[place_of(kind)] >= here.max[place_of(kind)]) return false;
    if (owner == kNobody) return true;
    owner = user_ns_[owner].parent;
  }
}

void Users::inc_ucount(Index owner, NsKind kind) {
  for (; owner != kNobody; owner = user_ns_[owner].parent)
    ++user_ns_[owner].ucounts.count[place_of(kind)];
  ++ucounts_.count[place_of(kind)];
}

void Users::dec_ucount(Index owner, NsKind kind) {
  for (; owner != kNobody; owner = user_ns_[owner].parent)
    --user_ns_[owner].ucounts.count[place_of(kind)];
  --ucounts_.count[place_of(kind)];
}

/// Why new namespaces of these kinds cannot be made for the task, as the first that cannot says.
Errno Machine::may_create_namespaces(const Task& t, CloneFlags flags, Index owner) const {
  const auto room = [&](std::span<const KindInTurn> kinds) {
    for (const auto& [flag, kind] : kinds)
      if (flags.has(flag) && !has_room_for(owner, kind)) return false;
    return true;
  };
  if (!room(kBeforePids)) return Errno::nospc;
  if (flags.has(clone_flag::newpid)) {
    const Errno refused = may_make_namespace(t, owner);
    if (refused != Errno::ok) return refused;
    if (!has_room_for(owner, NsKind::pid)) return Errno::nospc;
  }
  return room(kAfterPids) ? Errno::ok : Errno::nospc;
}

// --- ops -----------------------------------------------------------------------------------------

Outcome Machine::perform(Task& t, const MaxNamespaces& op) {
  const Index ns = attributes_of(t).user_ns;
  if (op.kind == NsKind::time && profile_ == Profile::linux_4_12)
    return Outcome::failure(Errno::noent);
  if (!ns_capable(t, ns, capability::sys_resource)) return Outcome::failure(Errno::acces);
  if (op.most < 0) return Outcome::failure(Errno::inval);
  ucounts_of(ns).max[place_of(op.kind)] = op.most;
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const GetMaxNamespaces& op) {
  if (op.kind == NsKind::time && profile_ == Profile::linux_4_12)
    return Outcome::failure(Errno::noent);
  const Index ns = attributes_of(t).user_ns;
  ns_capable(t, ns, capability::sys_resource);  // the file's mode hangs on it
  return Outcome::number(ucounts_of(ns).max[place_of(op.kind)]);
}

// --- soundness -----------------------------------------------------------------------------------

/// What is counted is there: in each user namespace what belongs to it, and to those below.
bool Users::sound_ucounts() const {
  std::vector<Ucounts> found(user_ns_.end());
  Ucounts& first = found[kNobody];
  const auto count = [&](Index owner, NsKind kind) {
    for (; owner != kNobody; owner = user_ns_[owner].parent) ++found[owner].count[place_of(kind)];
    ++first.count[place_of(kind)];
  };
  std::vector<std::uint32_t> places(ns_.end());
  for (Index i = 1; i < proxies_.end(); ++i)
    for (const Index ns : proxies_[i].of)
      if (proxies_[i].users != 0 && ns != kNobody && places[ns]++ == 0)
        count(ns_[ns].owner, ns_[ns].kind);
  for (Index i = 1; i < namespaces_.end(); ++i)
    if (namespaces_[i].count != 0 || namespaces_[i].users != 0)
      count(namespaces_[i].owner, NsKind::pid);
  for (Index i = 1; i < user_ns_.end(); ++i)
    if (user_ns_[i].users != 0) count(user_ns_[i].parent, NsKind::user);
  bool good = first.count == ucounts_.count;
  for (Index i = 1; i < ns_.end(); ++i)
    good = good && (ns_[i].users == 0 || ns_[i].places == places[i]);
  for (Index i = 1; i < user_ns_.end(); ++i)
    good = good && (user_ns_[i].users == 0 || user_ns_[i].ucounts.count == found[i].count);
  return good;
}

}  // namespace forkproof::impl
