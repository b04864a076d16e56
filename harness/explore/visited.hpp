/// A set of worlds that were seen, by fingerprint: open addressing, at most 16 bytes a world.
///
/// Of a fingerprint of 128 bits 96 are kept, so that among n worlds two are taken for one with a
/// probability of about n squared / 2^97.
#pragma once
#include <cstdint>
#include <vector>

namespace forkproof::harness {

struct Fingerprint {
  std::uint64_t low = 0, high = 0;
};

class Visited {
 public:
  Visited() : keys_(kLeast, 0), tags_(kLeast, 0) {}

  /// Whether it is new. O(1), and now and then O(n) for more room.
  bool insert(Fingerprint f) {
    if ((size_ + 1) * 16 > keys_.size() * kFullest) grow();
    const std::uint64_t key = f.low == 0 ? 1 : f.low;  // 0 is an empty place
    if (!put(key, static_cast<std::uint32_t>(f.high))) return false;
    ++size_;
    return true;
  }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return keys_.size() * (sizeof(std::uint64_t) + sizeof(tags_[0])); }

 private:
  static constexpr std::size_t kLeast = 16;
  static constexpr std::size_t kFullest = 14;  // sixteenths; just after growing, 12 are full

  bool put(std::uint64_t key, std::uint32_t tag) {
    std::size_t at = place(key);
    while (keys_[at] != 0) {
      if (keys_[at] == key && tags_[at] == tag) return false;
      if (++at == keys_.size()) at = 0;
    }
    keys_[at] = key;
    tags_[at] = tag;
    return true;
  }

  /// The places are a fraction of the range of keys, so that any number of them will do.
  std::size_t place(std::uint64_t key) const {
    __extension__ using Wide = unsigned __int128;
    return static_cast<std::size_t>(Wide{key} * keys_.size() >> 64);
  }

  void grow() {
    std::vector<std::uint64_t> keys(keys_.size() + keys_.size() / 6, 0);
    std::vector<std::uint32_t> tags(keys.size(), 0);
    keys.swap(keys_);
    tags.swap(tags_);
    for (std::size_t i = 0; i < keys.size(); ++i)
      if (keys[i] != 0) put(keys[i], tags[i]);
  }

  std::vector<std::uint64_t> keys_;
  std::vector<std::uint32_t> tags_;
  std::size_t size_ = 0;
};

}  // namespace forkproof::harness
