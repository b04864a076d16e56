/// The arguments of random traces that are about user namespaces.
#include "harness/generate.hpp"

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

}  // namespace forkproof::harness
