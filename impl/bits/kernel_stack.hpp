/// Kernel stacks by their addresses: each as large as a power of two, aligned to its size, with
/// thread_info at its low end and a guard of the same size, where nothing is mapped, below it.
///
/// Task n has stack n, so that masking any address of a stack tells whose it is. Addresses count
/// from the start of a region of their own; in its first slot is nobody's stack.
///
/// Sources: include/linux/sched.h union thread_union; arch/x86/include/asm/thread_info.h
/// current_thread_info() (4.8 and before); kernel/fork.c alloc_thread_stack_node() (VMAP_STACK).
#pragma once
#include "impl/bits/word.hpp"

namespace forkproof::impl::bits {

/// The size of a stack as a power of two: 8 KiB in the books, which the profile linux-4.12 is
/// written from, though x86-64 has 16 KiB since 3.15.
inline constexpr unsigned kStackShift8K = 13, kStackShift16K = 14;
inline constexpr std::uint64_t kThreadInfo = 64;  // bytes at the end of a stack that are not it

/// The lowest address of a stack, where its thread_info is.
template <class W>
constexpr W stack_of(const W& task, unsigned shift) {
  return shift_left(shift_left(task, 1) | constant(task, 1), shift);
}

/// The address that a stack begins at, to grow down from.
template <class W>
constexpr W stack_top(const W& task, unsigned shift) {
  return shift_left(shift_left(task, 1) + constant(task, 2), shift);
}

/// `current`: whose stack the address is in. A push writes below the pointer, so that the top of a
/// stack is still in it.
template <class W>
constexpr W current_of(const W& sp, unsigned shift) {
  return shift_right(sp - constant(sp, 1), shift + 1);
}

/// Whether there is room for `bytes`, no more than a stack has, below the pointer. If not they
/// would reach into thread_info, or the guard.
template <class W>
constexpr auto stack_holds(const W& sp, const W& bytes, unsigned shift) {
  const W end = stack_of(current_of(sp, shift), shift) + constant(sp, kThreadInfo);
  return !less(sp, end) && !less(sp - end, bytes);
}

}  // namespace forkproof::impl::bits
