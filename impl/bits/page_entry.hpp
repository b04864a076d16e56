/// The word of a page table that describes one page: four flags and the number of the page's
/// frame, 0 where nothing has been written yet.
#pragma once
#include "impl/bits/word.hpp"

namespace forkproof::impl::bits {

inline constexpr std::uint64_t kMapped = 1;
inline constexpr std::uint64_t kShared = 2;
inline constexpr std::uint64_t kDontFork = 4;
inline constexpr std::uint64_t kWipeOnFork = 8;
inline constexpr std::uint64_t kEntryFlags = 15;
inline constexpr unsigned kFrameShift = 4;

template <class W>
constexpr auto has(const W& entry, std::uint64_t flag) {
  return (entry & constant(entry, flag)) != constant(entry, 0);
}

template <class W>
constexpr W frame_of(const W& entry) {
  return shift_right(entry, kFrameShift);
}

template <class W>
constexpr W with_frame(const W& entry, const W& frame) {
  return (entry & constant(entry, kEntryFlags)) | shift_left(frame, kFrameShift);
}

/// Whether fork must look at the entry, as it may not be shared as it is.
template <class W>
constexpr auto is_advised(const W& entry) {
  return has(entry, kDontFork | kWipeOnFork);
}

/// The entry with an advice about fork, one flag, given or taken back.
template <class W, class Truth>
constexpr W with_advice(const W& entry, std::uint64_t flag, const Truth& given) {
  const W bit = constant(entry, flag);
  return (entry & ~bit) | (mask_if(given, entry) & bit);
}

/// The entry that a forked child gets: none, a page of zeroes, or the same.
template <class W>
constexpr W forked(const W& entry) {
  const W wiped = entry & constant(entry, kEntryFlags);
  const W kept = ite(has(entry, kWipeOnFork), wiped, entry);
  return ite(has(entry, kDontFork), constant(entry, 0), kept);
}

/// Whether a write must first take a frame of its own. `node_users` and `frame_users` count who
/// else would see it: the last owner of a private page keeps the frame.
template <class W>
constexpr auto must_copy(const W& entry, const W& node_users, const W& frame_users) {
  const W zero = constant(entry, 0);
  const W one = constant(entry, 1);
  const W others = (node_users - one) | mask_if(less(one, frame_users), entry);
  const W fresh = mask_if(is_zero(frame_of(entry)), entry);
  const W is_private = mask_if(!has(entry, kShared), entry);
  return ((others | fresh) & is_private) != zero;
}

}  // namespace forkproof::impl::bits
