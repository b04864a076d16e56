/// The states that an exploration has found: which were seen, by fingerprint, and for each the step
/// that first led to it, from which state. They are in the order in which they were found, so that
/// a level, the states that are as far from the start, is a range.
#pragma once
#include <algorithm>
#include <array>
#include <atomic>
#include <compare>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "harness/explore/visited.hpp"

namespace forkproof::harness {

/// How a state was reached: the step with this index among those of its parent, by a pick.
struct Node {
  std::uint32_t parent = 0;
  std::uint16_t step = 0;
  std::uint8_t pick = 0;
  friend auto operator<=>(const Node&, const Node&) = default;
};

Fingerprint fingerprint(std::span<const std::uint64_t> row);

/// What was seen, for many threads.
class SharedVisited {
 public:
  /// Whether it is new.
  bool insert(Fingerprint f) {
    Shard& shard = shards_[f.high >> 58];
    const std::lock_guard guard(shard.mutex);
    return shard.visited.insert(f);
  }
  std::uint64_t size() {
    return sum([](const Visited& v) { return v.size(); });
  }
  std::uint64_t bytes() {
    return sum([](const Visited& v) { return v.bytes(); });
  }

 private:
  struct Shard {
    std::mutex mutex;
    Visited visited;
  };
  std::uint64_t sum(auto of) {
    std::uint64_t sum = 0;
    for (Shard& shard : shards_) {
      const std::lock_guard guard(shard.mutex);
      sum += of(shard.visited);
    }
    return sum;
  }

  std::array<Shard, 64> shards_;
};

class Levels {
 public:
  void begin(Fingerprint start) {
    nodes_.assign(1, {});
    is_new(start);
    first_ = next_ = 0;
    last_ = 1;
  }

  /// The nodes of the level that nobody has taken yet, a few at a time. For many threads.
  std::pair<std::uint32_t, std::uint32_t> take_some() {
    constexpr std::uint32_t kSome = 64;
    const std::uint32_t from = std::min(next_.fetch_add(kSome), last_);
    return {from, std::min(from + kSome, last_)};
  }
  /// Whether a state is new; it is not any more. For many threads.
  bool is_new(Fingerprint f) { return visited_.insert(f); }

  /// States of the next level. For one thread, as what follows.
  void add(std::span<const Node> nodes) { nodes_.insert(nodes_.end(), nodes.begin(), nodes.end()); }
  /// Goes on to the next level. Answers its size.
  std::size_t next() {
    first_ = last_;
    next_ = first_;
    last_ = static_cast<std::uint32_t>(nodes_.size());
    return size();
  }
  std::size_t size() const { return last_ - first_; }
  bool empty() const { return size() == 0; }

  const Node& node(std::uint32_t n) const { return nodes_[n]; }
  /// The nodes from the start to one, both included.
  std::vector<std::uint32_t> way_to(std::uint32_t n) const {
    std::vector<std::uint32_t> way{n};
    while (n != 0) way.push_back(n = nodes_[n].parent);
    std::ranges::reverse(way);
    return way;
  }

  std::uint64_t states() { return visited_.size(); }
  std::uint64_t visited_bytes() { return visited_.bytes(); }
  std::uint64_t path_bytes() const { return nodes_.capacity() * sizeof(Node); }

 private:
  std::vector<Node> nodes_;
  std::uint32_t first_ = 0, last_ = 0;
  std::atomic<std::uint32_t> next_ = 0;
  SharedVisited visited_;
};

}  // namespace forkproof::harness
