/// What the engines found, for reports of every kind.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "harness/coverage.hpp"
#include "harness/violation.hpp"

namespace forkproof::harness {

/// One thing that was checked: a file that was replayed, or a whole campaign.
struct Case {
  std::string engine, system, name;
  double seconds = 0;
  double found_after = 0;  // seconds, until the violation was seen, which was then made small
  std::optional<Violation> violation;
  std::string error;      // why it could not be run, empty if it could
  std::string skipped;    // why it was left out, empty if it was not
  std::string reproduce;  // the command that shows the violation again
  std::string minimize;   // ... and that makes its trace as small as it gets, where it is not yet
};

/// The combinations of clone's flags, exit signals and callers that were tried.
struct MatrixTally {
  std::uint64_t tried = 0;
  std::uint64_t made = 0, refused = 0;  // a task was made, the call was refused
  std::uint64_t disagree = 0;           // with the spec, in any step of the trace

  friend constexpr MatrixTally operator+(const MatrixTally& a, const MatrixTally& b) {
    return {a.tried + b.tried, a.made + b.made, a.refused + b.refused, a.disagree + b.disagree};
  }
};

/// How many traces were left out, for each reason.
using LeftOut = std::map<std::string, std::uint64_t>;

/// What was explored, in all profiles together.
struct ExploreTally {
  std::uint64_t states = 0, transitions = 0;
  std::size_t depth = SIZE_MAX;  // all traces of so many steps were tried
  std::string stopped;           // by what, before the bounds were reached; else empty

  void add(const ExploreTally& other);
};

struct Results {
  std::string engine, system, profile;
  std::optional<std::uint64_t> seed;
  std::uint64_t traces = 0, ops = 0;
  double seconds = 0;
  std::vector<Case> cases;
  std::vector<std::string> left_out;  // systems that cannot be had here, each with the reason
  std::optional<MatrixTally> matrix;  // where that engine ran
  std::optional<ExploreTally> explored;  // where that engine ran
  std::uint64_t proved = 0;   // obligations about the bit logic, where that engine ran
  LeftOut beyond;             // random traces and combinations that need what the system has not
  std::string abilities;      // what can be varied and seen, where that is not all
  Coverage coverage;

  std::size_t violations() const;
  std::size_t errors() const;
  /// All traces that were left out, those beyond the system included.
  LeftOut why_skipped() const;
  std::uint64_t skipped() const;
};

/// All results in one: those of several systems.
Results merged(std::vector<Results> parts);

/// The object that `--json` prints, with its newline: docs/command-line.md.
std::string to_json(const Results& results);

/// The same as a JUnit report: one suite an engine, one test case a case.
std::string to_junit(const Results& results);

}  // namespace forkproof::harness
