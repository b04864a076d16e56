/// Random traces in worlds with kernel threads: which ops, and about whom.
#include <algorithm>

#include "harness/generate.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness {

/// Functions of the kernel are for worlds that have kernel threads; what those ask of themselves is
/// for them, and little else is.
std::uint32_t Generator::weight_by_kthreads(std::size_t op, const Scene& scene,
                                            std::uint32_t weight) const {
  if (!scene.world.kthreads)
    return kOpsThat<InKernelTrait>[op] ? static_cast<std::uint32_t>(strays_) : weight;
  const std::string_view name = kOpNames[op];
  const auto& requests = scene.world.requests;
  if (name == "copy_process")
    return requests.empty() ? weight / 12 : requests.front().made ? weight / 4 : 12 * weight;
  if (scene.me == nullptr || !scene.me->in_kernel()) {
    if (name == "kill" || (scene.world.held && name == "kthread_create")) return 3 * weight;
    return kOpsThat<ByKthreadTrait>[op] ? weight / 12 : weight;
  }
  if (kOpsThat<InKernelTrait>[op]) return 6 * weight;
  if (name == "exec") return scene.me->kthread.made ? 2 : 200;
  return name == "exit" ? weight : weight / 12;
}

void Generator::choose(KthreadStop& o, const Scene& scene) { o.task = kthread(scene); }
void Generator::choose(KthreadPark& o, const Scene& scene) { o.task = kthread(scene); }
void Generator::choose(KthreadUnpark& o, const Scene& scene) { o.task = kthread(scene); }
void Generator::choose(WakeUpProcess& o, const Scene& scene) {
  o.task = dice_.percent(80) ? kthread(scene) : task(scene);
  const auto frozen = someone(scene, [](const spec::Task& t) { return t.frozen; });
  if (frozen && dice_.percent(60)) o.task = *frozen;
}

void Generator::choose(WakeUpState& o, const Scene& scene) {
  o.task = dice_.percent(75) ? kthread(scene) : task(scene);
  o.mask = static_cast<WakeMask>(dice_.one_of<Word>(kWakeMasks).value);
  const spec::TaskId id = scene.world.task_of(number_of(o.task, scene.naming.numbers()));
  const bool parked = id && scene.world.tasks[id].call.kind == spec::Call::Kind::parked;
  if (parked && dice_.percent(50)) o.mask = WakeMask::parked;
}

void Generator::choose(SetCurrentState& o, const Scene& scene) {
  o.state = static_cast<Sleep>(dice_.one_of<Word>(kSleeps).value);
  const bool stops = scene.me != nullptr && scene.me->kthread.should_stop;
  if (stops && dice_.percent(60)) o.state = Sleep::interruptible;
}

void Generator::choose(HoldKthreadd& o, const Scene& scene) {
  o.on = dice_.percent(new_kthread(scene) ? 5 : scene.world.held ? 15 : 80) ? 1 : 0;
}

/// Mostly of somebody who is stopped, for whom it says most.
void Generator::choose(TaskStateMatch& o, const Scene& scene) {
  o.task = dice_.percent(50) ? kthread(scene) : task(scene);
  o.mask = static_cast<WakeMask>(dice_.one_of<Word>(kWakeMasks).value);
  const auto halted = someone(
      scene, [](const spec::Task& t) { return t.stopped || t.trace.trapped || t.zombie; });
  if (halted && dice_.percent(60)) o.task = *halted;
}

void Generator::choose(MmUsers& o, const Scene& scene) { o.task = with_memory(scene); }
void Generator::choose(MmCount& o, const Scene& scene) { o.task = with_memory(scene); }

/// The caller, or who has the memory that the processor has.
TaskRef Generator::with_memory(const Scene& scene) {
  const auto user = someone(scene, [&](const spec::Task& t) {
    return t.space && t.space == scene.world.active;
  });
  if (user && dice_.percent(40)) return *user;
  return dice_.percent(60) ? TaskRef::name(scene.actor) : task(scene);
}

/// The thread that is new, if there is one. It has only a number.
std::optional<TaskRef> Generator::new_kthread(const Scene& scene) {
  const auto& requests = scene.world.requests;
  if (requests.empty() || !requests.front().made) return std::nullopt;
  return TaskRef::number(scene.world.tasks[requests.front().made].tid);
}

/// Mostly a kernel thread, if there is one that has a name.
TaskRef Generator::kthread(const Scene& scene) {
  if (const auto fresh = new_kthread(scene); fresh && dice_.percent(50)) return *fresh;
  const auto found = someone(scene, [](const spec::Task& t) { return t.kthread.made; });
  return found && !dice_.percent(8) ? *found : task(scene);
}

}  // namespace forkproof::harness
