/// Rings: circular doubly linked lists threaded through records of an arena.
///
/// For every record i on a ring: next(prev(i)) == i == prev(next(i)). The owner holds the first
/// record; the last is the one before it. All operations but walks are O(1).
///
/// Sources: Knuth, TAOCP 1, 2.2.5; Linux include/linux/list.h.
#pragma once
#include "impl/arena.hpp"

namespace forkproof::impl {

/// A place on a ring of kind `Kind`. A record joins by deriving from its links, so rings of
/// different kinds cannot be mixed.
template <class Kind>
struct Link {
  Index prev = kNobody;
  Index next = kNobody;
  friend bool operator==(const Link&, const Link&) = default;
};

template <class Kind>
struct Ring {
  Index first = kNobody;
  friend bool operator==(const Ring&, const Ring&) = default;

  bool empty() const { return first == kNobody; }
  /// Whether it has more than one record.
  bool several(const auto& arena) const { return !empty() && link(arena, first).next != first; }
  Index last(const auto& arena) const { return empty() ? kNobody : link(arena, first).prev; }
  /// The record after `i`, or nobody after the last.
  Index after(const auto& arena, Index i) const {
    const Index next = link(arena, i).next;
    return next == first ? kNobody : next;
  }
  Index before(const auto& arena, Index i) const {
    return i == first ? kNobody : link(arena, i).prev;
  }
  /// The record after `i`, going round.
  static Index around(const auto& arena, Index i) { return link(arena, i).next; }

  void push_back(auto& arena, Index i) {
    if (empty()) {
      link(arena, i) = {i, i};
      first = i;
    } else {
      tie_before(arena, first, i);
    }
  }
  /// Puts `i` right after `at`, a member; at the front when `at` is nobody.
  void insert_after(auto& arena, Index at, Index i) {
    if (at == kNobody) {
      push_back(arena, i);
      first = i;
    } else {
      tie_before(arena, link(arena, at).next, i);
    }
  }
  void remove(auto& arena, Index i) {
    Link<Kind>& l = link(arena, i);
    if (first == i) first = l.next == i ? kNobody : l.next;
    link(arena, l.prev).next = l.next;
    link(arena, l.next).prev = l.prev;
    l = {};
  }
  /// Moves all of `from` behind the last record.
  void splice_back(auto& arena, Ring& from) {
    if (from.empty()) return;
    if (empty()) {
      first = from.first;
    } else {
      const Index tail = last(arena);
      const Index head = from.first;
      const Index end = from.last(arena);
      link(arena, tail).next = head;
      link(arena, head).prev = tail;
      link(arena, end).next = first;
      link(arena, first).prev = end;
    }
    from.first = kNobody;
  }

  /// The neighbours of `i` know it.
  static bool sound_at(const auto& arena, Index i) {
    const Link<Kind>& l = link(arena, i);
    if (l.prev == kNobody || l.next == kNobody) return false;
    return link(arena, l.prev).next == i && link(arena, l.next).prev == i;
  }
  bool sound(const auto& arena) const {
    for (Index i = first; i != kNobody; i = after(arena, i))
      if (!sound_at(arena, i)) return false;
    return true;
  }

 private:
  static Link<Kind>& link(auto& arena, Index i) { return arena[i]; }
  static const Link<Kind>& link(const auto& arena, Index i) { return arena[i]; }

  static void tie_before(auto& arena, Index at, Index i) {
    const Index prev = link(arena, at).prev;
    link(arena, i) = {prev, at};
    link(arena, prev).next = i;
    link(arena, at).prev = i;
  }
};

/// Whether a record is on a ring of this kind.
template <class Kind>
bool linked(const Link<Kind>& l) {
  return l.next != kNobody;
}

}  // namespace forkproof::impl
