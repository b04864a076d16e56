/// Arithmetic on sets of signals: bit n-1 is signal n.
///
/// Sources: kernel/signal.c next_signal(), sig_ignored(), recalc_sigpending().
#pragma once
#include "impl/bits/word.hpp"
#include "spec/words.hpp"

namespace forkproof::impl::bits {

/// What can be delivered now.
template <class W>
constexpr W deliverable(const W& pending, const W& blocked) {
  return pending & ~blocked;
}

/// The signal of `pending` that is delivered next, alone: a synchronous one before the others,
/// the lowest number first; zero when all are blocked.
template <class W>
constexpr W next_signal(const W& pending, const W& blocked) {
  const W ready = deliverable(pending, blocked);
  const W synchronous = ready & constant(ready, kSynchronous.bits);
  return lowest_set(ite(is_zero(synchronous), ready, synchronous));
}

/// The signals that are dropped when they are sent: ignored by choice or by default, and all that
/// would take their default action when the process is unkillable; but never a blocked one.
template <class W, class Truth>
constexpr W dropped(const W& ignored, const W& caught, const W& blocked, const Truth& unkillable) {
  const W by_default = ~caught & constant(caught, kDefaultIgnored.bits);
  const W shielded = ~caught & mask_if(unkillable, caught);
  return (ignored | by_default | shielded) & ~blocked;
}

/// What the blocked set becomes: SIGKILL and SIGSTOP cannot be blocked.
template <class W>
constexpr W blockable(const W& set) {
  return set & ~constant(set, kUnblockable.bits);
}

/// What stays pending when `sent` is sent: SIGCONT and the stop signals drive each other out.
template <class W>
constexpr W after_sending(const W& pending, const W& sent) {
  const W cont = constant(sent, sigset(18).bits);
  const W stops = constant(sent, kStopSignals.bits);
  const W out = (mask_if((sent & cont) != constant(sent, 0), sent) & stops) |
                (mask_if((sent & stops) != constant(sent, 0), sent) & cont);
  return pending & ~out;
}

}  // namespace forkproof::impl::bits
