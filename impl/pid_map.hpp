/// What each number stands for: a task, a process group, a session, or several of them at once.
///
/// A number is free again when it stands for nothing. Its generation then moves on, so that a
/// blocked wait that remembers the number is not fooled by the next user of it. Entries live in
/// blocks that are made on first use; a lookup is two loads.
#pragma once
#include <algorithm>
#include <array>

#include "impl/arena.hpp"
#include "spec/words.hpp"

namespace forkproof::impl {

/// One number and its users. Generations start at 1: 0 matches none.
struct Number {
  Index task = kNobody;
  Index group = kNobody;
  std::uint32_t sessions = 0;  // processes that have the number as their session
  std::uint32_t generation = 1;

  bool in_use() const { return task != kNobody || group != kNobody || sessions != 0; }
};

class PidMap {
 public:
  /// The entry of `n`, which must be a number that can be given out.
  Number& operator[](std::int32_t n) {
    assert(n >= 0 && n <= kPidMaxLimit);
    const std::size_t at = static_cast<std::size_t>(n) / kBlock;
    if (at >= blocks_of_.size()) blocks_of_.resize(at + 1);
    if (blocks_of_[at] == 0) {
      blocks_.emplace_back();
      blocks_of_[at] = static_cast<Index>(blocks_.size());
    }
    return blocks_[blocks_of_[at] - 1][static_cast<std::size_t>(n) % kBlock];
  }
  /// The entry of any number at all; an unused one for those that were never given out.
  const Number& find(std::int32_t n) const {
    static constexpr Number kUnused{.generation = 0};
    const std::size_t at = static_cast<std::size_t>(std::max(n, 0)) / kBlock;
    if (n <= 0 || at >= blocks_of_.size() || blocks_of_[at] == 0) return kUnused;
    return blocks_[blocks_of_[at] - 1][static_cast<std::size_t>(n) % kBlock];
  }

 private:
  static constexpr std::size_t kBlock = 1024;

  std::vector<Index> blocks_of_;  // one more than the place in blocks_, or 0
  std::vector<std::array<Number, kBlock>> blocks_;
};

}  // namespace forkproof::impl
