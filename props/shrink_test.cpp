/// The shrinker: what it proposes is a script, and smaller; what it ends with still fails.
#include <gtest/gtest.h>

#include <algorithm>

#include "harness/generate.hpp"
#include "harness/lockstep.hpp"
#include "harness/shrink.hpp"
#include "impl/machine.hpp"
#include "spec/text.hpp"

namespace forkproof::props {
namespace {

using harness::Lockstep;
using harness::Violation;
using impl::Machine;

Script script_of(std::string_view lines) {
  std::string text{"forkproof-trace v1\n\n"};
  Parsed parsed = parse(text += lines);
  EXPECT_FALSE(parsed.error) << parsed.error->message;
  return std::move(parsed.script);
}

std::string lines_of(const Script& script) {
  std::string out;
  for (const Step& s : script.steps) out += to_text(s, script.names);
  return out;
}

TEST(Select, ClosesUpTheNames) {
  const Script s = script_of("init: fork -> A\ninit: fork -> B\nB: fork -> C\nC: kill B SIGKILL\n");
  const Script left = harness::select(s, {false, true, true, true});
  EXPECT_EQ(left.names, (std::vector<std::string>{"init", "A", "B"}));
  EXPECT_EQ(lines_of(left), "init: fork -> A\nA: fork -> B\nB: kill A SIGKILL\n");
}

TEST(Select, TakesAlongWhatTheMissingDid) {
  const Script s = script_of("init: fork -> A\nA: fork -> B\nB: exit 1\ninit: kill B SIGKILL\n");
  const Script left = harness::select(s, {false, true, true, true});
  ASSERT_EQ(left.steps.size(), 1u);
  EXPECT_EQ(lines_of(left), "init: kill 4194304 SIGKILL\n") << "B's number is nobody's now";
}

/// A measure that shrinking must not raise.
std::size_t size_of(const Script& s) { return s.steps.size(); }

TEST(Smaller, ProposesScriptsThatAreNoLonger) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const Script script = harness::generate(seed, Profile::linux_6);
    ASSERT_TRUE(well_formed(script)) << print(script);
    for (const auto& make : harness::smaller(script)) {
      const Script candidate = make();
      EXPECT_TRUE(well_formed(candidate)) << print(script) << "\nbecame\n" << print(candidate);
      EXPECT_LE(size_of(candidate), size_of(script));
      EXPECT_FALSE(candidate == script) << "nothing has become smaller in\n" << print(script);
    }
  }
}

/// Two waits that both count must not take turns at coming last.
TEST(Minimize, EndsWhereNoWaitCanGo) {
  const Script script = script_of(
      "init: fork -> A\ninit: wait4 any WNOHANG\nA: exit 0\ninit: waitid any WEXITED|WNOHANG\n");
  const auto has = [](const Script& s, auto op) {
    return std::ranges::any_of(s.steps, [&](const Step& step) {
      return std::holds_alternative<decltype(op)>(step.op);
    });
  };
  std::size_t runs = 0;
  const harness::Run run = [&](const Script& s) -> std::optional<Violation> {
    if (++runs > 10'000 || !has(s, Wait4{}) || !has(s, Waitid{})) return std::nullopt;
    Violation v;
    v.step = s.steps.size() - 1;
    v.trace = s;
    return v;
  };
  const Violation v = harness::minimize(*run(script), run);
  EXPECT_LT(runs, 10'000u) << "it goes round in circles";
  EXPECT_EQ(v.trace.steps.size(), 2u) << print(v.trace);
}

TEST(Smaller, EndsWhereverItGoes) {
  Script script = harness::generate(7, Profile::linux_6);
  std::size_t rounds = 0;
  for (auto next = harness::smaller(script); !next.empty(); next = harness::smaller(script)) {
    script = Script(next.back()());
    ASSERT_LT(++rounds, 10'000u);
  }
  EXPECT_GT(rounds, 0u);
}

/// The first random trace from `seed` on that shows the canary's defect.
Violation canary_violation(Lockstep<Machine>& lockstep, std::uint64_t seed) {
  for (;; ++seed) {
    auto v = lockstep.run(harness::generate(seed, Profile::linux_6));
    if (v) return std::move(*v);
  }
}

TEST(Minimize, LeavesTheCanaryFewSteps) {
  Machine canary(WorldSpec{}, Machine::Bug::lifo_wait);
  Lockstep<Machine> lockstep(canary);
  const harness::Run run = [&](const Script& s) { return lockstep.run(s); };
  for (std::uint64_t i = 0; i < 20; ++i) {
    const Violation v = harness::minimize(canary_violation(lockstep, i * 1'000'000), run);
    EXPECT_LE(v.trace.steps.size(), 5u) << report(v, "");
    EXPECT_TRUE(well_formed(v.trace));
    EXPECT_TRUE(run(v.trace)) << "what is left fails no more:\n" << print(v.trace);
  }
}

TEST(Minimize, KeepsAFailedExpectation) {
  Machine machine;
  Lockstep<Machine> lockstep(machine);
  const harness::Run run = [&](const Script& s) { return lockstep.run(s); };
  const auto v = run(script_of("init: getpid -> init\ninit: mmap private\ninit: getppid -> 7\n"));
  ASSERT_TRUE(v);
  const Violation least = harness::minimize(*v, run);
  EXPECT_EQ(least.kind, Violation::Kind::expectation);
  EXPECT_EQ(lines_of(least.trace), "init: getppid -> 7\n");
}

/// A system that comes to no verdict on most of what is smaller, or has not what it needs.
TEST(Minimize, TakesNoRunWithoutAVerdictForAFailure) {
  const Script script =
      script_of("init: fork as A\nA: pause\ninit: getpid\ninit: kill A SIGUSR1\ninit: wait4 any\n");
  for (const auto none : {Violation::Kind::unknown, Violation::Kind::beyond}) {
    const auto run = [&](const Script& s) {
      Violation v;
      v.kind = s.steps.size() % 2 == script.steps.size() % 2 ? Violation::Kind::outcome : none;
      v.step = s.steps.empty() ? 0 : s.steps.size() - 1;
      v.trace = s;
      return std::optional{v};
    };
    const Violation least = harness::minimize(*run(script), run);
    EXPECT_EQ(least.kind, Violation::Kind::outcome);
    EXPECT_LT(least.trace.steps.size(), script.steps.size());
  }
}

TEST(Generator, IsAFunctionOfItsSeed) {
  for (std::uint64_t seed = 0; seed < 50; ++seed)
    for (const Profile profile : {Profile::linux_6, Profile::linux_4_12}) {
      const Script script = harness::generate(seed, profile);
      EXPECT_TRUE(well_formed(script)) << print(script);
      EXPECT_TRUE(script == harness::generate(seed, profile));
      EXPECT_EQ(script.world.profile, profile);
      EXPECT_FALSE(script == harness::generate(seed + 1, profile));
    }
}

}  // namespace
}  // namespace forkproof::props
