/// The numbers that are in use, and what for: what a std::unordered_map from numbers would be.
///
/// The entries lie in blocks that are made on first use and kept, so that finding one costs two
/// loads, and a new world, or the next user of a number, finds the memory of the one before it.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

#include "spec/seal.hpp"

namespace forkproof::spec {

/// Makes a thing as good as new. The lists that it `keeps` are emptied, but hold on to their
/// memory.
template <class Thing>
void renew(Thing& thing) {
  std::apply(
      [&](auto... list) {
        std::tuple kept{std::move(thing.*list)...};
        thing = Thing{};
        std::apply([&](auto&... empty) { ((empty.clear(), thing.*list = std::move(empty)), ...); },
                   kept);
      },
      Thing::keeps());
}

template <class Number>
class NumberTable {
 public:
  NumberTable() = default;
  NumberTable(const NumberTable& other) { *this = other; }
  NumberTable(NumberTable&&) noexcept = default;
  /// Copies what differs. O(the numbers in use). Keeps the memory of the blocks.
  NumberTable& operator=(const NumberTable& other) {
    if (this == &other) return *this;
    if (in_use_ != other.in_use_) use_same(other);
    for (const std::int32_t n : in_use_) {
      Entry& to = entry_of(n);
      const Entry& from = other.entry_of(n);
      if (to.seal.is(from.seal)) continue;
      to.number = from.number;
      to.seal = from.seal;
    }
    return *this;
  }
  NumberTable& operator=(NumberTable&&) noexcept = default;
  ~NumberTable() = default;

  /// Whether neither has changed since one of them was copied from the other.
  bool is_sealed_as(const NumberTable& other) const {
    return in_use_ == other.in_use_ && std::ranges::all_of(in_use_, [&](std::int32_t n) {
             return entry_of(n).seal.is(other.entry_of(n).seal);
           });
  }

  /// What `n` is used for; nothing when it is free.
  const Number* find(std::int32_t n) const {
    const std::size_t block = static_cast<std::size_t>(n) / kBlock;
    if (n <= 0 || block >= blocks_.size() || blocks_[block].empty()) return nullptr;
    const Entry& entry = entry_of(n);
    return entry.place == kFree ? nullptr : &entry.number;
  }
  bool contains(std::int32_t n) const { return find(n) != nullptr; }

  /// What `n`, which must be greater than 0, is used for, to be changed. From now on it is in use.
  Number& operator[](std::int32_t n) {
    make_room(n);
    Entry& entry = entry_of(n);
    if (entry.place == kFree) {
      entry.place = static_cast<std::uint32_t>(in_use_.size());
      in_use_.push_back(n);
    }
    entry.seal.break_it();
    return entry.number;
  }

  /// Frees `n`, which must be in use.
  void erase(std::int32_t n) {
    Entry& entry = entry_of(n);
    in_use_[entry.place] = in_use_.back();
    entry_of(in_use_.back()).place = entry.place;
    in_use_.pop_back();
    release(entry);
  }

  /// Calls `f(n, number)` for each that is in use, in no order that counts.
  void for_each(auto&& f) const {
    for (const std::int32_t n : in_use_) f(n, entry_of(n).number);
  }

  /// Frees all. O(those in use).
  void clear() {
    while (!in_use_.empty()) erase(in_use_.back());
  }

 private:
  static constexpr std::size_t kBlock = 16;
  static constexpr std::uint32_t kFree = UINT32_MAX;
  struct Entry {
    Seal seal;
    Number number;
    std::uint32_t place = kFree;  // in `in_use_`
  };
  void release(Entry& entry) {
    renew(entry.number);
    entry.seal.break_it();
    entry.place = kFree;
  }
  /// Frees what is not used in `other`, and has the others in use in the same order.
  void use_same(const NumberTable& other) {
    for (const std::int32_t n : in_use_)
      if (!other.contains(n)) release(entry_of(n));
    in_use_ = other.in_use_;
    for (const std::int32_t n : in_use_) {
      make_room(n);
      entry_of(n).place = other.entry_of(n).place;
    }
  }
  void make_room(std::int32_t n) {
    const std::size_t block = static_cast<std::size_t>(n) / kBlock;
    if (block >= blocks_.size()) blocks_.resize(block + 1);
    if (blocks_[block].empty()) blocks_[block].resize(kBlock);
  }
  Entry& entry_of(std::int32_t n) {
    const auto at = static_cast<std::size_t>(n);
    return blocks_[at / kBlock][at % kBlock];
  }
  const Entry& entry_of(std::int32_t n) const {
    return const_cast<NumberTable*>(this)->entry_of(n);
  }

  std::vector<std::vector<Entry>> blocks_;  // a block is empty until one of its numbers is used
  std::vector<std::int32_t> in_use_;
};

}  // namespace forkproof::spec
