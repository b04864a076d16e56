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

/// Mostly of one that has just entered one, from above or from inside.
void Generator::choose(MapIds& o, const Scene& scene) {
  const std::uint32_t way = dice_.below(100);
  o.task = way < 40 ? child(scene) : way < 75 ? TaskRef::name(scene.actor) : task(scene);
  if (dice_.percent(40)) o.whom = IdMap::everybody;
}

}  // namespace forkproof::harness
