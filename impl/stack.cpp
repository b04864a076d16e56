/// Kernel stacks: calls within the kernel take of them, and who needs more than there is runs into
/// the guard.
///
/// Sources: kernel/fork.c alloc_thread_stack_node(); arch/x86/mm/fault.c page_fault_oops();
/// kernel/exit.c make_task_dead().
#include "impl/bits/wait_status.hpp"
#include "impl/machine.hpp"

namespace forkproof::impl {

/// Each call pushes its frame; the first that would not fit is the last. What is below belongs to
/// thread_info, the guard and the neighbours, and is not touched.
Outcome Machine::perform(Task& t, const Recurse& op) {
  const std::uint64_t before = sp_;
  for (std::uint32_t depth = 0; depth < op.depth; ++depth) {
    if (!bits::stack_holds(sp_, std::uint64_t{kRecursionFrame}, stack_shift())) {
      do_exit(t, static_cast<std::int32_t>(bits::killed_status(std::uint32_t{sig::segv.n})));
      return Outcome::death(sig::segv);
    }
    sp_ -= kRecursionFrame;
  }
  sp_ = before;
  return Outcome::success();
}

}  // namespace forkproof::impl
