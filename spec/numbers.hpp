/// The numbers that are in use, and what for.
///
/// They lie in blocks that are made on first use and kept, so that finding one costs two loads, and
/// a new world, or the next user of a number, finds the memory of the one before it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace forkproof::spec {

/// A table of `Number`s, which are in use until they are `free()`.
template <class Number>
class NumberTable {
 public:
  /// What `n` is used for; nothing when it is free.
  const Number* find(std::int32_t n) const {
    const std::size_t block = static_cast<std::size_t>(n) / kBlock;
    if (n <= 0 || block >= blocks_.size() || blocks_[block].empty()) return nullptr;
    const Number& number = blocks_[block][static_cast<std::size_t>(n) % kBlock].number;
    return number.free() ? nullptr : &number;
  }
  bool contains(std::int32_t n) const { return find(n) != nullptr; }

  /// What `n`, which must be greater than 0, is used for, to be changed.
  Number& operator[](std::int32_t n) {
    const std::size_t block = static_cast<std::size_t>(n) / kBlock;
    if (block >= blocks_.size()) blocks_.resize(block + 1);
    if (blocks_[block].empty()) blocks_[block].resize(kBlock);
    Entry& entry = blocks_[block][static_cast<std::size_t>(n) % kBlock];
    if (!entry.listed) listed_.push_back(n);
    entry.listed = true;
    return entry.number;
  }

  /// Calls `f(n, number)` for each that is in use, in no order that counts.
  void for_each(auto&& f) const {
    for (const std::int32_t n : listed_)
      if (const Number* const number = find(n)) f(n, *number);
  }

  /// Forgets everything, and keeps the memory for what comes. O(numbers used since the last time).
  void clear() {
    for (const std::int32_t n : listed_) {
      Entry& entry =
          blocks_[static_cast<std::size_t>(n) / kBlock][static_cast<std::size_t>(n) % kBlock];
      entry.number.clear();
      entry.listed = false;
    }
    listed_.clear();
  }

 private:
  static constexpr std::size_t kBlock = 256;
  struct Entry {
    Number number;
    bool listed = false;
  };
  std::vector<std::vector<Entry>> blocks_;  // a block is empty until one of its numbers is used
  std::vector<std::int32_t> listed_;        // every number that was used, once
};

}  // namespace forkproof::spec
