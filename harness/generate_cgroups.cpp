/// Control groups in random traces: those that there are, who is in them, and limits that are near.
#include "harness/generate.hpp"

#include <algorithm>

namespace forkproof::harness {

void Generator::choose(CgroupMake& o, const Scene& scene) {
  o.group = dice_.between(dice_.percent(5) ? -1 : 1, 4);
  o.below = cgroup(scene);
}

void Generator::choose(CgroupRemove& o, const Scene& scene) { o.group = cgroup_to_remove(scene); }

void Generator::choose(CgroupMove& o, const Scene& scene) {
  o.task = dice_.percent(25) ? task_in_cgroup(scene) : task(scene);
  if (const auto fresh = new_kthread(scene); fresh && dice_.percent(60)) o.task = *fresh;
  o.group = cgroup(scene);
}

void Generator::choose(CgroupOf& o, const Scene& scene) {
  o.task = dice_.percent(75) ? task_in_cgroup(scene) : task(scene);
}

/// Mostly near what there is, so that the next forks come to it.
void Generator::choose(PidsMax& o, const Scene& scene) {
  o.group = cgroup(scene);
  const spec::CgroupId id = scene.world.cgroup_called(o.group);
  const std::size_t tasks = id ? scene.world.cgroups[id].tasks : scene.world.tasks.size();
  const std::uint32_t way = dice_.below(100);
  o.limit.n = way < 70   ? std::max(0, static_cast<std::int32_t>(tasks) + dice_.between(-2, 2))
              : way < 94 ? PidsLimit::kMax
                         : dice_.between(-3, 3) + (dice_.percent(50) ? kPidsLimitMax : 0);
}

void Generator::choose(PidsCurrent& o, const Scene& scene) { o.group = cgroup(scene); }

void Generator::choose(CgroupFreeze& o, const Scene& scene) {
  o.group = frozen_cgroup(scene, false);
}
void Generator::choose(CgroupThaw& o, const Scene& scene) { o.group = frozen_cgroup(scene, true); }

/// Nobody can act: unless nobody ever will again, it is for a frozen control group.
std::optional<Step> Generator::thaw(const spec::World& world) {
  Step s;
  bool found = false;
  world.cgroups.for_each([&](spec::CgroupId, const spec::Cgroup& group) {
    if (!group.frozen || group.removed) return;
    s.op = CgroupThaw{{}, group.number};
    found = true;
  });
  return found ? std::optional(s) : std::nullopt;
}

/// Mostly one that is there.
CgroupNo Generator::cgroup(const Scene& scene) {
  std::vector<CgroupNo> there{0};
  scene.world.cgroups.for_each([&](spec::CgroupId, const spec::Cgroup& group) {
    if (!group.removed) there.push_back(group.number);
  });
  if (there.size() > 1 && dice_.percent(60)) there.erase(there.begin());
  return dice_.percent(93) ? dice_.one_of<CgroupNo>(there) : dice_.between(-1, 5);
}

/// Now and then one that has no room.
CgroupNo Generator::cgroup_to_be_born_in(const Scene& scene) {
  std::vector<CgroupNo> full;
  scene.world.cgroups.for_each([&](spec::CgroupId, const spec::Cgroup& group) {
    if (!group.removed && static_cast<std::uint32_t>(group.limit.n) <= group.tasks)
      full.push_back(group.number);
  });
  if (!full.empty() && dice_.percent(50)) return dice_.one_of<CgroupNo>(full);
  return cgroup(scene);
}

/// One that is in another than the first, dead ones rather.
TaskRef Generator::task_in_cgroup(const Scene& scene) {
  std::vector<std::int32_t> living, dead;
  for (const std::int32_t name : alive_) {
    const spec::TaskId id = scene.world.task_of(scene.naming.current(name, scene.world));
    if (!id || !scene.world.tasks[id].cgroup) continue;
    const spec::CgroupId group = scene.world.tasks[id].cgroup;
    auto& list = scene.world.tasks[id].zombie ? dead : living;
    list.insert(list.end(), scene.world.cgroups[group].removed ? 6 : 1, name);
  }
  if (!dead.empty() && (living.empty() || dice_.percent(60)))
    return TaskRef::name(dice_.one_of<std::int32_t>(dead));
  return living.empty() ? task(scene) : TaskRef::name(dice_.one_of<std::int32_t>(living));
}

/// Mostly one that nobody is in who lives: zombies may be.
CgroupNo Generator::cgroup_to_remove(const Scene& scene) {
  std::vector<CgroupNo> deserted;  // those with zombies several times
  scene.world.cgroups.for_each([&](spec::CgroupId id, const spec::Cgroup& group) {
    bool lived_in = group.removed;
    scene.world.tasks.for_each([&](spec::TaskId, const spec::Task& t) {
      lived_in = lived_in || (t.cgroup == id && !t.exiting());
    });
    if (!lived_in) deserted.insert(deserted.end(), group.tasks > 0 ? 8 : 1, group.number);
  });
  if (deserted.empty() || dice_.percent(30)) return cgroup(scene);
  return dice_.one_of<CgroupNo>(deserted);
}

/// Mostly one that is frozen by itself, or is not.
CgroupNo Generator::frozen_cgroup(const Scene& scene, bool frozen) {
  std::vector<CgroupNo> such;
  scene.world.cgroups.for_each([&](spec::CgroupId, const spec::Cgroup& group) {
    if (!group.removed && group.frozen == frozen) such.push_back(group.number);
  });
  if (such.empty() || dice_.percent(10)) return cgroup(scene);
  return dice_.one_of<CgroupNo>(such);
}

}  // namespace forkproof::harness
