/// Which clone flags go together, and whose parent the child gets.
///
/// Sources: clone(2) EINVAL; kernel/fork.c copy_process().
#pragma once
#include "impl/bits/word.hpp"
#include "spec/words.hpp"

namespace forkproof::impl::bits {

/// Whether clone refuses these flags: NEWNS and NEWUSER go with no FS, THREAD needs SIGHAND and
/// goes with no NEWPID or NEWUSER, SIGHAND needs VM, and a process that is unkillable must not have
/// siblings.
template <class W, class Truth>
constexpr auto clone_refuses(const W& flags, const Truth& unkillable) {
  const auto bit = [&](CloneFlags f) {  // as bit 0, so that bits of different flags combine
    return shift_right(flags, static_cast<unsigned>(std::countr_zero(f.bits))) &
           constant(flags, 1);
  };
  const W newuser = bit(clone_flag::newuser);
  const W mounts_shared = (bit(clone_flag::newns) | newuser) & bit(clone_flag::fs);
  const W thread_alone = bit(clone_flag::thread) & ~bit(clone_flag::sighand);
  const W sighand_alone = bit(clone_flag::sighand) & ~bit(clone_flag::vm);
  const W second_root = bit(clone_flag::parent) & mask_if(unkillable, flags);
  const W thread_elsewhere = bit(clone_flag::thread) & (bit(clone_flag::newpid) | newuser);
  return (mounts_shared | thread_alone | sighand_alone | second_root | thread_elsewhere) !=
         constant(flags, 0);
}

/// What a new process has from its maker or, being its maker's sibling, as its maker has it: its
/// parent, its exit signal, and how often that parent had exec'd.
template <class W>
constexpr W from_maker(const W& flags, const W& makers, const W& given) {
  const W sibling = flags & constant(flags, clone_flag::parent.bits);
  return ite(is_zero(sibling), given, makers);
}

/// What a clone comes to, beside the number of an errno.
inline constexpr std::uint64_t kGoesOn = 0;
inline constexpr std::uint64_t kRestarts = 512;  // once signals have been dealt with: ERESTART

/// What it comes to before anything is made. `look` answers whether a signal has come, and is asked
/// only if the flags are good, and only since 4.19: `looks_first`.
template <class W, class Truth>
constexpr W before_copying(const W& flags, const Truth& unkillable, const Truth& looks_first,
                           const auto& look) {
  const auto number = [&](std::uint64_t n) { return constant(flags, n); };
  const auto early = [&] { return ite(look(), number(kRestarts), number(kGoesOn)); };
  const auto good = [&] { return choose(looks_first, early, [&] { return number(kGoesOn); }); };
  return choose(clone_refuses(flags, unkillable),
                [&] { return number(static_cast<std::uint64_t>(Errno::inval)); }, good);
}

/// What it comes to when a number was searched: none was found, or before 4.19 a signal has come.
template <class W, class Truth>
constexpr W after_search(const W& like, const Truth& exhausted, const Truth& looked_first,
                         const auto& look) {
  const auto number = [&](std::uint64_t n) { return constant(like, n); };
  const auto late = [&] { return ite(look(), number(kRestarts), number(kGoesOn)); };
  const auto found = [&] { return choose(looked_first, [&] { return number(kGoesOn); }, late); };
  return choose(exhausted, [&] { return number(static_cast<std::uint64_t>(Errno::again)); }, found);
}

}  // namespace forkproof::impl::bits
