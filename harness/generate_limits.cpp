/// The arguments of ops about limits, users and usage: limits close to what there is.
#include "harness/generate.hpp"

#include <algorithm>

namespace forkproof::harness {

namespace {

std::uint64_t tasks_of(const spec::World& world, User user) {
  std::uint64_t count = 0;
  world.tasks.for_each([&](spec::TaskId, const spec::Task& t) {
    count += t.attributes.user == user;
  });
  return count;
}

}  // namespace

User Generator::user() {
  const std::uint32_t way = dice_.below(100);
  return way < 60 ? User::alice : way < 78 ? User::bob : User::root;
}

/// About as many signals as are queued for the caller's user. Of the machine's root mostly none, as
/// he has others.
Limit Generator::signals_near(const Scene& scene) {
  if (scene.me == nullptr) return {0};
  const spec::Attributes& a = scene.me->attributes;
  if (dice_.percent(is_tight_ && own_root_ ? 10 : a.user == User::root && !a.user_ns ? 88 : 20))
    return {0};
  return {scene.world.queued_for(a.user_ns, a.user) + dice_.below(is_tight_ ? 2 : 4)};
}

/// Whether others may have signals queued that count with those of who acts.
bool Generator::shares_queue(const Scene& scene) const {
  return !own_root_ && scene.me != nullptr && scene.me->attributes.user == User::root &&
         !scene.me->attributes.user_ns;
}

/// Of tasks about as many as a user has; of others few.
Limit Generator::limit_near(const Scene& scene, Resource resource) {
  if (resource == Resource::nofile)
    return {static_cast<std::uint64_t>(dice_.percent(20) ? 0 : dice_.between(1, kDescriptors))};
  if (resource == Resource::sigpending) return signals_near(scene);
  if (resource != Resource::nproc) return {dice_.below(8)};
  const User whose = scene.me != nullptr && dice_.percent(50) ? scene.me->attributes.user : user();
  const auto count = static_cast<std::int32_t>(
      tasks_of(scene.world, whose == User::root ? User::alice : whose));
  return {static_cast<std::uint64_t>(std::max(0, count + dice_.between(-1, 1)))};
}

/// Whether the namespace of the actor says how many signals may be queued, whatever its own limit.
bool Generator::binds_from_above(const Scene& scene) {
  const spec::UserNamespaceId ns =
      scene.me == nullptr ? spec::UserNamespaceId::none() : scene.me->attributes.user_ns;
  return ns && !scene.world.user_namespaces[ns].signals_most.unlimited();
}

void Generator::choose(Setrlimit& o, const Scene& scene) {
  const std::uint32_t way = dice_.below(100);
  o.resource = way < 46   ? Resource::nproc
               : way < 66 ? Resource::sigpending
               : way < 86 ? Resource::nofile
                          : static_cast<Resource>(dice_.one_of<Word>(kResources).value);
  constexpr std::array kHardlyTurned{Resource::core, Resource::nice, Resource::rtprio};
  if (std::ranges::find(kHardlyTurned, o.resource) != kHardlyTurned.end() && dice_.percent(90))
    o.resource = Resource::fsize;
  if (is_tight_ && dice_.percent(80)) o.resource = Resource::sigpending;
  if (users_ && dice_.percent(15)) o.resource = Resource::nice;  // which binds below
  if (dice_.percent(88)) o.soft = limit_near(scene, o.resource);
  if (binds_from_above(scene) && dice_.percent(30)) o = {Resource::sigpending, {}, {}};
  if (o.resource == Resource::nofile && o.soft.unlimited()) o.soft = {kDescriptors};
  if (dice_.percent(o.resource == Resource::nofile ? 15 : 65)) return;
  if (dice_.percent(94)) {
    o.hard.n = o.soft.unlimited() ? o.soft.n : o.soft.n + dice_.below(3);
    if (o.resource == Resource::nofile) o.hard.n = std::min<std::uint64_t>(o.hard.n, kDescriptors);
  } else {
    o.hard = limit_near(scene, o.resource);
  }
}

void Generator::choose(Getrlimit& o, const Scene& scene) {
  const auto* const me = scene.me;
  o.kind = dice_.percent(50) ? LimitKind::soft : LimitKind::hard;
  o.resource = static_cast<Resource>(dice_.one_of<Word>(kResources).value);
  if (me != nullptr && dice_.percent(75))
    if (const auto& limits = scene.world.process_of(*me).limits; !limits.empty())
      o.resource = limits[dice_.below(limits.size())].resource;
  if (o.resource == Resource::core && dice_.percent(90)) o.resource = Resource::nproc;
}

void Generator::choose(Setresuid& o, const Scene&) { o.user = user(); }

void Generator::choose(Capset& o, const Scene&) {
  const std::uint32_t way = dice_.below(100);
  o.effective = way < 60   ? Capabilities{}
                : way < 75 ? capability::sys_admin
                : way < 85 ? capability::sys_resource
                           : capability::all;
}

void Generator::choose(Getrusage& o, const Scene&) {
  const std::uint32_t way = dice_.below(100);
  o.whose = way < 50 ? Whose::children : way < 80 ? Whose::self : Whose::thread;
}

void Generator::choose(Fault& o, const Scene&) {
  o.batches = dice_.percent(96) ? 1 + dice_.below(2) : dice_.below(6);
}

void Generator::choose(Spend& o, const Scene&) {
  o.ticks = dice_.percent(96) ? 1 + dice_.below(2) : dice_.below(6);
  o.in = dice_.percent(50) ? Mode::user : Mode::kernel;
}

/// Most around what a stack of the profile holds beside thread_info, which takes less than a frame.
void Generator::choose(Recurse& o, const Scene&) {
  const std::uint32_t stack = world_.profile == Profile::linux_6 ? 16384 : 8192;
  const std::uint32_t most = (stack - kCallFrame) / kRecursionFrame - 1;
  o.depth = dice_.percent(70) ? most - 1 + dice_.below(4) : dice_.below(48);
}

void Generator::choose(Times& o, const Scene&) {
  o.which = static_cast<Account>(dice_.one_of<Word>(kAccounts).value);
}

}  // namespace forkproof::harness
