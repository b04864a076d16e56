/// The arguments of random traces that are about user namespaces.
#include "harness/generate.hpp"

#include <algorithm>

namespace forkproof::harness {

/// The flags of a call that makes tasks or namespaces, perhaps with NEWUSER, and then mostly
/// without what it does not go with.
CloneFlags Generator::with_users(CloneFlags flags, std::uint32_t percent, const Scene& scene) {
  namespace fl = clone_flag;
  if (!users_ || scene.me == nullptr || !scene.me->fs) return flags;
  const spec::World& world = scene.world;
  const spec::Attributes& a = scene.me->attributes;
  const spec::NamespaceId pids = world.process_of(*scene.me).ns;
  if (world.is_below(world.owner_of(pids), a.user_ns) && dice_.percent(60))
    return (flags | fl::newpid) - fl::thread;  // whose are those below it?
  if (!dice_.percent(has_others_root(scene) ? 80 : could_gain(scene) ? 60 : percent)) return flags;
  flags = flags | fl::newuser;
  if (dice_.percent(90)) flags = flags - fl::fs;
  if (dice_.percent(90)) flags = flags - fl::thread;
  if (dice_.percent(25)) flags = flags | kinds_of_namespaces();
  return flags;
}

/// Of the kinds of namespaces those that somebody is elsewhere in than the actor, or some of them.
CloneFlags Generator::elsewhere(const Scene& scene, TaskRef who) {
  namespace fl = clone_flag;
  const spec::World& world = scene.world;
  const spec::TaskId id = world.task_of(number_of(who, scene.naming.numbers()));
  if (!id || scene.me == nullptr) return {};
  const spec::Task &me = *scene.me, &other = world.tasks[id];
  const spec::NsProxy mine = world.proxy_of(me), theirs = world.proxy_of(other);
  const std::pair<CloneFlags, bool> kinds[] = {
      {fl::newns, mine.mnt != theirs.mnt},
      {fl::newuts, mine.uts != theirs.uts},
      {fl::newipc, mine.ipc != theirs.ipc},
      {fl::newcgroup, mine.cgroup != theirs.cgroup},
      {fl::newtime, mine.time != theirs.time},
      {fl::newnet, mine.net != theirs.net},
      {fl::newpid, world.process_of(me).ns != world.process_of(other).ns},
      {fl::newuser, me.attributes.user_ns != other.attributes.user_ns}};
  CloneFlags all, some;
  for (const auto& [kind, differs] : kinds) {
    if (!differs) continue;
    all = all | kind;
    if (dice_.percent(60)) some = some | kind;
  }
  if (some.bits == 0) some = all;
  if (some == fl::newns && me.fs && world.fs[me.fs].users > 1) some = some | fl::newuts;
  return some;
}

/// Whether the root of the actor is not that of the mounts that it sees, as another changed it.
bool Generator::has_others_root(const Scene& scene) {
  if (scene.me == nullptr || !scene.me->fs) return false;
  return scene.world.fs[scene.me->fs].root != scene.world.proxy_of(*scene.me).mnt;
}

/// Whether an exec would give the task what it lost by one before its namespace had maps.
bool Generator::could_gain(const Scene& scene) {
  const spec::Attributes& a = scene.me->attributes;
  return a.powerless && scene.world.knows(a.user_ns, User::root);
}

/// Somebody who is in a user namespace that has no maps yet, if anybody is, and has lost something
/// by it rather.
TaskRef Generator::unmapped(const Scene& scene) {
  std::vector<std::int32_t> found;
  for (const std::int32_t name : alive_) {
    const spec::TaskId id = scene.world.task_of(scene.naming.current(name, scene.world));
    if (!id) continue;
    const spec::Attributes& a = scene.world.tasks[id].attributes;
    if (!scene.world.knows(a.user_ns, User::root))
      found.insert(found.end(), a.powerless ? 4 : 1, name);
  }
  return found.empty() ? task(scene) : TaskRef::name(dice_.one_of<std::int32_t>(found));
}

/// Mostly of one that has just entered one, from above or from inside.
void Generator::choose(MapIds& o, const Scene& scene) {
  const std::uint32_t way = dice_.below(100);
  o.task = way < 60   ? unmapped(scene)
           : way < 75 ? TaskRef::name(scene.actor)
           : way < 90 ? child(scene)
                      : task(scene);
  if (dice_.percent(40)) o.whom = IdMap::everybody;
}

/// A kind of which there are some, rather; nets take long to make.
NsKind Generator::kind_of_namespace(const Scene& scene) {
  static constexpr NsKind kMix[] = {NsKind::user, NsKind::user, NsKind::pid,    NsKind::pid,
                                    NsKind::uts,  NsKind::uts,  NsKind::mnt,    NsKind::ipc,
                                    NsKind::time, NsKind::time, NsKind::cgroup, NsKind::net};
  NsKind kind = dice_.one_of<NsKind>(kMix);
  const auto is_there = [&] {
    const spec::NamespaceCount& count =
        scene.world.count_of(scene.me->attributes.user_ns, kind);
    return count.living > 0 || count.most != kNamespacesMost;
  };
  for (int tries = 0; scene.me != nullptr && tries < 3 && !is_there(); ++tries)
    kind = dice_.one_of<NsKind>(kMix);
  return kind;
}

/// About as many as there are.
void Generator::choose(MaxNamespaces& o, const Scene& scene) {
  o.kind = kind_of_namespace(scene);
  const std::int32_t living =
      scene.me == nullptr
          ? 0
          : static_cast<std::int32_t>(
                scene.world.count_of(scene.me->attributes.user_ns, o.kind).living);
  const std::uint32_t way = dice_.below(100);
  o.most = way < 75   ? std::max(0, living + dice_.between(-1, 1))
           : way < 90 ? dice_.between(0, 3)
           : way < 96 ? kNamespacesMost
                      : dice_.between(-2, 0);
}

void Generator::choose(GetMaxNamespaces& o, const Scene& scene) {
  o.kind = kind_of_namespace(scene);
}

}  // namespace forkproof::harness
