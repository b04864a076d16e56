/// A word of N bits, N up to 64: the templates of impl/bits/ run on it as on machine words, so that
/// they can be tried on every word there is.
#pragma once
#include <bit>
#include <cstdint>

namespace forkproof::props {

template <unsigned N>
struct Narrow {
  static constexpr std::uint64_t kMask = N == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << N) - 1;

  std::uint64_t bits = 0;

  constexpr Narrow() = default;
  explicit constexpr Narrow(std::uint64_t from) : bits(from & kMask) {}

  friend constexpr Narrow operator~(Narrow a) { return Narrow{~a.bits}; }
  friend constexpr Narrow operator&(Narrow a, Narrow b) { return Narrow{a.bits & b.bits}; }
  friend constexpr Narrow operator|(Narrow a, Narrow b) { return Narrow{a.bits | b.bits}; }
  friend constexpr Narrow operator^(Narrow a, Narrow b) { return Narrow{a.bits ^ b.bits}; }
  friend constexpr Narrow operator+(Narrow a, Narrow b) { return Narrow{a.bits + b.bits}; }
  friend constexpr Narrow operator-(Narrow a, Narrow b) { return Narrow{a.bits - b.bits}; }
  friend constexpr bool operator==(Narrow, Narrow) = default;

  friend constexpr Narrow constant(Narrow, std::uint64_t k) { return Narrow{k}; }
  friend constexpr Narrow shift_left(Narrow a, unsigned by) { return Narrow{a.bits << by}; }
  friend constexpr Narrow shift_right(Narrow a, unsigned by) { return Narrow{a.bits >> by}; }
  friend constexpr Narrow bit_at(Narrow place) { return Narrow{std::uint64_t{1} << place.bits}; }
  friend constexpr Narrow place_of(Narrow single) {
    return Narrow{static_cast<std::uint64_t>(std::countr_zero(single.bits))};
  }
  friend constexpr Narrow ite(bool when, Narrow a, Narrow b) { return when ? a : b; }
  friend constexpr bool less(Narrow a, Narrow b) { return a.bits < b.bits; }
};

}  // namespace forkproof::props
