/// What user space can see of the running kernel's threads: the facts that worlds with kernel
/// threads take for granted. Where /proc is of a pid namespace that has none they cannot be seen.
#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "spec/words.hpp"

namespace forkproof::props {
namespace {

/// The beginning of a line of /proc/PID/stat.
struct Stat {
  std::string comm;
  char state = 0;
  std::int32_t ppid = -1, pgrp = -1, session = -1, tty = 0, tpgid = 0;
  std::uint64_t flags = 0;
};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<Stat> stat_of(const std::string& pid) {
  const std::string text = text_of("/proc/" + pid + "/stat");
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  Stat s;
  s.comm = text.substr(open + 1, close - open - 1);
  std::istringstream rest(text.substr(close + 1));
  rest >> s.state >> s.ppid >> s.pgrp >> s.session >> s.tty >> s.tpgid >> s.flags;
  return rest ? std::optional(s) : std::nullopt;
}

bool is_kthread(const Stat& s) { return TaskFlags{s.flags}.has(task_flag::kthread); }

/// All processes that /proc shows, by their numbers.
std::vector<std::string> processes() {
  std::vector<std::string> pids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") == std::string::npos) pids.push_back(std::move(name));
  }
  return pids;
}

class LinuxKthreads : public testing::Test {
 protected:
  void SetUp() override {
    const std::optional<Stat> second = stat_of("2");
    if (!second || second->comm != "kthreadd" || !is_kthread(*second))
      GTEST_SKIP() << "number 2 is not kthreadd here: a pid namespace has no kernel threads";
  }
};

TEST_F(LinuxKthreads, KthreaddIsNumberTwoWithoutParentGroupAndSession) {
  const Stat two = *stat_of("2");
  EXPECT_EQ(two.ppid, 0);
  EXPECT_EQ(two.pgrp, 0);
  EXPECT_EQ(two.session, 0);
  constexpr TaskFlags kFlags = task_flag::kthread | task_flag::nofreeze | task_flag::forknoexec;
  EXPECT_EQ(two.flags, kFlags.bits);
  EXPECT_NE(text_of("/proc/2/status").find("SigIgn:\tffffffffffffffff"), std::string::npos);
}

TEST_F(LinuxKthreads, InitIsNone) { EXPECT_FALSE(is_kthread(*stat_of("1"))); }

TEST_F(LinuxKthreads, AreChildrenOfKthreaddAndHaveNoMemory) {
  std::size_t seen = 0;
  for (const std::string& pid : processes()) {
    const std::optional<Stat> s = stat_of(pid);
    if (!s || !is_kthread(*s) || pid == "2") continue;
    const std::string maps = text_of("/proc/" + pid + "/maps");
    const std::string statm = text_of("/proc/" + pid + "/statm");
    if (!stat_of(pid)) continue;  // it has ended meanwhile
    EXPECT_EQ(s->ppid, kKthreadd.n) << pid;
    EXPECT_EQ(s->pgrp, 0) << pid;
    EXPECT_EQ(s->session, 0) << pid;
    EXPECT_EQ(maps, "") << pid;
    EXPECT_EQ(statm, "0 0 0 0 0 0 0\n") << pid;
    EXPECT_NE(std::string_view("RSDIP").find(s->state), std::string_view::npos) << s->state;
    ++seen;
  }
  EXPECT_GT(seen, 0U);
}

TEST_F(LinuxKthreads, HaveNoOtherChildrenThanKthreads) {
  for (const std::string& pid : processes()) {
    const std::optional<Stat> s = stat_of(pid);
    if (!s || s->ppid != kKthreadd.n) continue;
    EXPECT_TRUE(is_kthread(*s)) << pid << ' ' << s->comm;
  }
}

}  // namespace
}  // namespace forkproof::props
