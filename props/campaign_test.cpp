/// Campaigns, replays, recordings and reports, on the systems that are built in.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "harness/campaign.hpp"
#include "harness/generate.hpp"
#include "harness/trace_file.hpp"
#include "props/tree.hpp"
#include "spec/text.hpp"

namespace forkproof::props {
namespace {

using harness::Checker;
using harness::Results;

constexpr Profile kBoth[] = {Profile::linux_6, Profile::linux_4_12};

Results campaign_on(const std::string& system, std::uint64_t seed, std::uint64_t traces) {
  Results results;
  results.engine = "random";
  results.system = system;
  const auto checker = harness::open_system(system).checker;
  harness::run_campaign(*checker, {.seed = seed, .profiles = kBoth, .time = {}, .traces = traces},
                        results, [](const Results&) { return true; });
  return results;
}

TEST(Systems, AreFoundByName) {
  for (const char* name : {"impl", "spec", "canary"})
    EXPECT_TRUE(harness::open_system(name).checker) << name;
  const harness::Opened kernel = harness::open_system("linux");  // or the reason why it cannot be
  EXPECT_TRUE(kernel.known);
  EXPECT_NE(kernel.checker == nullptr, kernel.reason.empty());
  for (const char* name : {"plugin:./a.so", "cmd:cat", "qemu:bzImage"}) {
    const harness::Opened opened = harness::open_system(name);
    EXPECT_FALSE(opened.checker) << name;
    EXPECT_TRUE(opened.known) << name;
  }
  EXPECT_FALSE(harness::open_system("nonsense").known);
}

TEST(Campaign, RunsAsManyTracesAsItIsTold) {
  for (const char* system : {"impl", "spec"}) {
    const Results r = campaign_on(system, 1, 300);
    ASSERT_EQ(r.cases.size(), 1u);
    EXPECT_FALSE(r.cases[0].violation) << report(*r.cases[0].violation, r.cases[0].reproduce);
    EXPECT_EQ(r.traces, 300u);
    EXPECT_GT(r.ops, r.traces);
    EXPECT_GT(r.coverage.rules.count(), kRules.size() / 2);
  }
}

TEST(Campaign, EndsWhenItIsToldTo) {
  Results results;
  const auto checker = harness::open_system("impl").checker;
  harness::run_campaign(*checker, {.seed = 1, .profiles = kBoth, .time = {}, .traces = {}}, results,
                        [](const Results& r) { return r.traces < 10; });
  EXPECT_EQ(results.traces, 10u);
}

TEST(Campaign, FindsTheCanaryAndSaysHowToSeeItAgain) {
  const Results r = campaign_on("canary", 1, 100'000);
  ASSERT_TRUE(r.cases[0].violation);
  const auto& v = *r.cases[0].violation;
  EXPECT_LE(v.trace.steps.size(), 5u);
  const std::string& again = r.cases[0].reproduce;
  const std::uint64_t seed = std::stoull(again.substr(again.find("--seed ") + 7));
  EXPECT_EQ(seed, r.traces) << "campaign seed 1: trace k has seed 1 + k";

  const Results same = campaign_on("canary", 1, 100'000);
  EXPECT_TRUE(same.cases[0].violation->trace == v.trace);
}

/// The campaign of `campaign_on`, by some processes.
Results workers_on(const std::string& system, std::size_t jobs, std::uint64_t traces) {
  Results results;
  results.engine = "random";
  results.system = system;
  harness::run_campaign([&] { return harness::open_system(system).checker; }, jobs,
                        {.seed = 1, .profiles = kBoth, .time = {}, .traces = traces}, results,
                        [](const Results&) { return true; });
  return results;
}

/// Fails by a long trace and by nothing that is made of it, and by a short one of another seed. If
/// it is deadly, whoever runs what is made of the long one is killed.
class Cornered final : public Checker {
 public:
  explicit Cornered(bool deadly = false) : deadly_(deadly) {}
  std::optional<harness::Violation> run(const Script& s) override {
    if (deadly_ && s.steps.size() == kLongest - 1) ::raise(SIGKILL);
    const bool is_short = s.steps.size() == kShortest && s.steps[0].op == Op{Getsid{}};
    if (!is_short && s.steps.size() != kLongest) return std::nullopt;
    return failure(s);
  }
  std::optional<harness::Violation> run_random(std::uint64_t seed, Profile,
                                               std::uint64_t&) override {
    if (seed != kShortAt && seed != kLongAt) return std::nullopt;
    Script script;
    Step step;
    step.op = seed == kLongAt ? Op{Getpid{}} : Op{Getsid{}};
    script.steps.assign(seed == kLongAt ? kLongest : kShortest, step);
    return run(script);
  }
  std::optional<harness::Violation> run_like(const Script&, std::uint64_t) override {
    return std::nullopt;
  }
  std::optional<harness::Violation> run_uniform(std::uint64_t, Profile, std::uint64_t&) override {
    return std::nullopt;
  }
  Recording record(const Script&) override { return {}; }
  std::string refuses(Profile) const override { return {}; }
  const harness::Coverage& coverage() override { return coverage_; }

  static constexpr std::uint64_t kLongAt = 2, kShortAt = 42;
  static constexpr std::size_t kLongest = 12, kShortest = 3;

 private:
  static harness::Violation failure(const Script& script) {
    harness::Violation v;
    v.step = script.steps.size() - 1, v.id = "call.getpid", v.trace = script;
    return v;
  }
  bool deadly_;
  harness::Coverage coverage_;
};

Results campaign_on(Checker&& checker) {
  Results results;
  harness::run_campaign(checker,
                        {.seed = 0, .profiles = kBoth, .time = {}, .traces = 10, .uniform = false},
                        results, [](const Results&) { return true; });
  return results;
}

TEST(Campaign, LooksForAnotherTraceWhereOneStaysLong) {
  const Results results = campaign_on(Cornered());
  ASSERT_TRUE(results.cases.at(0).violation);
  EXPECT_EQ(results.cases[0].violation->trace.steps.size(), Cornered::kShortest);
  EXPECT_NE(results.cases[0].reproduce.find("--seed 2 "), std::string::npos);
}

TEST(Campaign, ShrinksCarefullyWhereThatIsDeadly) {
  const Results results = campaign_on(Cornered(true));
  ASSERT_TRUE(results.cases.at(0).violation);
  EXPECT_EQ(results.cases[0].violation->trace.steps.size(), Cornered::kShortest);
}

/// Fails by all its traces. Who runs what is made of them, in another process, never comes back.
class Endless final : public Checker {
 public:
  std::optional<harness::Violation> run(const Script&) override {
    while (::getpid() != maker_) ::pause();
    return std::nullopt;
  }
  std::optional<harness::Violation> run_random(std::uint64_t, Profile, std::uint64_t&) override {
    harness::Violation v;
    v.trace.steps.resize(12), v.step = 11;
    return v;
  }
  std::optional<harness::Violation> run_like(const Script&, std::uint64_t) override {
    return std::nullopt;
  }
  std::optional<harness::Violation> run_uniform(std::uint64_t, Profile, std::uint64_t&) override {
    return std::nullopt;
  }
  Recording record(const Script&) override { return {}; }
  std::string refuses(Profile) const override { return {}; }
  const harness::Coverage& coverage() override { return coverage_; }

 private:
  pid_t maker_ = ::getpid();
  harness::Coverage coverage_;
};

TEST(Campaign, ShrinksUntilASignalComes) {
  struct sigaction action {}, before {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGALRM, &action, &before);
  const itimerval soon{.it_interval = {.tv_sec = 0, .tv_usec = 50'000},
                       .it_value = {.tv_sec = 0, .tv_usec = 50'000}};
  ::setitimer(ITIMER_REAL, &soon, nullptr);
  const Results results = campaign_on(Endless());
  ::setitimer(ITIMER_REAL, nullptr, nullptr);
  ::sigaction(SIGALRM, &before, nullptr);
  ASSERT_TRUE(results.cases.at(0).violation);
  EXPECT_EQ(results.cases[0].violation->trace.steps.size(), 12u);
}

TEST(Generator, MakesTracesThatAreLikeAnother) {
  const Script like = parse("forkproof-trace v1\nworld profile=linux-4.12 pid_max=301\n\n"
                            "init: clone THREAD|SIGHAND|VM -> A\nA: umask 18\ninit: fork -> B\n"
                            "init: tgkill A A SIGUSR1\nB: getpgid A\n")
                          .script;
  std::set<std::size_t> there, seen;
  for (const Step& s : like.steps) there.insert(s.op.index());
  std::size_t as_it_is = 0, steps = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Script script = harness::generate_like(like, seed);
    EXPECT_TRUE(script.world == like.world);
    EXPECT_TRUE(well_formed(script)) << print(script);
    EXPECT_TRUE(parse(print(script)).script == script) << print(script);
    for (const Step& s : script.steps) {
      seen.insert(s.op.index());
      as_it_is += std::ranges::any_of(like.steps, [&](const Step& l) { return l.op == s.op; });
      ++steps;
    }
  }
  EXPECT_EQ(seen, there);
  EXPECT_GT(2 * as_it_is, steps);
}

TEST(Workers, DoTogetherWhatOneDoes) {
  const Results one = campaign_on("impl", 1, 300), three = workers_on("impl", 3, 300);
  EXPECT_EQ(three.traces, one.traces);
  EXPECT_EQ(three.ops, one.ops);
  EXPECT_EQ(three.coverage.rules, one.coverage.rules);
  EXPECT_FALSE(three.cases.at(0).violation);
}

TEST(Workers, ReportTheFirstViolation) {
  const Results one = campaign_on("canary", 1, 100'000), three = workers_on("canary", 3, 100'000);
  ASSERT_TRUE(three.cases.at(0).violation);
  EXPECT_TRUE(three.cases[0].violation->trace == one.cases[0].violation->trace);
  EXPECT_EQ(three.cases[0].reproduce, one.cases[0].reproduce);
}

/// A system that kills its process at one trace, or fails once and never again.
class Fragile final : public Checker {
 public:
  enum class Way { dies, wavers };
  Fragile(Way way, pid_t maker) : way_(way), maker_(maker) {}
  std::optional<harness::Violation> run(const Script&) override { return std::nullopt; }
  std::optional<harness::Violation> run_random(std::uint64_t seed, Profile,
                                               std::uint64_t&) override {
    if (seed != 7 || ::getpid() == maker_) return std::nullopt;
    if (way_ == Way::dies) ::kill(::getpid(), SIGKILL);
    return harness::Violation{};
  }
  std::optional<harness::Violation> run_like(const Script&, std::uint64_t) override {
    return std::nullopt;
  }
  std::optional<harness::Violation> run_uniform(std::uint64_t, Profile, std::uint64_t&) override {
    return std::nullopt;
  }
  Recording record(const Script&) override { return {}; }
  std::string refuses(Profile) const override { return {}; }
  const harness::Coverage& coverage() override { return coverage_; }

 private:
  Way way_;
  pid_t maker_;
  harness::Coverage coverage_;
};

TEST(Workers, WithoutAVerdictAreNoSuccess) {
  for (const auto way : {Fragile::Way::dies, Fragile::Way::wavers}) {
    Results r;
    harness::run_campaign([&, maker = ::getpid()] { return std::make_unique<Fragile>(way, maker); },
                          2, {.seed = 0, .profiles = kBoth, .time = {}, .traces = 100}, r,
                          [](const Results&) { return true; });
    ASSERT_TRUE(r.cases.at(0).violation);
    EXPECT_EQ(r.cases[0].violation->kind, harness::Violation::Kind::unknown);
    EXPECT_NE(r.cases[0].reproduce.find("--seed 7 "), std::string::npos) << r.cases[0].reproduce;
  }
}

TEST(Record, ARecordingIsATestThatPasses) {
  for (const char* system : {"impl", "spec"}) {
    const auto checker = harness::open_system(system).checker;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      const Script script = harness::generate(seed, kBoth[seed % 2]);
      const Checker::Recording r = checker->record(script);
      ASSERT_FALSE(r.violation) << report(*r.violation, "");
      ASSERT_TRUE(well_formed(r.script)) << print(r.script);
      ASSERT_EQ(r.script.steps.size(), script.steps.size());

      const Parsed again = parse(print(r.script));
      ASSERT_FALSE(again.error) << to_text(*again.error, "recording") << '\n' << print(r.script);
      ASSERT_TRUE(again.script == r.script) << print(r.script);
      const auto v = checker->run(again.script);
      ASSERT_FALSE(v) << report(*v, "");
    }
  }
}

TEST(Record, EndsWhereTheSystemGoesWrong) {
  const auto checker = harness::open_system("canary").checker;
  const Parsed p = parse(
      "forkproof-trace v1\ninit: fork -> A\ninit: fork -> B\nA: exit 1\nB: exit 2\n"
      "init: wait4 any\ninit: getpid\n");
  const Checker::Recording r = checker->record(p.script);
  ASSERT_TRUE(r.violation);
  EXPECT_EQ(r.script.steps.size(), 5u);
  EXPECT_EQ(to_text(r.script.steps.back(), r.script.names), "init: wait4 any -> B exited 2\n");
}

class Files : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (tree_.root() / name).string(); }
  MadeUpTree tree_;
};

TEST_F(Files, FoldersAreSearchedForTraces) {
  tree_.write("b.trace", "");
  tree_.write("deep/er/a.trace", "");
  tree_.write("notes.txt", "");
  EXPECT_EQ(harness::list_traces({tree_.root().string()}).files,
            (std::vector<std::string>{path("b.trace"), path("deep/er/a.trace")}));
  EXPECT_EQ(harness::list_traces({path("notes.txt")}).files.size(), 1u);
}

TEST_F(Files, ReplayGoesOnAfterWhatCannotBeRead) {
  tree_.write("a.trace", "forkproof-trace v1\ninit: getpid -> 7\n");
  tree_.write("b.trace", "forkproof-trace v1\ninit: sleep\n");
  tree_.write("c.trace", "forkproof-trace v1\ninit: getpid -> init\n");
  Results r;
  const auto checker = harness::open_system("impl").checker;
  const auto files = harness::list_traces({tree_.root().string()}).files;
  harness::replay(*checker, files, r, [](const Results&) { return true; });
  ASSERT_EQ(r.cases.size(), 3u);
  EXPECT_TRUE(r.cases[0].violation);
  EXPECT_TRUE(r.cases[1].error.starts_with(path("b.trace") + ":2:")) << r.cases[1].error;
  EXPECT_FALSE(r.cases[2].violation);
  EXPECT_EQ(r.traces, 2u);
}

TEST_F(Files, WithoutItsFirstLineATextIsNotTakenForBytes) {
  tree_.write("a.txt", "init: getpid -> init\n");
  tree_.write("a.trace", "\x01\x02");
  tree_.write("a.bytes", "\x01\x02");
  EXPECT_TRUE(harness::load(path("a.txt")).error);
  EXPECT_TRUE(harness::load(path("a.trace")).error);
  EXPECT_FALSE(harness::load(path("a.bytes")).error);
}

TEST(Reports, SurviveAnyText) {
  Results r = campaign_on("canary", 1, 100'000);
  r.cases[0].engine = "replay";
  r.cases[0].name = "\"<&>'\xff\x01";
  const auto json = nlohmann::json::parse(harness::to_json(r));
  EXPECT_EQ(json["violations"].size(), 1u);
  EXPECT_FALSE(parse(json["violations"][0]["trace"].get<std::string>()).error);
  EXPECT_NE(harness::to_junit(r).find("name=\"&quot;&lt;&amp;&gt;'??\""), std::string::npos);
}

}  // namespace
}  // namespace forkproof::props
