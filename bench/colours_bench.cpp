/// What the colours of slabs gain: misses of a simulated cache by walks over the tasks of an arena,
/// beside those over the same tasks back to back.
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "bench/figure.hpp"
#include "impl/arena.hpp"
#include "impl/task.hpp"

namespace {

using namespace forkproof;
using impl::kCacheLine, impl::kCacheSets, impl::Task;

/// 64 sets of 8 lines, of which each set gives up the one that was used least recently.
class Cache {
 public:
  void touch(const void* address) {
    const std::uint64_t line = std::bit_cast<std::uintptr_t>(address) / kCacheLine;
    auto& set = sets_[line % kCacheSets];
    const auto at = std::ranges::find(set, line);
    const bool hit = at != set.end();
    if (!hit) ++misses_;
    std::shift_right(set.begin(), hit ? at + 1 : set.end(), 1);
    set[0] = line;
  }
  std::uint64_t misses() const { return misses_; }

 private:
  std::array<std::array<std::uint64_t, 8>, kCacheSets> sets_{};
  std::uint64_t misses_ = 0;
};

constexpr int kWalks = 200;

/// Misses a walk, over the first line of each task or over both.
double misses(const std::vector<const Task*>& tasks, bool both) {
  Cache cache;
  for (int walk = 0; walk < kWalks; ++walk)
    for (const Task* task : tasks) {
      const auto* first = reinterpret_cast<const std::byte*>(task);
      cache.touch(first);
      if (both) cache.touch(first + kCacheLine);
    }
  return static_cast<double>(cache.misses()) / kWalks;
}

void measure(std::size_t count) {
  impl::Arena<Task> arena;
  const std::vector<Task> plain(count);
  std::vector<impl::Index> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(arena.make().self);
  std::vector<const Task*> coloured, back_to_back;
  for (std::size_t i = 0; i < count; ++i) {
    coloured.push_back(&arena[names[i]]);
    back_to_back.push_back(&plain[i]);
  }
  for (const bool both : {false, true}) {
    const double ours = misses(coloured, both), peer = misses(back_to_back, both);
    bench::print({.what = fmt::format("{} of {} tasks, misses a walk : back to back",
                                      both ? "both lines" : "first line", count),
                  .unit = "misses", .ours = ours, .peer = peer, .ratio = peer / ours});
  }
}

}  // namespace

int main() {
  for (const std::size_t count : {256, 384, 512}) measure(count);
}
