/// The adapter for the kernel never looks too early; and without what keeps it from doing so, the
/// same rounds go wrong, so that they are able to tell.
///
/// FORKPROOF_RACES=80000 runs so many rounds of each race in place of 2,000. What each safeguard is
/// good for by itself is measured by --gtest_also_run_disabled_tests; that proves nothing.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cstdlib>

#include "props/races.hpp"

namespace forkproof::props {
namespace {

constexpr std::uint64_t kUsual = 2'000, kPatience = 80'000;
constexpr Safeguards kNone{.one_processor = false,
                           .real_time = false,
                           .everybody = false,
                           .undisturbed = false,
                           .barrier = false,
                           .number_of_call = false};

std::uint64_t rounds() {
  const char* const wanted = std::getenv("FORKPROOF_RACES");
  return wanted == nullptr ? kUsual : std::strtoull(wanted, nullptr, 10);
}

void print(std::string_view guards, const Race& race, const Count& c) {
  fmt::print("{:<24} {:<32} {:>6} wrong of {:>6}, {} without a verdict, {:.1f} s\n", guards,
             race.says, c.wrong, c.rounds, c.faults, c.seconds);
}

class Races : public testing::Test {
 protected:
  void SetUp() override {
    const char* const required = std::getenv("FORKPROOF_REQUIRE_LINUX");
    try {
      System system;
    } catch (const SystemFault& fault) {
      if (required != nullptr && std::string_view(required) == "1") FAIL() << fault.what();
      GTEST_SKIP() << fault.what();
    }
  }
};

TEST_F(Races, NothingIsSeenTooEarly) {
  ASSERT_GT(rounds(), 0u);
  for (const Race& race : kRaces) {
    const Count c = run_rounds(race, {}, rounds(), [](const Count& so_far) {
      return so_far.wrong >= 10;  // each may cost the patience of a watchdog
    });
    print("all safeguards", race, c);
    EXPECT_EQ(c.wrong, 0u) << race.says << ", of " << c.rounds;
  }
}

TEST_F(Races, WithoutSafeguardsEachOfThemGoesWrong) {
  for (const Race& race : kRaces) {
    const Count c = run_rounds(race, kNone, kPatience, [](const Count& so_far) {
      return so_far.rounds >= kUsual / 10 && so_far.wrong > so_far.faults;
    });
    print("no safeguard", race, c);
    EXPECT_GT(c.wrong, c.faults) << race.says << ": these rounds cannot tell";
  }
}

TEST_F(Races, DISABLED_WhatEachSafeguardIsGoodFor) {
  struct Without {
    std::string_view name;
    bool Safeguards::*guard;
  };
  constexpr Without kGuards[] = {{"one processor", &Safeguards::one_processor},
                                 {"real time", &Safeguards::real_time},
                                 {"everybody", &Safeguards::everybody},
                                 {"undisturbed", &Safeguards::undisturbed},
                                 {"barrier", &Safeguards::barrier},
                                 {"number of call", &Safeguards::number_of_call}};
  const auto measure = [](const std::string& name, const Safeguards& guards) {
    for (const Race& race : kRaces)
      print(name, race, run_rounds(race, guards, rounds(), [](const Count& so_far) {
              return so_far.faults >= 3;
            }));
  };
  for (const Without& w : kGuards) {
    Safeguards all, other = kNone;
    all.*w.guard = false;
    other.*w.guard = true;
    measure(fmt::format("all but {}", w.name), all);
    measure(fmt::format("only {}", w.name), other);
  }
}

}  // namespace
}  // namespace forkproof::props
