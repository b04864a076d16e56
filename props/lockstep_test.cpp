/// Lockstep: it lets the implementation and the model pass, and says of every kind of wrong system
/// what is wrong with it.
#include <gtest/gtest.h>

#include <rapidcheck.h>

#include <utility>

#include "harness/generate.hpp"
#include "harness/lockstep.hpp"
#include "harness/model_system.hpp"
#include "harness/shrink.hpp"
#include "impl/machine.hpp"
#include "props/arbitrary.hpp"
#include "spec/text.hpp"

namespace forkproof::props {
namespace {

using harness::Depth;
using harness::Lockstep;
using harness::Violation;

/// The implementation, lying about one thing.
class Liar {
 public:
  enum class About { nothing, outcome, returned, field, page, extra_task, lost_task, soundness };

  explicit Liar(About about) : about_(about) {}
  void reset(const WorldSpec& world) { machine_.reset(world); }
  const Effects& apply(Pid actor, const Op& op) {
    effects_ = machine_.apply(actor, op);
    if (about_ == About::outcome && std::holds_alternative<Getppid>(op))
      effects_.outcome = Outcome::task(Pid{77});
    if (about_ == About::returned) effects_.returned.clear();
    return effects_;
  }
  TaskView view(Pid p) const {
    TaskView v = machine_.view(p);
    if (about_ == About::field && v.state != State::dead && p != kInit) v.sid = Pid{99};
    return v;
  }
  void pages(Pid p, std::vector<PageView>& out) const {
    machine_.pages(p, out);
    if (about_ == About::page && !out.empty()) ++out.front().value;
  }
  void tasks(std::vector<Pid>& out) const {
    machine_.tasks(out);
    if (about_ == About::extra_task) out.push_back({300});
    if (about_ == About::lost_task) out.pop_back();
  }
  bool sound() const { return about_ != About::soundness && machine_.sound(); }
  bool sound(Pid p, bool memory) const { return machine_.sound(p, memory); }

 private:
  About about_;
  impl::Machine machine_;
  Effects effects_;
};

Script script_of(std::string_view lines) {
  std::string text{"forkproof-trace v1\n"};
  Parsed parsed = parse(text += lines);
  EXPECT_FALSE(parsed.error) << parsed.error->message;
  return std::move(parsed.script);
}

/// Something of everything that a Liar lies about.
constexpr std::string_view kEverything =
    "init: mmap private\ninit: fork -> A\nA: getppid\ninit: wait4 any\nA: exit 3\ninit: fork\n";

std::optional<Violation> violation_of(Liar::About about, std::string_view lines = kEverything) {
  Liar liar(about);
  return Lockstep<Liar>(liar).run(script_of(lines));
}

TEST(Lockstep, LetsTheTruthPass) { EXPECT_FALSE(violation_of(Liar::About::nothing)); }

TEST(Lockstep, SeesAWrongOutcome) {
  const auto v = violation_of(Liar::About::outcome);
  ASSERT_TRUE(v);
  EXPECT_EQ(v->kind, Violation::Kind::outcome);
  EXPECT_EQ(v->id, "call.getppid");
  EXPECT_EQ(v->step, 2u);
  EXPECT_EQ(v->observed, "77");
  EXPECT_EQ(v->allowed, "init");
}

TEST(Lockstep, SeesACallThatDoesNotReturn) {
  const auto v = violation_of(Liar::About::returned);
  ASSERT_TRUE(v);
  EXPECT_EQ(v->kind, Violation::Kind::returned);
  EXPECT_EQ(v->step, 4u);
  EXPECT_EQ(v->observed, "no call returns");
  EXPECT_EQ(v->allowed, "init => A exited 3");
}

TEST(Lockstep, SeesAWrongField) {
  const auto v = violation_of(Liar::About::field);
  ASSERT_TRUE(v);
  EXPECT_EQ(v->kind, Violation::Kind::state);
  EXPECT_EQ(v->step, 1u);
  EXPECT_NE(v->observed.find("sid 99"), std::string::npos) << v->observed;
}

TEST(Lockstep, SeesAWrongPage) {
  const auto v = violation_of(Liar::About::page);
  ASSERT_TRUE(v);
  EXPECT_EQ(v->kind, Violation::Kind::memory);
}

TEST(Lockstep, SeesTasksThatShouldOrShouldNotBeThere) {
  for (const Liar::About about : {Liar::About::extra_task, Liar::About::lost_task}) {
    const auto v = violation_of(about);
    ASSERT_TRUE(v);
    EXPECT_EQ(v->kind, Violation::Kind::state);
    EXPECT_EQ(v->step, 6u) << "only the last look is at all tasks";
  }
}

TEST(Lockstep, AsksTheSystemWhetherItIsSound) {
  const auto v = violation_of(Liar::About::soundness);
  ASSERT_TRUE(v);
  EXPECT_EQ(v->kind, Violation::Kind::unsound);
}

/// Takes the same of the candidates wherever the spec has a choice.
class Nth final : public spec::Chooser {
 public:
  explicit Nth(std::size_t nth) : nth_(nth) {}
  std::size_t pick(RuleId, std::span<const Pid> candidates) override {
    return nth_ % candidates.size();
  }

