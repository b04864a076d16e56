/// How the benchmarks measure, and the one way in which they print: a line a figure, its columns
/// separated by tabs, in the order of the table that bench/run makes of them.
#pragma once
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace forkproof::bench {

/// Seconds since it was made.
class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

/// Seconds that this process has computed since it was made. For work that neither waits nor has
/// help that is the time it takes, and what else the machine does disturbs it less.
class ProcessorWatch {
 public:
  double seconds() const { return now() - start_; }

 private:
  static double now() {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
  }
  double start_ = now();
};

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

/// The median of what `measure` answers.
inline double median_of(int repetitions, auto&& measure) {
  std::vector<double> values;
  for (int i = 0; i < repetitions; ++i) values.push_back(measure());
  return median(std::move(values));
}

/// One line of the table. What has no peer or no bar leaves it out.
struct Figure {
  std::string_view what;
  std::string_view unit;
  double ours = 0;
  double peer = 0;
  double ratio = 0;  // as `bar` reads it
  std::string_view bar = "-";
  bool met = true;
};

inline void print(const Figure& f) {
  const auto number = [](double value) {
    return value == 0 ? std::string("-") : fmt::format("{:.{}f}", value, value < 10 ? 2 : 0);
  };
  fmt::print("{}\t{}\t{}\t{}\t{}\t{}\t{}\n", f.what, f.unit, number(f.ours), number(f.peer),
             number(f.ratio), f.bar, f.bar == "-" ? "-" : f.met ? "yes" : "NO");
  std::fflush(stdout);
}

/// The measurement means nothing: what was measured is wrong.
[[noreturn]] inline void give_up(std::string_view why) {
  fmt::print(stderr, "not measured: {}\n", why);
  std::exit(3);
}

/// The one option that all benchmarks have: less of everything, for a first look.
inline bool is_quick(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc, [](std::string_view a) { return a == "--quick"; });
}

}  // namespace forkproof::bench
