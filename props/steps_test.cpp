/// The steps of a life: the text of the machine has them in the order of the tables, and each names
/// a source that exists.
#include <gtest/gtest.h>

#include <regex>

#include "impl/machine.hpp"
#include "props/tree.hpp"

namespace forkproof::props {
namespace {

using impl::CopyStep;
using impl::Machine;

/// The body of a member function of the machine, as one text. Comments name the steps in which
/// nothing is to be done.
std::string body_of(const std::string& file, const std::string& function) {
  std::string body;
  bool inside = false;
  for (const std::string& line : read_lines(fs::path(FORKPROOF_SOURCE_DIR) / file)) {
    if (line.find("Machine::" + function + "(") != line.npos) inside = true;
    if (inside) body += line + '\n';
    if (line == "}") inside = false;
  }
  return body.substr(body.find('{') + 1);
}

/// An init that outlives its namespace does the last steps later.
std::string body_of_exit() {
  return body_of("impl/exit.cpp", "do_exit") + body_of("impl/exit.cpp", "leave_family");
}

/// Where a step is called, or named if there is nothing to do in it.
std::size_t find_step(const std::string& body, const impl::LifeStep& step, std::size_t from) {
  const std::regex call("(^|[^\\w])" + std::string(step.name) + "\\(");
  const std::regex name("\\b" + std::string(step.name) + "\\b");
  std::smatch found;
  const auto begin = body.begin() + static_cast<std::ptrdiff_t>(from);
  if (!std::regex_search(begin, body.end(), found, step.is_empty ? name : call)) return body.npos;
  const std::size_t end = from + static_cast<std::size_t>(found.position() + found.length());
  const std::size_t line = body.rfind('\n', end - 1) + 1;
  const bool in_comment = body.substr(line, end - line).find("//") != body.npos;
  return in_comment && !step.is_empty ? find_step(body, step, end) : end;
}

/// What of the steps is missing from the text, or not behind those before it.
Complaints check_order(const std::string& body, const auto& steps) {
  Complaints complaints;
  std::size_t at = 0;
  for (const impl::LifeStep& step : steps) {
    const std::size_t found = find_step(body, step, at);
    if (found == body.npos)
      complaints.push_back(std::string(step.name) + " is not called in its place");
    else
      at = found;
  }
  return complaints;
}

TEST(Steps, TheTextHasThemInTheirOrder) {
  EXPECT_EQ(check_order(body_of("impl/create.cpp", "copy_process"), impl::kCopyProcess),
            Complaints{});
  EXPECT_EQ(check_order(body_of("impl/create.cpp", "kernel_clone"), impl::kKernelClone),
            Complaints{});
  EXPECT_EQ(check_order(body_of_exit(), impl::kDoExit), Complaints{});
  EXPECT_EQ(check_order(body_of("impl/exit.cpp", "release_task"), impl::kReleaseTask),
            Complaints{});
}

/// Past the point of no return an exec has the steps that can fail in the order of ExecStep.
TEST(Steps, OfAnExecCanFailInTheirOrder) {
  const std::string body = body_of("impl/exec.cpp", "begin_new_exec");
  std::size_t at = 0;
  for (const Word& step : kExecSteps) {
    const std::size_t found = body.find("ExecStep::" + std::string(step.name), at);
    ASSERT_NE(found, body.npos) << step.name;
    at = found;
    const auto as = impl::step_of(static_cast<ExecStep>(step.value));
    EXPECT_EQ(impl::table_of(as).name, step.name);
    EXPECT_EQ(static_cast<std::uint64_t>(impl::late_step_of(as)), step.value);
  }
}

TEST(Steps, AnotherOrderIsSeen) {
  auto steps = impl::kDoExit;
  std::swap(steps[0], steps[1]);
  EXPECT_EQ(check_order(body_of_exit(), steps).size(), 1u);
}

TEST(Steps, EachCitesALabel) {
  const auto check = [](const auto& steps) {
    for (const impl::LifeStep& step : steps) {
      const std::size_t blank = step.source.find(' ');
      const std::string file = std::string(step.source.substr(0, blank)) + ".md";
      const std::string label = "* **" + std::string(step.source.substr(blank + 1)) + "** ";
      const auto lines = read_lines(fs::path(FORKPROOF_SOURCE_DIR) / "spec/sources" / file);
      EXPECT_TRUE(std::ranges::any_of(
          lines, [&](const std::string& line) { return line.starts_with(label); }))
          << step.name << ": " << step.source;
    }
  };
  check(impl::kCopyProcess);
  check(impl::kKernelClone);
  check(impl::kDoExit);
  check(impl::kReleaseTask);
  check(impl::kElsewhere);
}

/// The n-th thing to fail is the n-th that runs, and every step that can fail does once.
TEST(Steps, FailInTheirOrder) {
  Machine machine;
  machine.apply(kInit, Mmap{});
  machine.apply(kInit, Write{.page = 0, .value = 7});
  machine.apply(kInit, Sigaction{.signal = sig::usr1, .disposition = Disposition::ignore,
                                 .flags = {}});
  machine.apply(kInit, Open{});
  machine.apply(kInit, Umask{.mask = 0});
  const Machine before = machine;
  std::vector<CopyStep> failed;
  for (unsigned nth = 1;; ++nth) {
    Machine tried = before;
    tried.fail_at(nth);
    const Outcome outcome = tried.apply(kInit, Fork{}).outcome;
    if (!tried.failed_at()) {
      EXPECT_EQ(outcome.kind, Outcome::Kind::task);
      EXPECT_FALSE(tried.same_as(before)) << "nothing is compared";
      break;
    }
    failed.push_back(*tried.failed_at());
    EXPECT_EQ(outcome, Outcome::failure(impl::table_of(failed.back()).no_room));
    EXPECT_EQ(tried.same_as(before), failed.back() != CopyStep::can_fork) << nth;
  }
  EXPECT_EQ(failed, (std::vector{CopyStep::dup_task_struct, CopyStep::copy_files,
                                 CopyStep::copy_fs, CopyStep::copy_sighand, CopyStep::copy_signal,
                                 CopyStep::copy_mm, CopyStep::copy_io, CopyStep::copy_thread,
                                 CopyStep::alloc_pid, CopyStep::can_fork}));
}

/// A task of three numbers: each of them can be the one for which there is no room. What was passed
/// stays passed, and the first of a namespace is its first again.
TEST(Steps, FailInEachNamespace) {
  for (const Profile profile : {Profile::linux_6, Profile::linux_4_12}) {
    Machine machine{WorldSpec{.profile = profile}};
    const auto number = [&](Pid actor, const Op& op) {
      return Pid{static_cast<std::int32_t>(machine.apply(actor, op).outcome.who.n)};
    };
    const Clone below{{}, clone_flag::newpid, ExitSignal{}};
    const Pid outer = number(kInit, below);
    machine.apply(outer, below);
    const Pid inner{outer.n + 1};
    const Machine before = machine;
    std::size_t refused = 0;
    for (unsigned nth = 1;; ++nth) {
      Machine tried = before, expected = before, after = before;
      tried.fail_at(nth);
      const Outcome outcome = tried.apply(inner, Fork{}).outcome;
      if (!tried.failed_at()) break;
      if (*tried.failed_at() == CopyStep::alloc_pid && ++refused > 1) {
        after.apply(inner, Fork{});
        if (refused > 2) expected.pass_numbers(after, inner, false, refused - 2);
      }
      if (*tried.failed_at() > CopyStep::alloc_pid) continue;
      EXPECT_EQ(outcome, Outcome::failure(Errno::nomem));
      EXPECT_TRUE(tried.same_as(expected)) << nth;
      EXPECT_EQ(tried.same_as(before), refused < 3) << nth;
      EXPECT_TRUE(tried.sound());
    }
    EXPECT_EQ(refused, 1 + 3u);
  }
}

/// kthreadd makes the thread, and who asked for it is told why there is none, now or when it runs.
TEST(Steps, AKernelThreadFailsForWhoAskedForIt) {
  for (const Profile profile : {Profile::linux_6, Profile::linux_4_12}) {
    Machine before{WorldSpec{.profile = profile, .kthreads = true}};
    before.gets_processor(kInit);
    std::vector<CopyStep> failed;
    for (unsigned nth = 1;; ++nth) {
      Machine tried = before;
      tried.fail_at(nth);
      const Outcome outcome = tried.apply(kInit, KthreadRun{}).outcome;
      if (!tried.failed_at()) break;
      failed.push_back(*tried.failed_at());
      EXPECT_EQ(outcome, Outcome::failure(impl::errno_of(failed.back(), profile)));
      EXPECT_TRUE(tried.sound());
      EXPECT_EQ(tried.same_as(before), !impl::comes_after_number(failed.back(), profile)) << nth;
    }
    EXPECT_EQ(failed.front(), CopyStep::kthread_create);
    EXPECT_EQ(std::ranges::count(failed, CopyStep::set_kthread_struct), 1);

    before.apply({}, HoldKthreadd{{}, {}, 1});
    Machine held = before;
    EXPECT_EQ(held.apply(kInit, KthreadCreate{}).outcome.kind, Outcome::Kind::blocks);
    held.fail_at(1);
    const Effects& seen = held.apply({}, HoldKthreadd{{}, {}, 0});
    ASSERT_EQ(seen.returned.size(), 1u);
    EXPECT_EQ(seen.returned[0].outcome, Outcome::failure(Errno::nomem));
    EXPECT_TRUE(held.sound());
    std::vector<Pid> tasks;
    held.tasks(tasks);
    EXPECT_EQ(tasks, (std::vector{kInit, kKthreadd}));
  }
}

}  // namespace
}  // namespace forkproof::props
