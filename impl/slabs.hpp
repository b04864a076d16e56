/// Records of one kind, in slabs of 32 that lie back to back, coloured where that is of use.
///
/// A record of an odd number of cache lines starts in every set of a cache by itself, and so does
/// one of no whole number. One of an even number would start in every other set only, or in fewer,
/// and what all records have in their first line would crowd there; so each slab of such records
/// starts one line further on than the slab before it would have it. They are called by the lines
/// that they start at, so that the way to a record is no longer for it. What colours gain is
/// measured in bench/README.md.
///
/// Source: Bonwick, The Slab Allocator: An Object-Caching Kernel Memory Allocator (1994), 4.
#pragma once
#include <algorithm>
#include <cassert>
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace forkproof::impl {

inline constexpr std::size_t kCacheLine = 64, kCacheSets = 64;

/// In how many sets of a cache the records can start of which record n does at byte offset(n).
consteval std::size_t colours(auto offset) {
  bool met[kCacheSets] = {};
  for (std::size_t n = 0; n < 64 * kCacheSets; ++n)
    met[offset(n) / kCacheLine % kCacheSets] = true;
  return static_cast<std::size_t>(std::ranges::count(met, true));
}

/// An array whose records are where they fall. Each is called by its place.
template <class Record>
class Slabs {
 public:
  static constexpr std::size_t name_of(std::size_t place) { return place; }
  static constexpr std::size_t place_of(std::size_t name) { return name; }
  static constexpr std::size_t kColours =
      colours([](std::size_t n) { return n * sizeof(Record); });
  static_assert(kColours == kCacheSets, "of an even number of lines: to be aligned, and coloured");

  Record& operator[](std::size_t name) { return records_[name]; }
  const Record& operator[](std::size_t name) const { return records_[name]; }
  std::size_t size() const { return records_.size(); }
  /// Makes it larger. References do not outlive it.
  void resize(std::size_t n) { records_.resize(n); }
  /// Takes over the first n of another. There is room for them.
  void copy_n(const Slabs& other, std::size_t n) {
    std::copy_n(other.records_.begin(), n, records_.begin());
  }

 private:
  std::vector<Record> records_;
};

/// Has a vector of bytes begin where a line does.
template <class Byte>
struct LineAllocator {
  using value_type = Byte;
  static constexpr std::align_val_t kAlignment{kCacheLine};

  LineAllocator() = default;
  template <class Other>
  explicit LineAllocator(const LineAllocator<Other>&) {}
  Byte* allocate(std::size_t n) {
    return static_cast<Byte*>(::operator new(n * sizeof(Byte), kAlignment));
  }
  void deallocate(Byte* at, std::size_t) { ::operator delete(at, kAlignment); }
  friend bool operator==(const LineAllocator&, const LineAllocator&) = default;
};

/// An array with a line unused behind every 32 records, each of which is called by the line that it
/// starts at. The bytes are storage for them, all of them made; they are copied as bytes.
template <class Record>
  requires(alignof(Record) == kCacheLine && sizeof(Record) % (2 * kCacheLine) == 0)
class Slabs<Record> {
  static_assert(std::is_trivially_copyable_v<Record>);
  static constexpr std::size_t kLines = sizeof(Record) / kCacheLine;
  static constexpr std::size_t kSlab = 32;  // records of one colour

 public:
  static constexpr std::size_t name_of(std::size_t place) { return place * kLines + place / kSlab; }
  /// Of no record's name it is that of the record which has the line, or would begin behind it.
  static constexpr std::size_t place_of(std::size_t name) {
    constexpr std::size_t kNames = kSlab * kLines + 1;
    return name / kNames * kSlab + name % kNames / kLines;
  }
  static constexpr std::size_t kColours =
      colours([](std::size_t n) { return name_of(n) * kCacheLine; });
  static_assert(kColours == kCacheSets);

  Record& operator[](std::size_t name) {
    return *std::launder(reinterpret_cast<Record*>(&bytes_[name * kCacheLine]));
  }
  const Record& operator[](std::size_t name) const {
    return *std::launder(reinterpret_cast<const Record*>(&bytes_[name * kCacheLine]));
  }
  std::size_t size() const { return place_of(bytes_.size() / kCacheLine); }
  void resize(std::size_t n) {
    std::size_t made = size();
    assert(n >= made);
    bytes_.resize(name_of(n) * kCacheLine);
    for (; made < n; ++made) std::construct_at(&(*this)[name_of(made)]);
  }
  void copy_n(const Slabs& other, std::size_t n) {
    std::copy_n(other.bytes_.begin(), name_of(n) * kCacheLine, bytes_.begin());
  }

 private:
  std::vector<std::byte, LineAllocator<std::byte>> bytes_;
};

}  // namespace forkproof::impl
