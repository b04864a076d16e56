/// An arena: records of one kind in one array, named by a 32-bit index. 0 is nobody.
///
/// Indices, never pointers, tie records together, so a plain copy of the arenas is a copy of the
/// machine. The record freed last is handed out first: its lines are still in the cache. Records
/// that are hot are aligned to whole cache lines and packed back to back, so consecutive records
/// start in different cache sets by themselves. What the colour offsets of a slab would gain beyond
/// that, and what they would cost, is measured in bench/README.md.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string_view>
#include <vector>

namespace forkproof::impl {

using Index = std::uint32_t;
inline constexpr Index kNobody = 0;

/// How an arena is used. Each first use makes the peak one greater, so all others were reuses.
struct ArenaCounts {
  std::size_t bytes = 0;  // of a record
  std::size_t live = 0, peak = 0, room = 0;
  std::uint64_t handed_out = 0;

  std::uint64_t reused() const { return handed_out - peak; }
  /// In how many of 64 cache sets a record can start.
  std::size_t colours() const {
    return bytes % 64 != 0 ? 64 : 64 / std::gcd(std::size_t{64}, bytes / 64);
  }
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
    std::copy_n(other.records_.begin(), other.used_, records_.begin());
    free_ = other.free_;
    handed_out_ = other.handed_out_;
    used_ = other.used_;
    return *this;
  }
  Arena& operator=(Arena&&) noexcept = default;
  ~Arena() = default;

  Record& operator[](Index i) {
    assert(i != kNobody && i < records_.size());
    return records_[i];
  }
  const Record& operator[](Index i) const {
    assert(i != kNobody && i < records_.size());
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
    if (free_.empty()) return static_cast<Index>(used_++);
    const Index i = free_.back();
    free_.pop_back();
    return i;
  }
  void give_back(Index i) {
    assert(i != kNobody && i < used_);
    free_.push_back(i);
  }

  /// Forgets all records, and keeps the room. O(1).
  void clear() {
    used_ = 1;
    handed_out_ = 0;
    free_.clear();
  }

  /// Behind the highest index that was ever handed out.
  Index end() const { return static_cast<Index>(used_); }
  std::size_t taken() const { return used_ - 1 - free_.size(); }

  ArenaCounts counts() const {
    return {.bytes = sizeof(Record), .live = taken(), .peak = used_ - 1,
            .room = records_.size() - 1, .handed_out = handed_out_};
  }

  /// Whether the same records are taken in both, and are equal.
  bool same_as(const Arena& other) const {
    const std::vector<bool> ours = free_list(), theirs = other.free_list();
    const std::size_t end = std::max(used_, other.used_);
    for (std::size_t i = 1; i < end; ++i) {
      const bool taken = i < used_ && !ours[i];
      if (taken != (i < other.used_ && !theirs[i])) return false;
      if (taken && !(records_[i] == other.records_[i])) return false;
    }
    return true;
  }

  bool sound() const {
    if (used_ > records_.size() || free_.size() >= used_) return false;
    if (free_.empty()) return true;
    std::vector<bool> met(used_);
    for (const Index i : free_) {
      if (i == kNobody || i >= used_ || met[i]) return false;
      met[i] = true;
    }
    return true;
  }

 private:
  [[gnu::cold]] void grow() {
    records_.resize(records_.size() * 2);
    free_.reserve(records_.size());
  }
  std::vector<bool> free_list() const {
    std::vector<bool> is_free(used_);
    for (const Index i : free_) is_free[i] = true;
    return is_free;
  }

  std::vector<Record> records_;  // records_[0] is nobody's
  std::vector<Index> free_;
  std::uint64_t handed_out_ = 0;
  std::size_t used_ = 1;  // records from here on were never taken
};

}  // namespace forkproof::impl
