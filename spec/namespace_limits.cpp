/// How many namespaces there may be of each kind: where they count, and what refuses one more.
///
/// They count for whom their maker acts as, which is root for all tasks of a trace.
#include "spec/model.hpp"

#include <bit>

namespace forkproof::spec {

namespace fl = clone_flag;

namespace {

/// The kinds as they are made, one after the other; that of users comes long before.
struct MadeInTurn {
  CloneFlags flag;
  NsKind kind;
};
constexpr MadeInTurn kInTurn[] = {{fl::newns, NsKind::mnt},   {fl::newuts, NsKind::uts},
                                  {fl::newipc, NsKind::ipc},  {fl::newpid, NsKind::pid},
                                  {fl::newcgroup, NsKind::cgroup}, {fl::newnet, NsKind::net},
                                  {fl::newtime, NsKind::time}};

}  // namespace

/// Why there may be no more of a kind that belong to a user namespace; nothing if there may.
Model::Answer Model::refuses_more(UserNamespaceId owner, NsKind kind) {
  for (UserNamespaceId ns = owner;; ns = world().user_namespaces[ns].parent) {
    if (world().count_of(ns, kind).full())
      return fails(Errno::nospc, ns == owner ? "nslimit.full"_rule : "nslimit.full-above"_rule);
    if (!ns) return std::nullopt;
  }
}

/// Why one of these kinds cannot be made, the first that cannot; nothing if all can.
Model::Answer Model::refuses_more(const Task& me, CloneFlags flags, UserNamespaceId owner) {
  const bool several = !std::has_single_bit((flags & fl::new_any).bits);
  for (const auto& [flag, kind] : kInTurn) {
    if (!flags.has(flag)) continue;
    Answer refused = kind == NsKind::pid ? refuses_namespace(me, owner) : std::nullopt;
    if (!refused) refused = refuses_more(owner, kind);
    if (refused && several) cover("nslimit.in-turn"_rule);
    if (refused) return refused;
  }
  if (flags.has(fl::newuser) && flags.any(fl::new_any)) cover("nslimit.belongs-to-new"_rule);
  return std::nullopt;
}

/// A namespace of a kind is gone, that belonged to a user namespace.
void Model::give_back(UserNamespaceId owner, NsKind kind) {
  cover("nslimit.given-back"_rule);
  world_.count_namespace(owner, kind, false);
}

/// A task is not made after all: what was made for it goes.
void Model::undo_namespaces(CloneFlags flags, NamespaceId pids) {
  drop_if_unused(pids);
  if (!flags.any(fl::newpid | fl::newuser)) return;
  cover("nslimit.undone"_rule);
  forget_user_namespaces();
}

Model::Answer Model::act(TaskId id, const MaxNamespaces& op) {
  const UserNamespaceId ns = world().tasks[id].attributes.user_ns;
  if (!linux_6() && op.kind == NsKind::time) return fails(Errno::noent, "nslimit.no-time"_rule);
  if (!capable(id, ns, capability::sys_resource)) return fails(Errno::acces, "nslimit.right"_rule);
  if (op.most < 0) return fails(Errno::inval, "nslimit.range"_rule);

  NamespaceCount& count = world_.count_of(ns, op.kind);
  count.most = op.most;
  if (count.living > static_cast<std::uint32_t>(op.most)) cover("nslimit.lowered"_rule);
  return answers(Outcome::success(), "nslimit.set"_rule);
}

Model::Answer Model::act(TaskId id, const GetMaxNamespaces& op) {
  if (!linux_6() && op.kind == NsKind::time) return fails(Errno::noent, "nslimit.no-time"_rule);

  const UserNamespaceId ns = world().tasks[id].attributes.user_ns;
  if (capable(id, ns, capability::sys_resource)) cover("superpriv.file-looked-at"_rule);
  return answers(Outcome::number(world().count_of(ns, op.kind).most), "nslimit.get"_rule);
}

}  // namespace forkproof::spec
