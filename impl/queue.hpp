/// The entries of pending signals, in the order in which they were sent: one list for each thread,
/// and one for each process.
///
/// The lists are rings in one arena. Where a list ends is found by the owner's index in a sparse
/// table, so that a task or a process without queued signals has nothing of this.
///
/// Sources: include/linux/signal_types.h struct sigqueue; kernel/signal.c collect_signal(),
/// flush_sigqueue_mask().
#pragma once
#include <array>
#include <cstdint>

#include "impl/arena.hpp"
#include "impl/namespaces.hpp"
#include "spec/words.hpp"

namespace forkproof::impl {

/// How a signal is sent: its entry may be refused, or the signal with it.
enum class Origin : std::uint8_t { usual, forced, tkill, child };

struct Sigqueue {
  Index next = kNobody;  // the one sent after it; of the last the first
  Index user_ns = kNobody;
  std::uint8_t signal = 0;
  User user = User::root;
  friend bool operator==(const Sigqueue&, const Sigqueue&) = default;
};

class SignalQueues {
 public:
  static std::uint64_t of_task(Index task) { return std::uint64_t{task} * 2; }
  static std::uint64_t of_process(Index process) { return std::uint64_t{process} * 2 + 1; }

  void push(std::uint64_t list, Sigqueue entry);
  /// Takes out the entries that `which(entry)` wants, the first first.
  void take(std::uint64_t list, auto&& which) {
    const Index last = lasts_.find(list);
    Index before = last;
    for (bool more = last != kNobody; more;) {
      const Index i = entries_[before].next;
      more = i != last;
      if (!which(entries_[i])) {
        before = i;
        continue;
      }
      if (before == i)
        lasts_.set(list, kNobody);
      else if (i == last)
        lasts_.set(list, before);
      entries_[before].next = entries_[i].next;
      entries_.give_back(i);
    }
  }
  /// Calls `f(entry)` for each, the first first.
  void for_each(std::uint64_t list, auto&& f) const {
    const Index last = lasts_.find(list);
    if (last == kNobody) return;
    for (Index i = entries_[last].next;; i = entries_[i].next) {
      f(entries_[i]);
      if (i == last) return;
    }
  }
  void clear() {
    if (entries_.end() > 1) lasts_.clear();
    entries_.clear();
  }
  ArenaCounts counts() const { return entries_.counts(); }
  bool same_as(const SignalQueues& other) const {
    return entries_.same_as(other.entries_) && lasts_ == other.lasts_;
  }
  bool sound(std::size_t entries) const { return entries == entries_.taken() && entries_.sound(); }

 private:
  Arena<Sigqueue> entries_;
  SparseNumbers lasts_;  // the last entry of each list
};

}  // namespace forkproof::impl
