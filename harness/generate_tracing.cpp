/// Random traces in which tasks trace one another.
#include "harness/generate.hpp"

#include "spec/derive.hpp"

namespace forkproof::harness {

/// Of the ops about tracing those that a task can do something with.
std::uint32_t Generator::tracing_weight(std::size_t index, const Scene& scene) {
  const std::uint32_t weight = weights_[index];
  const std::string_view op = kOpNames[index];
  if (weight == 0 || scene.me == nullptr) return weight;
  if (op == "ptrace_traceme") return scene.actor != 0 ? weight : 1;
  if (op == "ptrace_attach" || op == "ptrace_seize") return weight;
  return scene.me->tracees.empty() ? (weight + 7) / 8 : 2 * weight;
}

void Generator::choose(PtraceAttach& o, const Scene& scene) { o.task = traceable(scene); }

void Generator::choose(PtraceSeize& o, const Scene& scene) {
  o.task = traceable(scene);
  if (dice_.percent(30)) o.options = trace_flag::exitkill;
}

void Generator::choose(PtraceInterrupt& o, const Scene& scene) { o.task = tracee(scene, false); }

void Generator::choose(PtraceCont& o, const Scene& scene) {
  o.task = tracee(scene, true);
  o.signal = signal_to_go_on_with(scene, o.task);
}

void Generator::choose(PtraceDetach& o, const Scene& scene) {
  o.task = tracee(scene, true);
  o.signal = signal_to_go_on_with(scene, o.task);
}

void Generator::choose(PtraceSetoptions& o, const Scene& scene) {
  o.task = tracee(scene, true);
  if (dice_.percent(70)) o.options = trace_flag::exitkill;
}

/// Mostly somebody that can be traced; a thread of several if there is one.
TaskRef Generator::traceable(const Scene& scene) {
  for (int tries = 0; tries < 8; ++tries) {
    const TaskRef ref = task(scene);
    const spec::TaskId id = scene.world.task_of(number_of(ref, scene.naming.numbers()));
    if (!id) continue;
    const spec::Task& t = scene.world.tasks[id];
    if (tries < 4 && scene.world.process_of(t).threads.size() == 1 && dice_.percent(60)) continue;
    const bool own = scene.me != nullptr && t.process == scene.me->process;
    if ((!t.zombie && !t.trace.by && !own) || dice_.percent(10)) return ref;
  }
  return TaskRef::name(scene.actor);
}

/// Mostly one of those that the actor traces.
TaskRef Generator::tracee(const Scene& scene, bool trapped) {
  std::vector<Pid> numbers;
  if (scene.me != nullptr)
    for (const auto& [place, id] : scene.me->tracees)
      if (!trapped || scene.world.tasks[id].trace.trapped)
        numbers.push_back(scene.world.tasks[id].tid);
  if (numbers.empty() || dice_.percent(4)) return task(scene);
  return named(dice_.one_of<Pid>(numbers), scene.naming);
}

/// Nothing, what it stopped for, what it blocks, or anything.
Signal Generator::signal_to_go_on_with(const Scene& scene, TaskRef tracee) {
  const std::uint32_t way = dice_.below(100);
  if (way < 30) return {};
  if (way >= 98) return {dice_.between(kSignalMax, kSignalMax + 2)};
  const spec::TaskId id = scene.world.task_of(number_of(tracee, scene.naming.numbers()));
  if (id && way < 65) return scene.world.tasks[id].trace.code;
  Signal given = signal();
  if (id && way < 90)
    for (int tries = 0; tries < 8 && !scene.world.tasks[id].blocked.has(given); ++tries)
      given = signal();
  return given;
}

}  // namespace forkproof::harness
