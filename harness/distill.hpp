/// Small traces that between them use the whole rule book: random ones, each made as small as it
/// can be while it still makes a rule act that no trace before it did or, once all have acted, two
/// rules that were never seen together. For corpora of recordings.
#pragma once
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "spec/rules.hpp"
#include "spec/script.hpp"

namespace forkproof::harness {

using Rules = std::bitset<kRules.size()>;

/// The rules that a script makes act.
Rules rules_of(const Script& script);

/// The least script that the shrinker finds of those that make the rules act. `script` does.
Script least_with(const Script& script, const Rules& wanted);

/// A trace and what it is there for.
struct Distilled {
  Script script;
  std::vector<RuleId> wanted;  // one rule, or two
};

class Distiller {
 public:
  /// The random traces are those of `seed`, `seed + 1` and so on.
  Distiller(std::uint64_t seed, Profile profile) : seed_(seed), profile_(profile) {}

  /// The next one. No two make the same set of rules act. Nothing when `tries` random traces have
  /// nothing new.
  std::optional<Distilled> next(std::size_t tries);

 private:
  std::optional<std::vector<RuleId>> wanted_of(const Rules& rules) const;
  bool is_new(const Rules& rules);

  std::uint64_t seed_;
  Profile profile_;
  std::vector<Rules> seen_;  // of each trace so far
  Rules covered_;            // by any of them
  std::size_t idle_ = 0;     // random traces since the last with a rule that was new
};

}  // namespace forkproof::harness
