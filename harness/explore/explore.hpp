/// The engine `explore`: every trace up to a bound. From the initial world every step of a small
/// domain (harness/explore/domain.hpp) is taken in every state, breadth first, so that the first
/// violation has the shortest trace. States that cannot be told apart (spec/canonical.hpp) are
/// visited once.
///
/// Cost: about 2 us a transition and processor in lockstep; 16 bytes a state for the set of the
/// visited, and 8 to find the way back to it.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/coverage.hpp"
#include "harness/explore/domain.hpp"
#include "harness/violation.hpp"
#include "impl/steps.hpp"

namespace forkproof::harness {

/// When to stop, and how to go about it.
struct ExploreLimits {
  std::size_t depth = SIZE_MAX;  // steps
  std::optional<std::chrono::milliseconds> time;
  std::uint64_t memory = std::uint64_t{4} << 30;  // bytes, of what grows with the states
  std::size_t jobs = 1;                           // threads
  bool symmetry = false;   // worlds that differ in numbers and exec counts alone are one
  bool witnesses = false;  // keep a trace for each rule with each outcome of a step it acted in
  bool families = false;   // count the families (harness/explore/family.hpp), too
  bool faults = false;  // make everything fail that can, in every state
  bool merge_families = false;  // ... and take the worlds of a family for one
};

/// How many failures were asked for in each step of copy_process and elsewhere, and how many calls
/// were left out as a signal comes before them.
struct FaultCounts {
  std::array<std::uint64_t, impl::kStepsThatFail> steps{};
  std::uint64_t interrupted = 0;

  void add(const FaultCounts& other) {
    for (std::size_t i = 0; i < steps.size(); ++i) steps[i] += other.steps[i];
    interrupted += other.interrupted;
  }
};

/// The shortest trace to a rule with an outcome.
struct Witness {
  RuleId rule;
  std::string outcome;
  Script script;
};

/// What the id of a violation begins with that is of a failed step, which no trace alone shows.
inline constexpr std::string_view kStepOfCopy = "copy_process.", kStepOfExec = "exec-step.",
                                  kStepElsewhere = "no-room.";
constexpr bool is_of_failed_step(std::string_view id) {
  return id.starts_with(kStepOfCopy) || id.starts_with(kStepOfExec) ||
         id.starts_with(kStepElsewhere);
}

struct Exploration {
  std::uint64_t states = 0, transitions = 0;
  std::uint64_t families = 0;         // where they are counted
  std::vector<std::uint64_t> levels;  // how many states are first reached by so many steps
  std::size_t depth = 0;              // all traces of so many steps were tried
  bool fixpoint = false;              // ... and more steps lead nowhere new
  std::string stopped;                // by what, before the bounds were reached; else empty
  std::uint64_t visited_bytes = 0, path_bytes = 0;
  double collision = 0;  // the probability that two states were taken for one
  double seconds = 0;
  Coverage coverage;
  std::optional<Violation> violation;
  std::vector<Witness> witnesses;
  FaultCounts faults;
};

/// Asked now and then, by the caller's thread; false ends the exploration.
using ExploreWatch = std::function<bool(const Exploration& so_far)>;

/// Explores a system in lockstep, or the spec alone with all its choices where `system` is `spec`.
/// Nothing where there is no system of that name that can be copied: impl, canary and spec can.
std::optional<Exploration> explore(std::string_view system, const Bounds& bounds,
                                   const ExploreLimits& limits, const ExploreWatch& watch);

}  // namespace forkproof::harness
