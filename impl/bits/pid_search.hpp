/// Where each profile searches for the next number: from where, and from where again when there
/// is none below pid_max.
///
/// `found` is the lowest free number from where the search began, whether or not it is below
/// `pid_max`.
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

/// Whether it searches again, from the floor.
template <class W>
constexpr auto idr_again(const W& found, const W& cursor, const W& pid_max) {
  return passes(found, pid_max) && less(idr_floor(cursor), idr_first(cursor));
}

/// linux-4.12.
template <class W>
constexpr W bitmap_first(const W& cursor, const W& pid_max) {
  return ite(less(cursor, pid_max), cursor, constant(cursor, kReservedPids));
}

/// Whether it searches again, from 300: not if the last number given was 300.
template <class W>
constexpr auto bitmap_again(const W& found, const W& cursor, const W& pid_max) {
  return passes(found, pid_max) && cursor != constant(cursor, kReservedPids + 1);
}

}  // namespace forkproof::impl::bits
