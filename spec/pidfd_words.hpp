/// The words of poll and of clone3 beyond their flags.
///
/// Sources: poll(2); clone(2) clone3(), kernel/fork.c copy_clone_args_from_user().
#pragma once
#include <array>

#include "spec/words.hpp"

namespace forkproof {

/// How long poll(2) waits: its timeout is 0, or one below 0.
enum class Timeout : std::uint8_t { zero, infinite };
inline constexpr std::array kTimeouts{Word{"zero", 0}, Word{"infinite", 1}};

}  // namespace forkproof
