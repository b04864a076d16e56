/// The records of what most processes have as at first: their limits, and what was used.
///
/// A process whose limits are those of a new world has no record of them; a record is shared by
/// processes until one of them changes it. A process for which nothing was counted has no record of
/// usage.
///
/// Sources: include/linux/sched/signal.h signal_struct: rlim, min_flt, cmin_flt, utime,
/// stime, cutime, cstime; kernel/sys.c
/// do_prlimit().
#pragma once
#include <array>
#include <cstdint>

#include "spec/account_ops.hpp"

namespace forkproof::impl {

struct LimitTable {
  std::array<Limits, kResources.size()> of = at_first();
  friend bool operator==(const LimitTable&, const LimitTable&) = default;

  const Limits& operator[](Resource r) const { return of[static_cast<std::size_t>(r)]; }
  Limits& operator[](Resource r) { return of[static_cast<std::size_t>(r)]; }
  static constexpr std::array<Limits, kResources.size()> at_first() {
    std::array<Limits, kResources.size()> all;
    for (std::size_t r = 0; r < all.size(); ++r) all[r] = limits_at_first(static_cast<Resource>(r));
    return all;
  }
};

struct SharedLimits {
  LimitTable value;
  std::uint32_t users = 0;  // processes
  friend bool operator==(const SharedLimits&, const SharedLimits&) = default;
};

/// Batches of page faults: those of all threads that a process ever had, and those of the children
/// that it waited for. And ticks of processor time, in the order of times(2).
struct Usage {
  std::uint64_t own = 0;
  std::uint64_t children = 0;
  std::array<std::uint64_t, kAccounts.size()> ticks{};
  friend bool operator==(const Usage&, const Usage&) = default;
};

}  // namespace forkproof::impl