 private:
  std::size_t nth_;
};

class Chosen : public harness::ModelSystemOf<Nth> {
 public:
  explicit Chosen(std::size_t nth) : ModelSystemOf(Nth(nth)) {}
};

/// Of a choice between two answers each system has one, and only that.
void expect_either(const std::string& before, std::string_view first, std::string_view second) {
  for (const std::size_t nth : {0U, 1U}) {
    Chosen chosen(nth);
    Lockstep<Chosen> lockstep(chosen);
    EXPECT_FALSE(lockstep.run(script_of(before + std::string(nth == 0 ? first : second))));
    const auto v = lockstep.run(script_of(before + std::string(nth == 0 ? second : first)));
    ASSERT_TRUE(v);
    EXPECT_EQ(v->kind, Violation::Kind::expectation);
  }
}

TEST(Lockstep, FollowsTheSystemWhereTheSpecLeavesAChoice) {
  expect_either(
      "init: clone VM|SIGHAND|THREAD as A\ninit: sigprocmask block SIGUSR1\n"
      "init: kill init SIGUSR1 -> ",
      "dies SIGUSR1\n", "0\n");
  expect_either(
      "init: setrlimit SIGPENDING 0 unlimited\ninit: fork as A\n"
      "A: clone VM|SIGHAND|THREAD as B\nA: exit 0\ninit: tgkill A A 40 -> ",
      "EAGAIN\n", "0\n");
}

/// What a choice led to may show long after, where states are compared at the end only.
TEST(Lockstep, FollowsAChoiceThatShowsLater) {
  const std::string falls =
      "init: clone VM|SIGHAND|THREAD as A\nA: sigprocmask block SIGUSR1\n"
      "A: clone exit_signal=SIGUSR1 as B\ninit: sigprocmask block SIGUSR2\nB: exit 0\n";
  for (const std::string_view rest : {"", "init: getpid\n", "init: fork as C\ninit: wait4 B\n"})
    for (const std::size_t nth : {0U, 1U}) {
      Chosen chosen(nth);
      const auto v =
          Lockstep<Chosen>(chosen, Depth::outcomes).run(script_of(falls + std::string(rest)));
      EXPECT_FALSE(v) << report(*v, "");
    }
}

/// Takes the second or the first by turns.
class Turns final : public spec::Chooser {
 public:
  std::size_t pick(RuleId, std::span<const Pid> candidates) override {
    return std::exchange(second_, !second_) ? 1 % candidates.size() : 0;
  }

 private:
  bool second_ = true;
};

/// The spec that chooses by turns, and makes up a return in the step after the honest ones.
class Wavering : public harness::ModelSystemOf<Turns> {
 public:
  explicit Wavering(std::size_t honest_steps) : honest_(honest_steps) {}
  const Effects& apply(Pid actor, const Op& op) {
    effects_ = ModelSystemOf::apply(actor, op);
    if (honest_-- == 0) effects_.returned.push_back({kInit, Outcome::task(Pid{77})});
    return effects_;
  }

