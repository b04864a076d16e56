/// The arguments of random traces that are about user namespaces.
#include "harness/generate.hpp"

#include <algorithm>

namespace forkproof::harness {

/// The flags of a call that makes tasks or namespaces, perhaps with NEWUSER, and then mostly
/// without what it does not go with.
CloneFlags Generator::with_users(CloneFlags flags, std::uint32_t percent) {
  namespace fl = clone_flag;
  if (!users_ || !dice_.percent(percent)) return flags;
  flags = flags | fl::newuser;
  if (dice_.percent(90)) flags = flags - fl::fs;
  if (dice_.percent(90)) flags = flags - fl::thread;
  if (dice_.percent(25)) flags = flags | kinds_of_namespaces();
  return flags;
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
