/// Kernel stacks: how much they hold, and how a task ends that needs more.
#include "spec/model.hpp"

namespace forkproof::spec {

Model::Answer Model::act(TaskId id, const Recurse& op) {
  constexpr std::uint64_t kThreadInfo = 64;
  const std::uint64_t size = linux_6() ? 16384 : 8192;
  const std::uint64_t needs = kCallFrame + std::uint64_t{kRecursionFrame} * op.depth;
  cover(linux_6() ? "stack.size"_rule : "stack.size-before"_rule);
  if (needs + kThreadInfo <= size) return answers(Outcome::success(), "stack.holds"_rule);
  if (world().process_of(world().tasks[id]).running_threads > 1)
    cover("stack.overflow-alone"_rule);
  effects_.outcome = answers(Outcome::death(sig::segv), "stack.overflow"_rule);
  exit_thread(id, sig::segv.n);
  return Outcome{};
}

}  // namespace forkproof::spec
