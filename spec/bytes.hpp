/// Scripts as bytes, for fuzzers: every byte string is a script, and every well-formed script is a
/// byte string. Comments are the one thing that the bytes lose.
///
/// An op is a byte for itself (modulo the number of ops), one for its actor (modulo the tasks that
/// were made before it), and mostly one for each argument: what is common has a byte of its own,
/// and kEscape stands before what has none. The top of the first byte's range says more of the step
/// before: a name, an outcome, a call that returns, an expectation. What is missing at the end is
/// zeroes. The first byte of all is the world.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "spec/script.hpp"

namespace forkproof {

/// Loses nothing of a well-formed script but its comments.
std::vector<std::uint8_t> encode(const Script& script);

/// Takes time linear in the bytes. Steps beyond kStepsMax are left out.
Script decode(std::span<const std::uint8_t> bytes);

}  // namespace forkproof
