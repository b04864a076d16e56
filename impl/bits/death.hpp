/// What a parent is told of a death, and whether it will wait.
///
/// Sources: kernel/signal.c do_notify_parent().
#pragma once
#include "impl/bits/word.hpp"
#include "spec/words.hpp"

namespace forkproof::impl::bits {

/// The signal that a death means: a parent that has exec'd since knows of SIGCHLD only.
template <class W, class Truth>
constexpr W death_signal(const W& exit_signal, const Truth& parent_execed) {
  return ite(parent_execed, constant(exit_signal, sig::chld.n), exit_signal);
}

/// Whether nobody will wait, as the parent ignores SIGCHLD or said SA_NOCLDWAIT.
template <class W, class Truth>
constexpr auto unwanted(const W& signal, const Truth& ignored, const Truth& no_wait) {
  return signal == constant(signal, sig::chld.n) && (ignored || no_wait);
}

/// What is sent: an ignored SIGCHLD is not, and no number that is no signal.
template <class W, class Truth>
constexpr auto is_sent(const W& signal, const Truth& ignored) {
  const auto is_signal = less(signal - constant(signal, 1), constant(signal, kSignalMax));
  return is_signal && !(signal == constant(signal, sig::chld.n) && ignored);
}

}  // namespace forkproof::impl::bits
