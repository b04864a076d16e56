/// Where things are found: a page in its node, a number in its block.
#pragma once
#include "impl/bits/word.hpp"
#include "spec/words.hpp"

namespace forkproof::impl::bits {

inline constexpr unsigned kNodeShift = 6;    // a node has 64 pages
inline constexpr unsigned kBlockShift = 10;  // a block of the pid map has 1024 numbers

template <class W>
constexpr W node_of(const W& page) {
  return shift_right(page, kNodeShift);
}

template <class W>
constexpr W slot_of(const W& page) {
  return page & constant(page, (std::uint64_t{1} << kNodeShift) - 1);
}

template <class W>
constexpr W page_at(const W& node, const W& slot) {
  return shift_left(node, kNodeShift) | slot;
}

/// Whether a range of pages is not empty, and ends within the address space.
template <class W>
constexpr auto range_fits(const W& page, const W& pages) {
  const W all = constant(page, kPages);
  return !is_zero(pages) && !less(all, pages) && !less(all - pages, page);
}

template <class W>
constexpr W block_of(const W& number) {
  return shift_right(number, kBlockShift);
}

/// Where the entry of a number is; `kept_at` is one more than the place of its block.
template <class W>
constexpr W entry_at(const W& number, const W& kept_at) {
  const W in_block = number & constant(number, (std::uint64_t{1} << kBlockShift) - 1);
  return shift_left(kept_at - constant(number, 1), kBlockShift) | in_block;
}

}  // namespace forkproof::impl::bits
