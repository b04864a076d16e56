/// The engines `random` and `replay`: many traces on one system.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "harness/checker.hpp"
#include "harness/results.hpp"

namespace forkproof::harness {

using Clock = std::chrono::steady_clock;

/// Told how it goes after every trace, and before the first. It ends the run by answering false.
using Watch = std::function<bool(const Results&)>;

struct Campaign {
  std::uint64_t seed = 0;             // trace k has the seed `seed + k`
  std::span<const Profile> profiles;  // which the traces take in turn
  std::optional<std::chrono::nanoseconds> time;
  std::optional<std::uint64_t> traces;
};

/// Random traces until the first violation, which is then made as small as it can be, or until a
/// bound is reached. Adds one case to the results.
void run_campaign(Checker& checker, const Campaign& campaign, Results& results, const Watch& watch);

/// Runs the traces of files. Adds one case a file.
void replay(Checker& checker, std::span<const std::string> files, Results& results,
            const Watch& watch);

}  // namespace forkproof::harness
