/// What is done about a violation that stays long, and about a system that ends whoever runs it.
#include "harness/least.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <utility>

#include "harness/coverage.hpp"

namespace forkproof::props {
namespace {

using harness::Campaign;
using harness::Violation;

template <class O>
Script only(std::size_t steps) {
  Script s;
  s.steps.resize(steps);
  for (Step& step : s.steps) step.op = O{};
  return s;
}

template <class O>
bool is_only(const Script& s, std::size_t steps) {
  if (s.steps.size() != steps) return false;
  for (const Step& step : s.steps)
    if (!std::holds_alternative<O>(step.op)) return false;
  return true;
}

Violation violation_of(std::string id, Script trace) {
  Violation v;
  v.step = trace.steps.size() - 1;
  v.id = std::move(id);
  v.trace = std::move(trace);
  return v;
}

/// A system that violates what a test says, and is never the worse for it.
class Fake : public harness::Checker {
 public:
  using Verdict = std::function<std::optional<Violation>(const Script&)>;
  /// In traces like another it has `other`.
  Fake(Verdict verdict, Script other) : verdict_(std::move(verdict)), other_(std::move(other)) {}

  std::optional<Violation> run(const Script& s) override { return verdict_(s); }
  std::optional<Violation> run_random(std::uint64_t, Profile, std::uint64_t&) override {
    return std::nullopt;
  }
  std::optional<Violation> run_like(const Script&, std::uint64_t) override { return run(other_); }
  std::optional<Violation> run_uniform(std::uint64_t, Profile, std::uint64_t&) override {
    return std::nullopt;
  }
  Recording record(const Script&) override { return {}; }
  std::string refuses(Profile) const override { return {}; }
  const harness::Coverage& coverage() override { return coverage_; }

 private:
  Verdict verdict_;
  Script other_;
  harness::Coverage coverage_;
};

constexpr Profile kProfile[] = {Profile::linux_6};
constexpr std::size_t kFound = 8;

/// What becomes of a violation of `wait.reaps` in eight getpid, none of which can be left out,
/// where there is another, `id`, in so many getppid.
Violation least_beside(const std::string& id, std::size_t steps) {
  Fake fake(
      [&](const Script& s) -> std::optional<Violation> {
        if (is_only<Getpid>(s, kFound)) return violation_of("wait.reaps", s);
        if (is_only<Getppid>(s, steps)) return violation_of(id, s);
        return std::nullopt;
      },
      only<Getppid>(steps));
  const Campaign campaign{.seed = 1, .profiles = kProfile, .time = {}, .traces = {}};
  return least_like(fake, campaign, 0, violation_of("wait.reaps", only<Getpid>(kFound)));
}

TEST(Least, OfTheSamePromiseAnyShorterOneIsTaken) {
  EXPECT_EQ(least_beside("wait.reaps", kFound - 1).trace.steps.size(), kFound - 1);
  EXPECT_TRUE(is_only<Getpid>(least_beside("wait.reaps", kFound).trace, kFound));
}

TEST(Least, OfAnotherPromiseOneThatIsThreeOpsShorter) {
  EXPECT_EQ(least_beside("pid.cyclic", kFound - 3).id, "pid.cyclic");
  EXPECT_EQ(least_beside("pid.cyclic", kFound - 2).id, "wait.reaps");
}

TEST(Least, GivesUpASystemThatEndsWhoeverRunsIt) {
  char name[] = "/tmp/forkproof-least-XXXXXX";
  const int runs = ::mkstemp(name);  // a byte of each: who is run ends
  ASSERT_GE(runs, 0);
  ::unlink(name);
  Fake fake(
      [&](const Script&) -> std::optional<Violation> {
        const bool counted = ::write(runs, "1", 1) == 1;
        ::_exit(counted ? 1 : 2);
      },
      only<Getppid>(1));
  const Campaign campaign{.seed = 1, .profiles = kProfile, .time = {}, .traces = {}};
  const Script found = only<Getpid>(60);
  const Violation least = least_like(fake, campaign, 0, violation_of("wait.reaps", found));
  EXPECT_EQ(least.trace, found) << "nothing smaller was seen to fail";
  EXPECT_EQ(::lseek(runs, 0, SEEK_END), 51) << "one that was not careful, and fifty that were";
  ::close(runs);
}

}  // namespace
}  // namespace forkproof::props
