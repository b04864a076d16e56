/// The edges of the code that an input ran through, in a build with the coverage that libFuzzer
/// uses; in others there are none. For programs without libFuzzer.
#pragma once
#include <cstddef>
#include <cstdint>

namespace forkproof::fuzz {

void clear_edges();
std::uint64_t hash_of_edges();
std::size_t edge_count();

}  // namespace forkproof::fuzz
