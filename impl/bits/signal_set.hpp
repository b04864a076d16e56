/// Arithmetic on sets of signals: bit n-1 is signal n.
///
/// Sources: kernel/signal.c next_signal(), sig_ignored(), recalc_sigpending(), prepare_signal(),
/// complete_signal(), get_signal().
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

/// The signals that do nothing to a process: by its choice, or by default.
template <class W>
constexpr W ignoring(const W& ignored, const W& caught) {
  return ignored | (~caught & constant(caught, kDefaultIgnored.bits));
}

/// The signals that are dropped when they are sent: ignored, and all that would take their default
/// action when the process is unkillable; but never a blocked one.
template <class W, class Truth>
constexpr W dropped(const W& ignored, const W& caught, const W& blocked, const Truth& unkillable) {
  const W shielded = ~caught & mask_if(unkillable, caught);
  return (ignoring(ignored, caught) | shielded) & ~blocked;
}

/// The signals, not caught, that do nothing when they are taken. What is sent from inside its
/// world does nothing to an unkillable process; that spares it what it blocked for a while.
template <class W, class Truth>
constexpr W spared(const W& ignored, const Truth& unkillable) {
  const W shielded = mask_if(unkillable, ignored) & ~constant(ignored, kUnblockable.bits);
  return ignored | constant(ignored, kDefaultIgnored.bits) | shielded;
}

/// The signals that do not end the process as soon as a thread is found to take them.
template <class W>
constexpr W harmless(const W& ignored, const W& caught) {
  constexpr SigSet kTaken = kDefaultIgnored | kStopSignals | kCoreSignals;
  return ignored | caught | constant(ignored, kTaken.bits);
}

/// What a mask may block: SIGKILL and SIGSTOP cannot be.
template <class W>
constexpr W blockable(const W& set) {
  return set & ~constant(set, kUnblockable.bits);
}

/// What remains of a set when some are taken out.
template <class W>
constexpr W without(const W& set, const W& out) {
  return set & ~out;
}

/// The pending signals that sending `sent`, one signal, drives out: SIGCONT and the stop signals
/// do that to each other.
template <class W>
constexpr W driven_out(const W& sent) {
  const W cont = constant(sent, SigSet::of(sig::cont).bits);
  const W stops = constant(sent, kStopSignals.bits);
  return (mask_if(!is_zero(sent & cont), sent) & stops) |
         (mask_if(!is_zero(sent & stops), sent) & cont);
}

}  // namespace forkproof::impl::bits
