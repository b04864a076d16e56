/// Who takes a signal.
///
/// Sources: kernel/signal.c wants_signal().
#pragma once

namespace forkproof::impl::bits {

/// Whether a thread would take a signal that is sent. `busy`: it has signals to look at already.
template <class Truth>
constexpr Truth wants(const Truth& blocked, const Truth& exiting, const Truth& kill,
                      const Truth& stopped, const Truth& busy) {
  return !blocked && !exiting && (kill || (!stopped && !busy));
}

}  // namespace forkproof::impl::bits
