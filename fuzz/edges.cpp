/// The counters of edges, which the compiler announces to whoever asks.
#include "fuzz/edges.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "fuzz/target.hpp"

namespace {

std::vector<std::span<char>>& parts() {
  static std::vector<std::span<char>> all;
  return all;
}

}  // namespace

/// Called before `main`, once for each part of the program.
extern "C" void __sanitizer_cov_8bit_counters_init(char* start, char* stop) {
  if (start != stop) parts().emplace_back(start, stop);
}

// What compilers announce besides, which nobody asks for here.
extern "C" [[gnu::weak]] void __sanitizer_cov_pcs_init(const std::uintptr_t*,
                                                       const std::uintptr_t*) {}
extern "C" [[gnu::weak]] void __sanitizer_cov_trace_pc_guard_init(std::uint32_t*, std::uint32_t*) {}
extern "C" [[gnu::weak]] void __sanitizer_cov_trace_pc_guard(std::uint32_t*) {}

namespace forkproof::fuzz {

void clear_edges() {
  for (const std::span<char> part : parts()) std::ranges::fill(part, 0);
}

std::uint64_t hash_of_edges() {
  std::uint64_t h = 0;
  for (const std::span<char> part : parts())
    h = h * 31 + hash_of(std::string_view{part.data(), part.size()});
  return h;
}

void for_each_edge(const std::function<void(bool)>& f) {
  for (const std::span<char> part : parts())
    for (const char counter : part) f(counter != 0);
}

}  // namespace forkproof::fuzz
