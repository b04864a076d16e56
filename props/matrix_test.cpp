/// The matrix of clones: it has every combination, our systems agree on all of them, and one wrong
/// answer among all is found.
#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "harness/lockstep.hpp"
#include "harness/matrix.hpp"
#include "impl/machine.hpp"
#include "spec/text.hpp"

namespace forkproof::props {
namespace {

using harness::Checker;
using harness::Results;
using harness::Violation;

constexpr Profile kToday[] = {Profile::linux_6};
constexpr CloneFlags kLiedAbout = clone_flag::vm | clone_flag::parent | clone_flag::files;
constexpr ExitSignal kLiedAboutSignal{10};

/// The implementation, which refuses one combination with the wrong errno.
class Liar {
 public:
  void reset(const WorldSpec& world) { machine_.reset(world); }
  const Effects& apply(Pid actor, const Op& op) {
    effects_ = machine_.apply(actor, op);
    const auto* const clone = std::get_if<Clone>(&op);
    if (clone != nullptr && clone->flags == kLiedAbout && clone->exit_signal == kLiedAboutSignal &&
        effects_.outcome.kind == Outcome::Kind::error && actor != kInit)
      effects_.outcome = Outcome::failure(Errno::perm);
    return effects_;
  }
  TaskView view(Pid p) const { return machine_.view(p); }
  void pages(Pid p, std::vector<PageView>& out) const { machine_.pages(p, out); }
  void tasks(std::vector<Pid>& out) const { machine_.tasks(out); }
  bool sound() const { return machine_.sound(); }
  bool sound(Pid p, bool memory) const { return machine_.sound(p, memory); }

 private:
  impl::Machine machine_;
  Effects effects_;
};

class LiarsChecker final : public Checker {
 public:
  std::optional<Violation> run(const Script& script) override { return lockstep_.run(script); }
  std::optional<Violation> run_random(std::uint64_t, Profile, std::uint64_t&) override {
    return std::nullopt;
  }
  std::optional<Violation> run_like(const Script&, std::uint64_t) override { return std::nullopt; }
  std::optional<Violation> run_uniform(std::uint64_t, Profile, std::uint64_t&) override {
    return std::nullopt;
  }
  Recording record(const Script& script) override { return {script, lockstep_.run(script)}; }
  std::string refuses(Profile) const override { return {}; }
  const harness::Coverage& coverage() override { return lockstep_.coverage(); }

 private:
  Liar system_;
  harness::Lockstep<Liar> lockstep_{system_};
};

Results matrix_on(Checker& checker, std::optional<std::uint64_t> only = {}) {
  Results results;
  results.system = "impl";
  harness::run_matrix(checker, {.profiles = kToday, .only = only}, results,
                      [](const Results&) { return true; });
  return results;
}

bool is_first_tried(const Step& s, const Script& script) {
  return s.binds != kNoName && script.names[static_cast<std::size_t>(s.binds)] == "one";
}

const Clone& first_tried(const Script& script) {
  for (const Step& s : script.steps)
    if (is_first_tried(s, script)) return std::get<Clone>(s.op);
  throw std::logic_error("no clone is tried");
}

TEST(Matrix, HasEveryCombinationOnce) {
  std::set<std::tuple<std::string, std::uint64_t, std::uint8_t>> seen;
  CloneFlags all;
  for (std::uint64_t n = 0; n < harness::matrix_size(); ++n) {
    const Script script = harness::combination(n, Profile::linux_6);
    const Clone& clone = first_tried(script);
    std::string caller;  // who, and how it was made
    for (const Step& s : script.steps) {
      caller += std::to_string(s.actor) + ' ';
      if (is_first_tried(s, script)) break;
      caller += to_text(s.op, script.names) + '\n';
    }
    seen.insert({caller, clone.flags.bits, clone.exit_signal.n});
    all = all | clone.flags;
    if (n % 997 != 0) continue;
    ASSERT_TRUE(well_formed(script)) << print(script);
    ASSERT_TRUE(parse(print(script)).script == script) << print(script);
  }
  std::uint64_t words = 0;
  for (const Word& w : CloneKind::words) words |= w.value;
  constexpr CloneFlags kNever = clone_flag::newtime | clone_flag::pidfd | clone_flag::detached |
                                clone_flag::ptrace | harness::flag_called("UNTRACED") |
                                harness::flag_called("CHILD_SETTID") | harness::flag_called("IO");
  EXPECT_EQ(all.bits, words - kNever.bits) << "which are none of it";
  EXPECT_EQ(harness::matrix_size(), (8192u * 3 + 496) * 8);
  EXPECT_EQ(seen.size(), harness::matrix_size());
}

/// What clone(2) says, counted by hand: THREAD wants SIGHAND, SIGHAND wants VM, which leaves half
/// of all sets; a quarter of these are threads, of which NEWPID refuses half; and where init calls
/// PARENT halves that again. NEWUSER goes with no THREAD and no FS. Of the flags of other
/// namespaces NEWNS goes with no FS and NEWIPC with no SYSVSEM.
TEST(Matrix, TheImplementationAgreesAndRefusesWhatTheManualSays) {
  const auto checker = harness::open_system("impl").checker;
  const Results r = matrix_on(*checker);
  for (const harness::Case& c : r.cases)
    EXPECT_FALSE(c.violation) << report(*c.violation, c.reproduce);
  EXPECT_EQ(r.cases.size(), 2 * harness::matrix_callers().size());
  ASSERT_TRUE(r.matrix);
  EXPECT_EQ(r.matrix->tried, harness::matrix_size());
  EXPECT_EQ(r.matrix->made, 3u * (6 * (1792 + 768) + 2 * (896 + 384)) + 6 * 208 + 2 * 104);
  EXPECT_EQ(r.matrix->made + r.matrix->refused, r.matrix->tried);
  EXPECT_EQ(r.matrix->disagree, 0u);
}

TEST(Matrix, OneWrongErrnoAmongAllIsFoundAndCanBeSeenAgain) {
  LiarsChecker checker;
  const Results all = matrix_on(checker);
  ASSERT_EQ(all.matrix->disagree, 1u) << "another thread of init is refused PARENT";
  ASSERT_EQ(all.violations(), 1u);
  const auto at = std::ranges::find_if(all.cases, [](auto& c) { return c.violation.has_value(); });
  EXPECT_EQ(at->name, "init-thread linux-6");
  EXPECT_EQ(at->violation->observed, "EPERM");
  EXPECT_EQ(at->violation->allowed, "EINVAL");
  EXPECT_LE(at->violation->trace.steps.size(), 2u) << print(at->violation->trace);

  const std::string& again = at->reproduce;
  const std::uint64_t number = std::stoull(again.substr(again.find("--combination ") + 14));
  const Results one = matrix_on(checker, number);
  EXPECT_EQ(one.matrix->tried, 1u);
  EXPECT_EQ(one.violations(), 1u);
}

TEST(Matrix, EndsWhenItIsToldTo) {
  Results results;
  const auto checker = harness::open_system("impl").checker;
  harness::run_matrix(*checker, {.profiles = kToday, .only = {}}, results,
                      [](const Results& r) { return r.traces < 10; });
  EXPECT_EQ(results.matrix->tried, 10u);
  EXPECT_EQ(results.cases.size(), 1u);
}

}  // namespace
}  // namespace forkproof::props
