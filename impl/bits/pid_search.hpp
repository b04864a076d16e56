/// How each profile searches for the next number: from where, and from where again when there is
/// none below pid_max.
///
/// `first_free(n)` is the lowest free number from `n` on, whether or not it is below `pid_max`; an
/// answer that is not means that there is no number.
///
/// Sources: lib/idr.c idr_alloc_cyclic(), kernel/pid.c alloc_pid(), and alloc_pidmap() before 4.15.
#pragma once
#include "impl/bits/word.hpp"
#include "spec/words.hpp"

namespace forkproof::impl::bits {

/// No number below `pid_max` was found.
template <class W>
constexpr auto passes(const W& found, const W& pid_max) {
  return !less(found, pid_max);
}

/// linux-6: the lowest number that a search comes back to.
template <class W>
constexpr W idr_floor(const W& cursor) {
  const W reserved = constant(cursor, kReservedPids);
  return ite(less(reserved, cursor), reserved, constant(cursor, 1));
}

template <class W>
constexpr W idr_first(const W& cursor) {
  const W floor = idr_floor(cursor);
  return ite(less(cursor, floor), floor, cursor);
}

template <class W>
constexpr W idr_search(const W& cursor, const W& pid_max, const auto& first_free) {
  const W found = first_free(idr_first(cursor));
  const auto again = passes(found, pid_max) && less(idr_floor(cursor), idr_first(cursor));
  return choose(again, [&] { return first_free(idr_floor(cursor)); }, [&] { return found; });
}

/// linux-4.12.
template <class W>
constexpr W bitmap_first(const W& cursor, const W& pid_max) {
  return ite(less(cursor, pid_max), cursor, constant(cursor, kReservedPids));
}

/// It searches again from 300, but not if the last number given was 300.
template <class W>
constexpr W bitmap_search(const W& cursor, const W& pid_max, const auto& first_free) {
  const W reserved = constant(cursor, kReservedPids);
  const W last = cursor - constant(cursor, 1);
  const W found = first_free(bitmap_first(cursor, pid_max));
  const auto again = passes(found, pid_max) && last != reserved;
  return choose(again, [&] { return first_free(reserved); }, [&] { return found; });
}

}  // namespace forkproof::impl::bits
