/// Pid namespaces below the world's own: the numbers in them, and who adopts there.
///
/// The number that the world has for a task is what everything else goes by. A namespace translates
/// it to its own and back, each in two loads. Tasks of the world's own namespace pay nothing: their
/// processes have no index here.
///
/// Sources: include/linux/pid_namespace.h; kernel/pid.c struct upid.
#pragma once
#include "impl/arena.hpp"
#include "impl/pid_bitmap.hpp"
#include "spec/words.hpp"

namespace forkproof::impl {

/// Numbers by number, most of them 0. Blocks are made when something in them is first set, and
/// kept.
class SparseNumbers {
 public:
  std::uint32_t find(std::uint64_t at) const {
    const std::uint64_t block = at / kBlock;
    if (block >= blocks_.size() || blocks_[block] == 0) return 0;
    return entries_[(blocks_[block] - 1) * kBlock + at % kBlock];
  }
  void set(std::uint64_t at, std::uint32_t value) {
    const std::uint64_t block = at / kBlock;
    if (block >= blocks_.size() || blocks_[block] == 0) {
      if (value == 0) return;
      make_block(block);
    }
    entries_[(blocks_[block] - 1) * kBlock + at % kBlock] = value;
  }
  /// Calls `f(at, value)` for each that is not 0, ascending.
  void for_each(auto&& f) const {
    for (std::size_t block = 0; block < blocks_.size(); ++block)
      for (std::size_t i = 0; blocks_[block] != 0 && i < kBlock; ++i)
        if (const std::uint32_t value = entries_[(blocks_[block] - 1) * kBlock + i]; value != 0)
          f(block * kBlock + i, value);
  }
  void clear() {
    blocks_.clear();
    entries_.clear();
  }
  friend bool operator==(const SparseNumbers& a, const SparseNumbers& b) {
    bool same = true;
    a.for_each([&](std::uint64_t at, std::uint32_t v) { same = same && b.find(at) == v; });
    b.for_each([&](std::uint64_t at, std::uint32_t v) { same = same && a.find(at) == v; });
    return same;
  }

 private:
  static constexpr std::uint64_t kBlock = 64;
  [[gnu::cold]] void make_block(std::uint64_t block) {
    if (block >= blocks_.size()) blocks_.resize(block + 1);
    entries_.resize(entries_.size() + kBlock);
    blocks_[block] = static_cast<std::uint32_t>(entries_.size() / kBlock);
  }

  std::vector<std::uint32_t> blocks_;  // one more than the block's place in entries_, or 0
  std::vector<std::uint32_t> entries_;
};

struct Namespace {
  Index parent = kNobody;  // nobody: the world's own
  Index reaper = kNobody;  // the thread of its init that adopts
  std::int32_t level = 1;
  std::int32_t cursor = 1;
  std::int32_t pid_max = kPidMaxLimit;
  std::uint32_t count = 0;  // numbers in use
  std::uint32_t users = 0;  // tasks of elsewhere whose children will be in it, namespaces in it,
                            // and pidfds of who is or was in it
  bool accepts = true;      // new tasks: until its init ends
  std::uint8_t reboot = 0;  // the signal that its init dies of by a reboot
  bool began = false;       // it has an init, or had one
  Index owner = kNobody;    // its user namespace
  PidBitmap taken;
  SparseNumbers outside;  // what its numbers are in the world
  SparseNumbers inside;   // what the world's are in it

  friend bool operator==(const Namespace& a, const Namespace& b) {
    return a.parent == b.parent && a.reaper == b.reaper && a.level == b.level &&
           a.cursor == b.cursor && a.pid_max == b.pid_max && a.count == b.count &&
           a.users == b.users && a.reboot == b.reboot && a.accepts == b.accepts &&
           a.owner == b.owner && a.began == b.began && a.outside == b.outside &&
           a.inside == b.inside;
  }
};

}  // namespace forkproof::impl
