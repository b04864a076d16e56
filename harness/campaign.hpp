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

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Told how it goes after every trace, and before the first. It ends the run by answering false.
using Watch = std::function<bool(const Results&)>;

struct Campaign {
  std::uint64_t seed = 0;             // trace k has the seed `seed + k`
  std::span<const Profile> profiles;  // which the traces take in turn
  std::optional<std::chrono::nanoseconds> time;
  std::optional<std::uint64_t> traces;
  bool uniform = false;  // ops are drawn without a look at the model: in one process, not shrunk
};

/// Random traces until the first violation, which is then made as small as it can be, or until a
/// bound is reached. Adds one case to the results.
void run_campaign(Checker& checker, const Campaign& campaign, Results& results, const Watch& watch);

/// Opens a system anew, for a process that works on it.
using Opener = std::function<std::unique_ptr<Checker>()>;

/// The same by `jobs` processes, the n-th on the n-th processor that there is: trace k is run by
/// process k modulo `jobs`. Of several violations the one of the first trace is reported. How many
/// traces had been run by then depends on how fast each process is. A process that dies of what it
/// does is a run without a verdict.
void run_campaign(const Opener& open, std::size_t jobs, const Campaign& campaign, Results& results,
                  const Watch& watch);

/// The dialect of trace `k`.
Profile profile_of(const Campaign& campaign, std::uint64_t k);

/// The case of a campaign that has not found anything yet.
Case case_of(const Campaign& campaign, const std::string& system);

/// Makes the violation of trace `k` as small as it can be (harness/least.hpp), and says how to see
/// it again.
void explain(Checker& checker, const Campaign& campaign, std::uint64_t k, Violation violation,
             const std::string& system, Case& c);

/// Runs the traces of files. Adds one case a file.
void replay(Checker& checker, std::span<const std::string> files, Results& results,
            const Watch& watch);

}  // namespace forkproof::harness
