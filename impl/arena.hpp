/// An arena: records of one kind in one array, named by a 32-bit index. 0 is nobody, and those that
/// follow go up, not always by one (impl/slabs.hpp).
///
/// Indices, never pointers, tie records together, so a plain copy of the arenas is a copy of the
/// machine. The record freed last is handed out first: its lines are still in the cache. Records
/// that are hot are aligned to whole cache lines, and slabs of them are coloured (impl/slabs.hpp).
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>
#include "impl/slabs.hpp"

namespace forkproof::impl {

using Index = std::uint32_t;
inline constexpr Index kNobody = 0;

/// How an arena is used. Each first use makes the peak one greater, so all others were reuses.
struct ArenaCounts {
  std::size_t bytes = 0;    // of a record
  std::size_t colours = 0;  // in how many of kCacheSets cache sets a record can start
  std::size_t live = 0, peak = 0, room = 0;
  std::uint64_t handed_out = 0;

  std::uint64_t reused() const { return handed_out - peak; }
  friend bool operator==(const ArenaCounts&, const ArenaCounts&) = default;
};

/// An arena by the name of the kernel's cache.
struct Slab {
  std::string_view name;
  ArenaCounts counts;
};

template <class Record>
class Arena {
 public:
  Arena() { records_.resize(1); }
  Arena(const Arena& other) : Arena() { *this = other; }
  Arena(Arena&&) noexcept = default;
  /// Copies the records that were ever taken, and keeps the room that there is.
  Arena& operator=(const Arena& other) {
    if (this == &other) return *this;
    if (records_.size() < other.used_) records_.resize(other.records_.size());
    records_.copy_n(other.records_, other.used_);
    free_ = other.free_;
    handed_out_ = other.handed_out_;
    used_ = other.used_;
    return *this;
  }
  Arena& operator=(Arena&&) noexcept = default;
  ~Arena() = default;

  Record& operator[](Index i) {
    assert(is_name(i));
    return records_[i];
  }
  const Record& operator[](Index i) const {
    assert(is_name(i));
    return records_[i];
  }

  /// Makes sure that the next `take` moves no record, so that references outlive it.
  void prepare() {
    if (free_.empty() && used_ == records_.size()) [[unlikely]] grow();
  }

  /// A record in its first state, which knows its index.
  Record& make() {
    static constexpr Record kFirstState{};  // one block copy, not a store for each member
    const Index i = take();
    Record& r = records_[i];
    r = kFirstState;
    r.self = i;
    return r;
  }
  /// A record as its last user left it.
  Index take() {
    prepare();
    ++handed_out_;
    if (free_.empty()) return name_of(used_++);
    const Index i = free_.back();
    free_.pop_back();
    return i;
  }
  void give_back(Index i) {
    assert(is_name(i) && i < end());
    free_.push_back(i);
  }

  /// Forgets all records, and keeps the room. O(1).
  void clear() {
    used_ = 1;
    handed_out_ = 0;
    free_.clear();
  }

  /// Behind the highest index that was ever handed out.
  Index end() const { return name_of(used_); }
  std::size_t taken() const { return used_ - 1 - free_.size(); }

  ArenaCounts counts() const {
    return {.bytes = sizeof(Record), .colours = Slabs<Record>::kColours, .live = taken(),
            .peak = used_ - 1, .room = records_.size() - 1, .handed_out = handed_out_};
  }

  /// Whether the same records are taken in both, and are equal.
  bool same_as(const Arena& other) const {
    const std::vector<bool> ours = free_list(), theirs = other.free_list();
    const std::size_t end = std::max(used_, other.used_);
    for (std::size_t n = 1; n < end; ++n) {
      const bool taken = n < used_ && !ours[n];
      if (taken != (n < other.used_ && !theirs[n])) return false;
      if (taken && !(records_[name_of(n)] == other.records_[name_of(n)])) return false;
    }
    return true;
  }

  bool sound() const {
    if (used_ > records_.size() || free_.size() >= used_) return false;
    if (free_.empty()) return true;
    std::vector<bool> met(used_);
    for (const Index i : free_) {
      if (!is_name(i) || i >= end() || met[place_of(i)]) return false;
      met[place_of(i)] = true;
    }
    return true;
  }

 private:
  static Index name_of(std::size_t place) {
    return static_cast<Index>(Slabs<Record>::name_of(place));
  }
  static std::size_t place_of(Index i) { return Slabs<Record>::place_of(i); }
  /// Whether it can be a record's, taken or not.
  bool is_name(Index i) const {
    return i != kNobody && place_of(i) < records_.size() && name_of(place_of(i)) == i;
  }
  [[gnu::cold]] void grow() {
    records_.resize(records_.size() * 2);
    free_.reserve(records_.size());
  }
  std::vector<bool> free_list() const {
    std::vector<bool> is_free(used_);
    for (const Index i : free_) is_free[place_of(i)] = true;
    return is_free;
  }

  Slabs<Record> records_;  // records_[0] is nobody's
  std::vector<Index> free_;
  std::uint64_t handed_out_ = 0;
  std::size_t used_ = 1;  // records from here on were never taken
};

}  // namespace forkproof::impl
