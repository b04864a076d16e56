/// The wait status: how a change of a child is written into one word, and read back.
///
/// Sources: wait(2) WIFEXITED and its kin; kernel/exit.c.
#pragma once
#include "impl/bits/word.hpp"

namespace forkproof::impl::bits {

template <class W>
constexpr W exited_status(const W& code) {
  return shift_left(code & constant(code, 0xff), 8);
}

template <class W>
constexpr W killed_status(const W& signal) {
  return signal & constant(signal, 0x7f);
}

template <class W>
constexpr W stopped_status(const W& signal) {
  return shift_left(signal & constant(signal, 0xff), 8) | constant(signal, 0x7f);
}

template <class W>
constexpr W continued_status(const W& like) {
  return constant(like, 0xffff);
}

template <class W>
constexpr W term_signal(const W& status) {
  return status & constant(status, 0x7f);
}

/// The low byte of an exit's argument, or the signal of a stop.
template <class W>
constexpr W upper_byte(const W& status) {
  return shift_right(status, 8) & constant(status, 0xff);
}

template <class W>
constexpr auto is_exited(const W& status) {
  return is_zero(term_signal(status));
}

template <class W>
constexpr auto is_stopped(const W& status) {
  return (status & constant(status, 0xff)) == constant(status, 0x7f);
}

template <class W>
constexpr auto is_continued(const W& status) {
  return status == continued_status(status);
}

/// The low seven bits are a signal: neither none nor the mark of a stop.
template <class W>
constexpr auto is_killed(const W& status) {
  return less(term_signal(status) - constant(status, 1), constant(status, 0x7e));
}

}  // namespace forkproof::impl::bits
