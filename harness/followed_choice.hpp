/// The spec's choices in a lockstep: what Linux prefers, unless what was seen can only be explained
/// by something else.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "spec/model.hpp"

namespace forkproof::harness {

/// Takes the picks that it is told, then the first candidate, and remembers what there was to pick.
class FollowedChoice final : public spec::Chooser {
 public:
  using Picks = std::vector<std::uint8_t>;

  void follow(std::span<const std::uint8_t> picks) {
    picks_.assign(picks.begin(), picks.end());
    told_ = picks.size();
    candidates_.clear();
  }

  std::size_t pick(RuleId, std::span<const Pid> candidates) override {
    const std::size_t i = candidates_.size();
    candidates_.push_back(static_cast<std::uint8_t>(std::min<std::size_t>(candidates.size(), 255)));
    if (i >= told_) picks_.push_back(0);
    if (picks_[i] >= candidates_[i]) picks_[i] = 0;
    return picks_[i];
  }

  const Picks& picks() const { return picks_; }
  /// How many of them have been taken: fewer than there are until all that was told is used up.
  std::size_t taken() const { return candidates_.size(); }

  /// The next way to pick, in lexical order; empty after the last. What follows a changed pick is
  /// open again, as it may lead to other choices.
  Picks next() const {
    Picks next = picks_;
    while (!next.empty() && next.back() + 1 >= candidates_[next.size() - 1]) next.pop_back();
    if (!next.empty()) ++next.back();
    return next;
  }

 private:
  Picks picks_;
  std::size_t told_ = 0;
  std::vector<std::uint8_t> candidates_;  // how many there were, for each pick
};

}  // namespace forkproof::harness
