/// The steps of a life: the text of the machine has them in the order of the tables, and each names
/// a source that exists.
#include <gtest/gtest.h>

#include "impl/machine.hpp"
#include "props/tree.hpp"

namespace forkproof::props {
namespace {

using impl::CopyStep;
using impl::Machine;

/// The body of a member function of the machine, as one text.
std::string body_of(const std::string& file, const std::string& function) {
  std::string body;
  bool inside = false;
  for (const std::string& line : read_lines(fs::path(FORKPROOF_SOURCE_DIR) / file)) {
    if (line.find("Machine::" + function + "(") != line.npos) inside = true;
    if (inside) body += line.substr(0, line.find("//")) + '\n';
    if (line == "}") inside = false;
  }
  return body.substr(body.find('{') + 1);
}

/// An init that outlives its namespace does the last steps later.
std::string body_of_exit() {
  return body_of("impl/exit.cpp", "do_exit") + body_of("impl/exit.cpp", "leave_family");
}

/// What of the steps is missing from the text, or not behind those before it.
Complaints check_order(const std::string& body, const auto& steps) {
  Complaints complaints;
  std::size_t at = 0;
  for (const impl::LifeStep& step : steps) {
    const std::size_t found = body.find(' ' + std::string(step.name) + '(', at);
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
  EXPECT_EQ(check_order(body_of_exit(), impl::kDoExit), Complaints{});
  EXPECT_EQ(check_order(body_of("impl/exit.cpp", "release_task"), impl::kReleaseTask),
            Complaints{});
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
  check(impl::kDoExit);
  check(impl::kReleaseTask);
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
                                 CopyStep::copy_mm, CopyStep::alloc_pid, CopyStep::can_fork}));
}

}  // namespace
}  // namespace forkproof::props
