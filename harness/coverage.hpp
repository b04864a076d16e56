/// What a campaign has seen: which rules acted, and which of the `sometimes` were witnessed.
#pragma once
#include <bitset>
#include <string_view>
#include <vector>

#include "spec/rules.hpp"
#include "spec/sometimes.hpp"

namespace forkproof::harness {

struct Coverage {
  std::bitset<kRules.size()> rules;
  std::bitset<spec::kSometimes> witnessed;

  void add(const Coverage& other) {
    rules |= other.rules;
    witnessed |= other.witnessed;
  }

  /// The ids of the rules that never acted.
  std::vector<std::string_view> uncovered() const {
    std::vector<std::string_view> ids;
    for (std::size_t i = 0; i < kRules.size(); ++i)
      if (!rules[i]) ids.push_back(kRules[i].id);
    return ids;
  }

  /// The ids of the `sometimes` that no state satisfied.
  std::vector<std::string_view> missing() const {
    std::vector<std::string_view> ids;
    spec::for_each_sometimes([&]<class S>(std::size_t i) {
      if (!witnessed[i]) ids.push_back(S::id);
    });
    return ids;
  }
};

}  // namespace forkproof::harness
