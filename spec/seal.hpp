/// Seals: how a copy of a world knows what it need not copy again.
#pragma once
#include <atomic>
#include <cstdint>

namespace forkproof::spec {

/// Says that things that were copied are still as they were then. A copy has the seal of what it is
/// a copy of; who might change a thing breaks its seal. No two seals are the same.
class Seal {
 public:
  Seal() = default;
  /// Seals a thing that was not.
  Seal(const Seal& other) { *this = other; }
  Seal& operator=(const Seal& other) {
    std::uint64_t of_other = other.value_.load(std::memory_order_relaxed);
    if (of_other == kBroken) other.value_.store(of_other = fresh(), std::memory_order_relaxed);
    value_.store(of_other, std::memory_order_relaxed);
    return *this;
  }
  ~Seal() = default;

  void break_it() { value_.store(kBroken, std::memory_order_relaxed); }
  /// Whether it is whole, and that of `other`.
  bool is(const Seal& other) const {
    const std::uint64_t value = value_.load(std::memory_order_relaxed);
    return value != kBroken && value == other.value_.load(std::memory_order_relaxed);
  }

 private:
  static constexpr std::uint64_t kBroken = 0;
  /// Each thread takes many at once, so that threads seldom meet.
  static std::uint64_t fresh() {
    constexpr std::uint64_t kMany = 1 << 16;
    static std::atomic<std::uint64_t> taken{0};
    thread_local std::uint64_t next = 0;
    if (next % kMany == 0) next = taken.fetch_add(kMany, std::memory_order_relaxed);
    return ++next;
  }

  mutable std::atomic<std::uint64_t> value_{kBroken};  // many may copy a thing at a time
};

}  // namespace forkproof::spec
