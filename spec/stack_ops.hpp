/// What uses a task's kernel stack up. Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

/// What a call takes of its task's kernel stack, and each further call of a function within it, in
/// bytes.
inline constexpr std::uint32_t kCallFrame = 1024, kRecursionFrame = 512;

struct Recurse {
  static constexpr auto name = "recurse";
  static constexpr auto says =
      "Has a function of the kernel call itself so often, which takes 512 bytes of the caller's "
      "kernel stack each time, beside the 1024 of the call.";
  static constexpr auto source = "drivers/misc/lkdtm/bugs.c lkdtm_EXHAUST_STACK()";
  std::uint32_t depth = 1;
  static constexpr std::tuple args{Arg{"depth", &Recurse::depth}};
  static_assert(kCallFrame == 1024 && kRecursionFrame == 512, "it says so above");
  friend bool operator==(const Recurse&, const Recurse&) = default;
};

}  // namespace forkproof
