/// A fuzz target: a statement about every byte string. A file fuzz_NAME.cpp defines the one target
/// of its programs: the fuzzer (entry.cpp) and the test that replays its corpus (replay.cpp).
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/finding.hpp"

namespace forkproof::fuzz {

using Bytes = std::span<const std::uint8_t>;
using Buffer = std::vector<std::uint8_t>;

class Target {
 public:
  virtual ~Target() = default;

  /// Whether the statement holds of this input. Feeds the guide.
  virtual bool holds(Bytes input) = 0;
  /// What is wrong with one of which it does not. Takes as long as making it small takes.
  virtual Finding explain(Bytes input) = 0;

  /// Whether its inputs are traces as bytes, so that any trace is one of them.
  virtual bool takes_traces() const { return false; }
  /// Of the files of its corpus. Those that `forkproof replay` runs are called .bytes.
  virtual std::string_view extension() const = 0;
  /// The input as it is kept: one that does the same.
  virtual Buffer canonical(Bytes input) const { return {input.begin(), input.end()}; }
  /// Another input made of one, or of two; empty where the target leaves that to the fuzzer.
  virtual Buffer mutate(Bytes, std::uint32_t /*seed*/) { return {}; }
  virtual Buffer cross(Bytes, Bytes, std::uint32_t /*seed*/) { return {}; }

  /// How many inputs were run, and how many ops they had. None where there are no ops.
  struct Done {
    std::uint64_t inputs = 0, ops = 0;
  };
  virtual Done done() const { return {}; }
};

/// The target of this program.
Target& target();
extern const std::string_view kTargetName;

/// For a target that has no trace to show.
Finding plain_finding(std::string_view what, Bytes input, std::string_view extension);

}  // namespace forkproof::fuzz
