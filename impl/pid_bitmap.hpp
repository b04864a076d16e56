/// Which numbers are taken: a bitmap of 64-bit words with a tree of summaries above it, in which a
/// bit says that a whole word below is full.
///
/// Finding the next free number reads at most two words a level, whatever is taken: four levels
/// cover 16 million numbers. Words are made when a number in them is first taken.
///
/// Sources: van Emde Boas trees, cut to a fan-out of 64; Linux lib/find_bit.c.
#pragma once
#include <array>
#include <vector>

#include "impl/bits/pid_word.hpp"

namespace forkproof::impl {

class PidBitmap {
 public:
  bool taken(std::size_t n) const { return (word(0, n / 64) & bit(n)) != 0; }

  void take(std::size_t n) {
    for (std::vector<Word>& level : levels_) {
      const std::size_t w = n / 64;
      if (w >= level.size()) level.resize(w + w / 2 + 1);
      level[w] = bits::with_taken(level[w], bit(n));
      if (!bits::is_full(level[w])) return;
      n = w;
    }
  }

  void give_back(std::size_t n) {
    for (std::vector<Word>& level : levels_) {
      const std::size_t w = n / 64;
      const bool was_full = bits::is_full(level[w]);
      level[w] = bits::with_given_back(level[w], bit(n));
      if (!was_full) return;
      n = w;
    }
  }

  /// The lowest free number at or above `n`.
  std::size_t first_free(std::size_t n) const {
    std::size_t height = 0;
    Word found = bits::next_clear(word(0, n / 64), bit(n));
    while (found == 0) {  // nothing here: look for a word further on that is not full
      n = n / 64 + 1;
      if (++height == kLevels) return kNumbers;
      found = bits::next_clear(word(height, n / 64), bit(n));
    }
    n = (n & ~std::size_t{63}) + place(found);
    while (height > 0) n = n * 64 + place(bits::lowest_clear(word(--height, n)));
    return n;
  }

  /// The lowest taken number at or above `n`, or kNumbers. Walks words: for checks only.
  std::size_t first_taken(std::size_t n) const {
    for (; n / 64 < levels_[0].size(); n = (n / 64 + 1) * 64)
      if (const Word w = word(0, n / 64) & bits::at_or_above(bit(n)); w != 0)
        return n / 64 * 64 + place(w);
    return kNumbers;
  }

  static constexpr std::size_t kLevels = 4;
  static constexpr std::size_t kNumbers = std::size_t{1} << (6 * kLevels);

  /// A summary bit is set where, and only where, the word below is full.
  bool sound() const {
    for (std::size_t height = 0; height + 1 < kLevels; ++height) {
      const std::size_t words = levels_[height].size();
      const std::size_t said = levels_[height + 1].size() * 64;
      for (std::size_t w = 0; w < words || w < said; ++w) {
        const bool says_full = (word(height + 1, w / 64) & bit(w)) != 0;
        if (says_full != bits::is_full(word(height, w))) return false;
      }
    }
    return true;
  }

 private:
  using Word = std::uint64_t;

  static Word bit(std::size_t n) { return Word{1} << (n % 64); }
  static std::size_t place(Word single) {
    return static_cast<std::size_t>(std::countr_zero(single));
  }
  Word word(std::size_t height, std::size_t w) const {
    return w < levels_[height].size() ? levels_[height][w] : 0;
  }

  std::array<std::vector<Word>, kLevels> levels_;
};

}  // namespace forkproof::impl
