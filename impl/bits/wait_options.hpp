/// Which wait options a call takes, and which children they choose.
///
/// Sources: wait4(2), waitid(2); kernel/exit.c kernel_wait4(), kernel_waitid_prepare(),
/// eligible_child().
#pragma once
#include "impl/bits/word.hpp"
#include "spec/words.hpp"

namespace forkproof::impl::bits {

inline constexpr WaitOptions kEvents =
    wait_option::exited | wait_option::stopped | wait_option::continued;
inline constexpr WaitOptions kWhose =
    wait_option::nothread | wait_option::all | wait_option::clone;
inline constexpr WaitOptions kWait4Options =
    wait_option::nohang | wait_option::stopped | wait_option::continued | kWhose;
inline constexpr WaitOptions kWaitidOptions =
    wait_option::nohang | wait_option::nowait | kEvents | kWhose;

template <class W>
constexpr auto wait4_takes(const W& options) {
  return is_zero(options & ~constant(options, kWait4Options.bits));
}

/// waitid must also be told what to wait for.
template <class W>
constexpr auto waitid_takes(const W& options) {
  const W stray = options & ~constant(options, kWaitidOptions.bits);
  const W events = options & constant(options, kEvents.bits);
  return is_zero(stray | mask_if(is_zero(events), options));
}

/// Whether a child whose exit signal is not SIGCHLD (a "clone child"), or is, can be chosen.
template <class W, class Truth>
constexpr auto wait_chooses(const W& options, const Truth& clone_child) {
  const W clone_bit = constant(options, wait_option::clone.bits);
  const W differs = (options ^ mask_if(clone_child, options)) & clone_bit;
  const W all = options & constant(options, wait_option::all.bits);
  return is_zero(differs & mask_if(is_zero(all), options));
}

}  // namespace forkproof::impl::bits