 private:
  std::size_t honest_;
  Effects effects_;
};

/// ... and goes on from there: of a step that no choice explains it says what is wrong with it.
TEST(Lockstep, GoesOnFromAChoiceThatShowedLater) {
  const Script script = script_of(
      "init: clone VM|SIGHAND|THREAD as A\ninit: fork as B\nA: tgkill B B SIGUSR1\n"
      "init: clone VM|SIGHAND|VFORK|THREAD exit_signal=0 as E\nE: sigprocmask set 40|64\n"
      "A: kill E 40\nA: sigprocmask set SIGUSR1|SIGSTOP\nE: sigq\nE: kill A SIGUSR1\n");
  Wavering wavering(script.steps.size() - 1);
  const auto v = Lockstep<Wavering>(wavering, Depth::outcomes).run(script);
  ASSERT_TRUE(v);
  EXPECT_EQ(v->kind, Violation::Kind::returned);
  EXPECT_EQ(v->step, script.steps.size() - 1);
}

/// ... and what no choice leads to is a violation still.
TEST(Lockstep, FindsWhatNoChoiceLeadsTo) {
  const std::string falls =
      "init: clone VM|SIGHAND|THREAD as A\nA: sigprocmask block SIGUSR1\n"
      "A: clone exit_signal=SIGUSR1 as B\nB: exit 0\n";
  Chosen drops(1);
  Lockstep<Chosen> lockstep(drops, Depth::outcomes);
  const auto v = lockstep.run(script_of(falls + "init: getpid -> A\n"));
  ASSERT_TRUE(v);
  EXPECT_EQ(v->kind, Violation::Kind::expectation);
}

TEST(Lockstep, SeesWhatTheTraceExpects) {
  for (const std::string_view lines :
       {"init: getpid -> 5", "init: fork -> A pid 9", "init: fork -> A\nexpect A ppid A",
        "init: fork -> A\ninit: wait4 any -> blocks\nA: exit 1\ninit => A exited 2"}) {
    const auto v = violation_of(Liar::About::nothing, std::string(lines) + "\n");
    ASSERT_TRUE(v) << lines;
    EXPECT_EQ(v->kind, Violation::Kind::expectation) << lines;
  }
}

TEST(Lockstep, TheReportSaysAllThereIsToSay) {
  const std::string text = report(*violation_of(Liar::About::outcome), "again and again");
  for (const char* part : {"call.getppid", "getppid answers", "credentials.7 PPID:1",
                           "observed: 77", "at step 3", "> A: getppid", "again and again"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " is not in\n" << text;
}

// --- the theorem -------------------------------------------------------------------------------

/// A random script, with all that is simpler: the shrinker of `forkproof minimize` is RapidCheck's,
/// too.
rc::Gen<Script> scripts(Profile profile) {
  return [profile](const rc::Random& random, int) {
    const std::uint64_t seed = rc::Random(random).next();
    return rc::shrinkable::shrinkRecur(
        harness::generate(seed, profile), [](const Script& script) {
          std::vector<Script> simpler;
          for (const auto& make : harness::smaller(script)) simpler.push_back(make());
          return rc::seq::fromContainer(std::move(simpler));
        });
  };
}

template <harness::SystemUnderTest System>
void refines(System& system, Profile profile, const char* promise) {
  const bool holds = rc::check(promise, [&] {
    const Script script = *scripts(profile);
    if (const auto v = Lockstep<System>(system, Depth::full).run(script)) RC_FAIL(report(*v, ""));
  });
  EXPECT_TRUE(holds);
}

TEST(Refinement, TheImplementationDoesWhatTheSpecDoes) {
  impl::Machine machine;
  refines(machine, Profile::linux_6,
          "REFINE-1: outcome for outcome and view for view, impl does what the spec does");
  refines(machine, Profile::linux_4_12, "REFINE-2: ... in the dialect of the books, too");
}

TEST(Refinement, TheSpecDoesWhatTheSpecDoes) {
  harness::ModelSystem model;
  refines(model, Profile::linux_6,
          "REFINE-3: whatever the model chooses where it may, the model allows");
}

}  // namespace
}  // namespace forkproof::props
