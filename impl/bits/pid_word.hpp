/// One word of the pid bitmap: which of 64 numbers are taken, or, a level up, which of 64 words
/// are full; and the steps from one level to the next.
///
/// On each level things are numbered from 0: numbers on the lowest, words of the level below on
/// the others. 64 of them are in one word.
#pragma once
#include "impl/bits/word.hpp"

namespace forkproof::impl::bits {

/// The word that thing `n` of a level is in.
template <class W>
constexpr W word_of(const W& n) {
  return shift_right(n, 6);
}

/// Its bit there, alone.
template <class W>
constexpr W bit_of(const W& n) {
  return bit_at(n & constant(n, 63));
}

/// The thing that has the bit `single` in word `word`.
template <class W>
constexpr W thing_at(const W& word, const W& single) {
  return shift_left(word, 6) | place_of(single);
}

template <class W>
constexpr auto has_bit(const W& word, const W& bit) {
  return (word & bit) != constant(word, 0);
}

template <class W>
constexpr auto is_full(const W& word) {
  return is_zero(~word);
}

/// All bits at or above the single bit `from`.
template <class W>
constexpr W at_or_above(const W& from) {
  return ~(from - constant(from, 1));
}

/// The lowest clear bit at or above the single bit `from`, alone; zero when there is none.
template <class W>
constexpr W next_clear(const W& word, const W& from) {
  return lowest_set(~word & at_or_above(from));
}

/// What becomes of a word, and whether its bit a level up then changes too.
template <class W, class Truth>
struct Change {
  W word;
  Truth rises;
};

template <class W>
constexpr auto take_in(const W& word, const W& bit) {
  const W now = word | bit;
  return Change{now, is_full(now)};
}

template <class W>
constexpr auto give_back_in(const W& word, const W& bit) {
  return Change{word & ~bit, is_full(word)};
}

/// Where a search that found nothing at or above `n` in its word goes on, a level up.
template <class W>
constexpr W search_above(const W& n) {
  return word_of(n) + constant(n, 1);
}

/// Where a search that came upon word `n` goes on in it, a level down: at its first clear bit.
template <class W>
constexpr W search_below(const W& n, const W& word) {
  return thing_at(n, lowest_clear(word));
}

/// The least thing of a level, at or above `n`, whose bit is clear, or `none`: `word_at` reads a
/// word of the level, and `above` answers the same of the level above.
template <class W>
constexpr W first_on_level(const W& n, const W& none, const auto& word_at, const auto& above) {
  const W found = next_clear(word_at(word_of(n)), bit_of(n));
  const auto further_on = [&] {
    const W word = above(search_above(n));
    return choose(
        word == none, [&] { return none; }, [&] { return search_below(word, word_at(word)); });
  };
  return choose(is_zero(found), further_on, [&] { return thing_at(word_of(n), found); });
}

/// A number is in use as long as it stands for anything: a task, a group, or sessions.
template <class W>
constexpr auto in_use(const W& task, const W& group, const W& sessions) {
  return (task | group | sessions) != constant(task, 0);
}

}  // namespace forkproof::impl::bits
