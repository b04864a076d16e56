/// Whom a signal wakes, and who takes it.
///
/// Sources: kernel/signal.c wants_signal(), signal_wake_up_state(); kernel/fork.c
/// wait_for_vfork_done().
#pragma once

namespace forkproof::impl::bits {

/// Whether a thread would take a signal that is sent. `busy`: it has signals to look at already.
template <class Truth>
constexpr Truth wants(const Truth& blocked, const Truth& exiting, const Truth& kill,
                      const Truth& stopped, const Truth& busy) {
  return !blocked && !exiting && (kill || (!stopped && !busy));
}

/// Whether a task that is told of a signal runs: one that is stopped, or sleeps until a vfork
/// child lets go, only for a fatal one; a zombie never.
template <class Truth>
constexpr Truth wakes(const Truth& fatal, const Truth& zombie, const Truth& stopped,
                      const Truth& in_vfork) {
  return !zombie && (fatal || (!stopped && !in_vfork));
}

}  // namespace forkproof::impl::bits
