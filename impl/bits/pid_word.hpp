/// One word of the pid bitmap: which of 64 numbers are taken, or, a level up, which of 64 words
/// are full.
#pragma once
#include "impl/bits/word.hpp"

namespace forkproof::impl::bits {

template <class W>
constexpr auto is_full(const W& w) {
  return is_zero(~w);
}

/// All bits at or above the single bit `from`.
template <class W>
constexpr W at_or_above(const W& from) {
  return ~(from - constant(from, 1));
}

/// The lowest clear bit at or above the single bit `from`, alone; zero when there is none.
template <class W>
constexpr W next_clear(const W& w, const W& from) {
  return lowest_set(~w & at_or_above(from));
}

template <class W>
constexpr W with_taken(const W& w, const W& bit) {
  return w | bit;
}

template <class W>
constexpr W with_given_back(const W& w, const W& bit) {
  return w & ~bit;
}

}  // namespace forkproof::impl::bits
