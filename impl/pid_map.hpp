/// What each number stands for: a task, a process group, a session, or several of them at once.
///
/// A number is free again when it stands for nothing. Its generation then moves on, so that a
/// blocked wait that remembers the number is not fooled by the next user of it. Entries live in
/// blocks that are made on first use, so that a high number costs one block; a lookup is two loads.
#pragma once
#include <algorithm>

#include "impl/arena.hpp"
#include "impl/bits/page_index.hpp"
#include "impl/bits/pid_word.hpp"
#include "spec/words.hpp"

namespace forkproof::impl {

/// One number and its users. Generations start at 1: 0 matches none.
struct Number {
  Index task = kNobody;
  Index group = kNobody;
  std::uint32_t sessions = 0;  // processes that have the number as their session
  std::uint32_t generation = 1;

  friend bool operator==(const Number&, const Number&) = default;
  bool in_use() const { return bits::in_use(task, group, sessions); }
};

class PidMap {
 public:
  /// The entry of `n`, which was given out some time.
  Number& operator[](std::int32_t n) { return entries_[place(n)]; }

  /// The entry of `n`, which may be given out for the first time.
  Number& make(std::int32_t n) {
    const std::uint64_t block = bits::block_of(static_cast<std::uint64_t>(n));
    if (block >= blocks_.size() || blocks_[block] == 0) [[unlikely]] make_block(block);
    return (*this)[n];
  }

  /// The entry of any number at all; an unused one for those that were never given out.
  const Number& find(std::int32_t n) const {
    static constexpr Number kUnused{.generation = 0};
    const std::uint64_t block = bits::block_of(static_cast<std::uint64_t>(n));
    if (n <= 0 || block >= blocks_.size() || blocks_[block] == 0) return kUnused;
    return entries_[place(n)];
  }

  /// Whether every number stands for the same in both.
  bool same_as(const PidMap& other) const {
    const auto end = static_cast<std::int32_t>(std::max(blocks_.size(), other.blocks_.size())
                                               << bits::kBlockShift);
    const auto entry = [](const PidMap& map, std::int32_t n) {
      const Number& number = map.find(n);
      return number.generation == 0 ? Number{} : number;
    };
    for (std::int32_t n = 1; n < end; ++n)
      if (!(entry(*this, n) == entry(other, n))) return false;
    return true;
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{1} << bits::kBlockShift;

  [[gnu::cold]] void make_block(std::uint64_t block) {
    if (block >= blocks_.size()) blocks_.resize(block + 1);
    entries_.resize(entries_.size() + kBlock);
    blocks_[block] = static_cast<Index>(entries_.size() / kBlock);
  }
  std::uint64_t place(std::int32_t n) const {
    const auto at = static_cast<std::uint64_t>(n);
    return bits::entry_at(at, std::uint64_t{blocks_[bits::block_of(at)]});
  }

  std::vector<Index> blocks_;  // one more than the block's place in entries_, or 0
  std::vector<Number> entries_;
};

}  // namespace forkproof::impl
