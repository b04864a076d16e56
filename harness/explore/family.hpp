/// What of a world the independent models of bench/peers/ know, as a row of words: the family tree
/// with the order of siblings and what each process is about. bench/peers/README.md has it in full.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "spec/world.hpp"

namespace forkproof::harness {

/// Writes rows. One writer is good for many worlds, and keeps its memory.
class Family {
 public:
  /// Whether the numbers count, with the cursor, and not only which are the same.
  explicit Family(bool numbers) : numbers_(numbers) {}

  /// The row of a world. Good until the next call. O(tasks squared).
  std::span<const std::uint64_t> write(const spec::World& world);

 private:
  void list(const spec::World& world, spec::TaskId leader, std::uint64_t parent);
  void write_process(const spec::World& world, spec::TaskId leader);
  std::uint64_t place_of(spec::TaskId id) const;

  bool numbers_;
  std::vector<std::uint64_t> row_, parents_;
  std::vector<spec::TaskId> leaders_;  // children after their parent, the oldest first
};

}  // namespace forkproof::harness
