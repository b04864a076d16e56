/// Things of one kind, which have ids, and of which copies are cheap where little has changed.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "spec/seal.hpp"

namespace forkproof::spec {

/// The name of a thing inside a world, of no meaning outside. `none()` names nothing.
template <class Thing>
struct Id {
  std::uint32_t n = UINT32_MAX;
  static constexpr Id none() { return {}; }
  constexpr explicit operator bool() const { return n != UINT32_MAX; }
  friend constexpr bool operator==(Id, Id) = default;
};

/// The things of one kind, found by id. Ids of things that are gone are used again. References stay
/// good while others come and go; a copy has things of its own. A reference through which a thing
/// is changed must not be older than the last copy of the pool.
template <class Thing>
class Pool {
 public:
  Pool() = default;
  Pool(const Pool& other) { *this = other; }
  Pool(Pool&&) noexcept = default;
  /// Copies what differs. Keeps the memory of the things that there were. What is not taken is not
  /// looked at.
  Pool& operator=(const Pool& other) {
    if (this == &other) return *this;
    free_ = other.free_;
    while (slots_.size() > other.slots_.size()) slots_.pop_back();
    while (slots_.size() < other.slots_.size()) slots_.push_back(std::make_unique<Slot>());
    auto source = other.slots_.begin();
    for (const auto& slot : slots_) {
      Slot& to = *slot;
      const Slot& from = **source++;
      to.taken = from.taken;
      if (!from.taken || to.seal.is(from.seal)) continue;
      to.thing = from.thing;
      to.seal = from.seal;
    }
    return *this;
  }
  Pool& operator=(Pool&&) noexcept = default;
  ~Pool() = default;

  Id<Thing> make() {
    if (free_.empty()) {
      slots_.push_back(std::make_unique<Slot>());
      return {static_cast<std::uint32_t>(slots_.size() - 1)};
    }
    const Id<Thing> id = free_.back();
    free_.pop_back();
    Slot& slot = *slots_[id.n];
    renew(slot.thing);
    slot.seal.break_it();
    slot.taken = true;
    return id;
  }
  void drop(Id<Thing> id) {
    slots_[id.n]->taken = false;
    free_.push_back(id);
  }
  /// Whether neither has changed since one of them was copied from the other.
  bool is_sealed_as(const Pool& other) const {
    const auto same = [](const auto& a, const auto& b) {
      return a->taken == b->taken && (!a->taken || a->seal.is(b->seal));
    };
    return std::ranges::equal(slots_, other.slots_, same);
  }
  bool has(Id<Thing> id) const { return id.n < slots_.size() && slots_[id.n]->taken; }
  Thing& operator[](Id<Thing> id) {
    Slot& slot = *slots_[id.n];
    slot.seal.break_it();
    return slot.thing;
  }
  const Thing& operator[](Id<Thing> id) const { return slots_[id.n]->thing; }
  std::size_t capacity() const { return slots_.size(); }
  std::size_t size() const { return slots_.size() - free_.size(); }
  void for_each(auto&& f) const {
    for (std::uint32_t n = 0; n < slots_.size(); ++n)
      if (slots_[n]->taken) f(Id<Thing>{n}, slots_[n]->thing);
  }
  /// Forgets everything, and keeps the memory for what comes.
  void clear() {
    free_.clear();
    for (std::size_t n = slots_.size(); n-- > 0;) {
      slots_[n]->taken = false;
      free_.push_back({static_cast<std::uint32_t>(n)});
    }
  }

 private:
  struct Slot {
    Seal seal;
    bool taken = true;
    Thing thing;
  };
  std::vector<std::unique_ptr<Slot>> slots_;
  std::vector<Id<Thing>> free_;
};

}  // namespace forkproof::spec
