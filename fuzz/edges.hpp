/// The edges of the code that an input ran through, in a build with the coverage that libFuzzer
/// uses; in others there are none. For programs without libFuzzer.
#pragma once
#include <cstdint>
#include <functional>

namespace forkproof::fuzz {

void clear_edges();
std::uint64_t hash_of_edges();
/// Calls `f(whether it was run through)` for each edge.
void for_each_edge(const std::function<void(bool)>& f);

}  // namespace forkproof::fuzz
