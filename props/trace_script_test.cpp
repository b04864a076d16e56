/// Scripts in memory: names, what is well-formed, mending, and names turned into numbers.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "props/arbitrary.hpp"
#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof {
namespace {

Script family() {
  return parse("forkproof-trace v1\n"
               "init: fork -> A\n"
               "A: fork -> B\n"
               "B: exit 3\n"
               "A: wait4 B -> B exited 3\n"
               "expect A ppid init\n"
               "expect B state dead\n"
               "init: kill B SIGTERM\n").script;
}

TEST(TraceScript, NamesThatNobodyChose) {
  EXPECT_EQ(canonical_name(0), "init");
  EXPECT_EQ(canonical_name(1), "A");
  EXPECT_EQ(canonical_name(26), "Z");
  EXPECT_EQ(canonical_name(27), "A1");
  EXPECT_EQ(canonical_name(26 * 11), "Z10");
  for (std::int32_t i = 1; i < 3000; ++i) ASSERT_TRUE(is_name(canonical_name(i))) << i;
}

TEST(TraceScript, WhatIsNoName) {
  for (const auto word : {"", "1", "a-b", "\xc3\xa4", "init", "world", "any", "none", "blocks",
                          "as", "pid", "EPERM", "EIO", "SIGKILL", "SIG", "a b"})
    EXPECT_FALSE(is_name(word)) << word;
  EXPECT_TRUE(is_name(std::string(kNameMax, 'E').replace(1, 1, "_")));
  EXPECT_FALSE(is_name(std::string(kNameMax + 1, 'x')));
  EXPECT_TRUE(is_name("_9"));
  EXPECT_TRUE(is_name("E1"));
}

TEST(TraceScript, WhatIsNotWellFormed) {
  ASSERT_TRUE(well_formed(family()));
  const auto broken_by = [](auto change) {
    Script script = family();
    change(script);
    return !well_formed(script);
  };
  EXPECT_TRUE(broken_by([](Script& s) { s.names[1] = "init"; }));
  EXPECT_TRUE(broken_by([](Script& s) { s.names[1] = "B"; }));
  EXPECT_TRUE(broken_by([](Script& s) { s.names[1] = "no name"; }));
  EXPECT_TRUE(broken_by([](Script& s) { s.names.push_back("C"); }));
  EXPECT_TRUE(broken_by([](Script& s) { s.world.pid_max = kPidMaxMin - 1; }));
  EXPECT_TRUE(broken_by([](Script& s) { s.head = {"two\nlines"}; }));
  EXPECT_TRUE(broken_by([](Script& s) { s.steps[0].actor = 1; }));
  EXPECT_TRUE(broken_by([](Script& s) { s.steps[0].pid = Pid{0}; }));
  EXPECT_TRUE(broken_by([](Script& s) { std::swap(s.steps[0], s.steps[1]); }));
  EXPECT_TRUE(broken_by([](Script& s) { s.steps[2].outcome = Outcome::success(); }));
  EXPECT_TRUE(broken_by([](Script& s) { s.steps[2].binds = 3; }));
  EXPECT_TRUE(broken_by([](Script& s) { s.steps[3].outcome->value = 1; }));
  EXPECT_TRUE(broken_by([](Script& s) { s.steps[3].outcome->who = TaskRef::name(3); }));
  EXPECT_TRUE(broken_by([](Script& s) { s.steps[3].expectations[1].value.n = kStates.size(); }));
  EXPECT_TRUE(broken_by([](Script& s) { s.steps[3].expectations[1].value.n = 256; }));
  EXPECT_TRUE(broken_by([](Script& s) { s.steps[3].expectations[0].bits = 1; }));
  EXPECT_TRUE(broken_by([](Script& s) { s.steps[4].op = Clone{{}, CloneFlags{1}, {}}; }));
}

TEST(TraceScript, MendingLeavesOutWhatIsGone) {
  Script script = family();
  script.steps.erase(script.steps.begin() + 1);  // B is never made
  mend(script);
  EXPECT_EQ(print(script),
            "forkproof-trace v1\n\n"
            "init: fork -> A\n"
            "A: wait4 4194304 -> 4194304 exited 3\n"
            "expect A ppid init\n"
            "init: kill 4194304 SIGTERM\n");
}

RC_GTEST_PROP(TraceScript, WhatIsWellFormedNeedsNoMending, ()) {
  const Script script = *props::arbitrary_script();
  Script mended = script;
  mend(mended);
  RC_ASSERT(mended == script);
}

RC_GTEST_PROP(TraceScript, MendedItIsWellFormed, ()) {
  Script script = *props::arbitrary_script();
  std::vector<Step> steps;
  for (std::size_t n = script.steps.size(); n > 0; --n)  // some, in any order, some twice
    if (props::once_in(2)) steps.push_back(props::one_of(script.steps));
  script.steps = steps;
  mend(script);
  RC_ASSERT(well_formed(script));
  RC_ASSERT(script.steps.size() <= steps.size());
}

RC_GTEST_PROP(TraceScript, ResolvingLeavesNoName, ()) {
  const Op op = props::pick_op(4);
  const std::vector<Pid> numbers{{1}, {20}, {21}};  // name 3 was never bound
  std::vector<Pid> expected, got;
  for_each_ref(op, [&](const TaskRef& r) {
    const bool unbound = r.named && r.n == 3;
    expected.push_back(unbound ? kNeverAPid : r.named ? numbers[static_cast<std::size_t>(r.n)]
                                                      : r.pid());
  });
  const Op resolved = resolve(op, numbers);
  for_each_ref(resolved, [&](const TaskRef& r) {
    RC_ASSERT(!r.named);
    got.push_back(r.pid());
  });
  RC_ASSERT(got == expected);
  RC_ASSERT(resolved.index() == op.index());
}

TEST(TraceScript, OpsAreFoundByNameAndNumber) {
  for (std::size_t i = 0; i < kOps; ++i) {
    EXPECT_EQ(default_op(i).index(), i);
    EXPECT_EQ(op_index(name_of(default_op(i))), i);
  }
  EXPECT_EQ(op_index("frok"), std::nullopt);
}

TEST(TraceScript, AViewMeetsWhatItShows) {
  TaskView view;
  view.state = State::zombie;
  view.ppid = {20};
  view.exit_code = 512;
  view.flags = task_flag::exiting;
  view.blocked = sigset(10, 40);
  const std::vector<Pid> numbers{{1}, {20}};
  const std::vector<std::string> names{"init", "A"};
  std::string shown;
  for (std::size_t field = 0; field < kFields; ++field) {
    const Expectation e = expectation_of(TaskRef::name(1), field, view);
    EXPECT_TRUE(meets(view, e, numbers));
    EXPECT_FALSE(meets(TaskView{State::running, {9}, {9}, {9}, {9}, {9}, 9, 9, task_flag::signaled,
                                9, {9}, {9}, {9}, {9}, {9}, Comm::helper, 9, Policy::rr, 9, 9, 9,
                                User::bob, capability::all, {9}, 9},
                       e, numbers))
        << field;
    shown += to_text(e, names) + ' ';
  }
  EXPECT_EQ(shown, "zombie 0 0 20 0 0 0 512 EXITING 0 none none SIGUSR1|40 none none "
                   "puppet 0 OTHER 0 0 0 root 0 0 0 ");
  Expectation by_name = expectation_of(TaskRef::name(1), *field_index("ppid"), view);
  by_name.value = TaskRef::name(1);
  EXPECT_TRUE(meets(view, by_name, numbers));
}

}  // namespace
}  // namespace forkproof
