/// Which clone flags go together, and whose parent the child gets.
///
/// Sources: clone(2) EINVAL; kernel/fork.c copy_process().
#pragma once
#include "impl/bits/word.hpp"
#include "spec/words.hpp"

namespace forkproof::impl::bits {

/// Whether clone refuses these flags: THREAD needs SIGHAND, SIGHAND needs VM, and a process that
/// is unkillable must not have siblings.
template <class W, class Truth>
constexpr auto clone_refuses(const W& flags, const Truth& unkillable) {
  const auto bit = [&](CloneFlags f) {  // as bit 0, so that bits of different flags combine
    return shift_right(flags, static_cast<unsigned>(std::countr_zero(f.bits))) &
           constant(flags, 1);
  };
  const W thread_alone = bit(clone_flag::thread) & ~bit(clone_flag::sighand);
  const W sighand_alone = bit(clone_flag::sighand) & ~bit(clone_flag::vm);
  const W second_root = bit(clone_flag::parent) & mask_if(unkillable, flags);
  return (thread_alone | sighand_alone | second_root) != constant(flags, 0);
}

/// What a new process has from its maker or, being its maker's sibling, as its maker has it: its
/// parent, its exit signal, and how often that parent had exec'd.
template <class W>
constexpr W from_maker(const W& flags, const W& makers, const W& given) {
  const W sibling = flags & constant(flags, clone_flag::parent.bits);
  return ite(is_zero(sibling), given, makers);
}

}  // namespace forkproof::impl::bits
