/// Which numbers are taken: a bitmap of 64-bit words with a tree of summaries above it, in which a
/// bit says that a whole word below is full.
///
/// Finding the next free number reads at most two words a level, whatever is taken: four levels
/// cover 16 million numbers. Words are made when a number in them is first taken.
///
/// Sources: van Emde Boas trees, cut to a fan-out of 64; Linux lib/find_bit.c.
#pragma once
#include <algorithm>
#include <array>
#include <vector>

#include "impl/bits/pid_word.hpp"

namespace forkproof::impl {

class PidBitmap {
 public:
  using Word = std::uint64_t;

  bool taken(Word n) const { return bits::has_bit(word(0, bits::word_of(n)), bits::bit_of(n)); }

  void take(Word n) {
    for (std::vector<Word>& level : levels_) {
      const Word w = bits::word_of(n);
      if (w >= level.size()) [[unlikely]] widen(level, w);
      const auto change = bits::take_in(level[w], bits::bit_of(n));
      level[w] = change.word;
      if (!change.rises) return;
      n = w;
    }
  }

  void give_back(Word n) {
    for (std::vector<Word>& level : levels_) {
      const Word w = bits::word_of(n);
      const auto change = bits::give_back_in(level[w], bits::bit_of(n));
      level[w] = change.word;
      if (!change.rises) return;
      n = w;
    }
  }

  /// The lowest free number at or above `n`, which it mostly is itself, or kNumbers.
  Word first_free(Word n) const { return !taken(n) ? n : first_clear<0>(n); }

  /// The lowest taken number at or above `n`, or kNumbers. Walks words: for checks only.
  Word first_taken(Word n) const {
    for (; n / 64 < levels_[0].size(); n = (n / 64 + 1) * 64)
      if (const Word left = word(0, n / 64) >> n % 64; left != 0)
        return n + static_cast<Word>(std::countr_zero(left));
    return kNumbers;
  }

  bool same_as(const PidBitmap& other) const {
    for (std::size_t height = 0; height < kLevels; ++height) {
      const std::size_t words = std::max(levels_[height].size(), other.levels_[height].size());
      for (std::size_t w = 0; w < words; ++w)
        if (word(height, w) != other.word(height, w)) return false;
    }
    return true;
  }

  static constexpr std::size_t kLevels = 4;
  static constexpr Word kNumbers = Word{1} << (6 * kLevels);

  /// A summary bit is set where, and only where, the word below is full.
  bool sound() const {
    for (std::size_t height = 0; height + 1 < kLevels; ++height) {
      const std::size_t words = levels_[height].size();
      const std::size_t said = levels_[height + 1].size() * 64;
      for (std::size_t w = 0; w < words || w < said; ++w) {
        const bool says_full = (word(height + 1, w / 64) >> w % 64 & 1) != 0;
        if (says_full != bits::is_full(word(height, w))) return false;
      }
    }
    return true;
  }

 private:
  [[gnu::cold]] static void widen(std::vector<Word>& level, Word w) {
    level.resize(w + w / 2 + 1);
  }
  Word word(std::size_t height, Word w) const {
    return w < levels_[height].size() ? levels_[height][w] : 0;
  }
  /// The next thing of a level that is clear, looking a level up where its word has none.
  template <std::size_t kHeight>
  Word first_clear(Word n) const {
    if constexpr (kHeight == kLevels)
      return kNumbers;
    else
      return bits::first_on_level(
          n, kNumbers, [&](Word w) { return word(kHeight, w); },
          [&](Word w) { return first_clear<kHeight + 1>(w); });
  }

  std::array<std::vector<Word>, kLevels> levels_;
};

}  // namespace forkproof::impl
