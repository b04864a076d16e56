/// The few operations that the bit logic asks of a word, for machine words.
///
/// Everything in bits/ is a template over the word type `W` and has no `if` on a word, so the same
/// text runs on `std::uint64_t` and is proved on symbolic bit-vectors. A symbolic type brings the
/// operators ~ & | ^ + - == != and overloads of the functions below, found by its namespace; what
/// its comparisons answer has && || and !.
#pragma once
#include <bit>
#include <concepts>
#include <cstdint>

namespace forkproof::impl::bits {

/// The constant `k`, as wide as `like`.
template <std::unsigned_integral W>
constexpr W constant(W, std::uint64_t k) {
  return static_cast<W>(k);
}

template <std::unsigned_integral W>
constexpr W shift_left(W w, unsigned by) {
  return static_cast<W>(w << by);
}

template <std::unsigned_integral W>
constexpr W shift_right(W w, unsigned by) {
  return static_cast<W>(w >> by);
}

/// The bit at `place`, which is less than the width, alone.
template <std::unsigned_integral W>
constexpr W bit_at(W place) {
  return static_cast<W>(W{1} << place);
}

/// The place of a bit that is alone.
template <std::unsigned_integral W>
constexpr W place_of(W single) {
  return static_cast<W>(std::countr_zero(single));
}

/// `a` where `when` holds, else `b`.
template <std::unsigned_integral W>
constexpr W ite(bool when, W a, W b) {
  return when ? a : b;
}

/// What one of two makes: both are asked only by a symbolic type.
template <class Then, class Else>
constexpr auto choose(bool when, const Then& then, const Else& otherwise) {
  return when ? then() : otherwise();
}

template <std::unsigned_integral W>
constexpr bool less(W a, W b) {
  return a < b;
}

template <class W>
constexpr auto is_zero(const W& w) {
  return w == constant(w, 0);
}

/// All ones when `when` holds, else zero.
template <class Truth, class W>
constexpr W mask_if(const Truth& when, const W& like) {
  return ite(when, ~constant(like, 0), constant(like, 0));
}

/// The lowest set bit alone; zero when there is none.
template <class W>
constexpr W lowest_set(const W& w) {
  return w & (~w + constant(w, 1));
}

/// The lowest clear bit alone, as a set one; zero when all are set.
template <class W>
constexpr W lowest_clear(const W& w) {
  return ~w & (w + constant(w, 1));
}

}  // namespace forkproof::impl::bits
