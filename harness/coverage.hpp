/// What a campaign has seen: which rules acted, which of the `sometimes` were witnessed, and which
/// invariants were put to the test.
#pragma once
#include <bitset>
#include <string_view>
#include <vector>

#include "spec/invariants.hpp"
#include "spec/rules.hpp"
#include "spec/sometimes.hpp"

namespace forkproof::harness {

struct Coverage {
  std::bitset<kRules.size()> rules;
  std::bitset<spec::kSometimes> witnessed;
  std::bitset<spec::kInvariants> tested;  // those about a task first, then those about the world

  void add(const Coverage& other) {
    rules |= other.rules;
    witnessed |= other.witnessed;
    tested |= other.tested;
  }

  /// Notes which of the `sometimes` hold of a task.
  void witness(const spec::World& world, spec::TaskId task) {
    if (witnessed.all()) return;
    spec::for_each_sometimes([&]<class S>(std::size_t i) {
      if (!witnessed[i] && S::holds(world, task)) witnessed.set(i);
    });
  }

  /// Notes which invariants apply to a task, all of which are checked of it.
  void test(const spec::World& world, spec::TaskId task) {
    if (tested.all()) return;
    std::size_t i = 0;
    spec::for_each_invariant([&]<class I>() {
      if (!tested[i] && I::applies(world, task)) tested.set(i);
      ++i;
    });
  }
  /// ... and of those about all tasks together, which apply to the world.
  void test(const spec::World& world) {
    std::size_t i = kOfTasks;
    spec::for_each_world_invariant([&]<class I>() {
      if (!tested[i] && I::applies(world)) tested.set(i);
      ++i;
    });
  }

  /// The ids of the rules that never acted, and of those that did.
  std::vector<std::string_view> uncovered() const { return ids_of(~rules); }
  std::vector<std::string_view> covered() const { return ids_of(rules); }

  /// The ids of the `sometimes` that no state satisfied.
  std::vector<std::string_view> missing() const {
    std::vector<std::string_view> ids;
    spec::for_each_sometimes([&]<class S>(std::size_t i) {
      if (!witnessed[i]) ids.push_back(S::id);
    });
    return ids;
  }

  /// The ids of the invariants that were checked only where they ask for nothing.
  std::vector<std::string_view> untested() const {
    std::vector<std::string_view> ids;
    std::size_t i = 0;
    const auto take = [&]<class I>() {
      if (!tested[i++]) ids.push_back(I::id);
    };
    spec::for_each_invariant(take);
    spec::for_each_world_invariant(take);
    return ids;
  }

 private:
  static constexpr std::size_t kOfTasks = std::tuple_size_v<spec::Invariants>;
 private:
  static std::vector<std::string_view> ids_of(const decltype(rules)& which) {
    std::vector<std::string_view> ids;
    for (std::size_t i = 0; i < kRules.size(); ++i)
      if (which[i]) ids.push_back(kRules[i].id);
    return ids;
  }
};

}  // namespace forkproof::harness
