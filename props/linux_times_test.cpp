/// Processor times on the running kernel, which its adapter leaves out, as no two runs use the
/// same: what the spec says of them, told by real programs that use much or nothing.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

namespace forkproof::props {
namespace {

constexpr std::int64_t kMuch = 40'000, kLittle = 20'000;  // microseconds

struct Used {
  std::int64_t user = 0, system = 0;
  std::int64_t all() const { return user + system; }
};

Used used_by(int whose) {
  rusage usage{};
  ::getrusage(whose, &usage);
  const auto micros = [](const timeval& t) { return t.tv_sec * 1'000'000 + t.tv_usec; };
  return {micros(usage.ru_utime), micros(usage.ru_stime)};
}

/// Uses so much processor time in the program.
void burn() {
  const std::int64_t until = used_by(RUSAGE_SELF).all() + kMuch;
  for (volatile unsigned n = 0; used_by(RUSAGE_SELF).all() < until;)
    for (unsigned i = 0; i < 100'000; ++i) n = n + i;
}

/// Runs `child` in a process of its own, whose status is what it answers.
pid_t begin(const std::function<bool()>& child) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(child() ? 0 : 1);
  return pid;
}

bool ends_well(pid_t pid) {
  int status = -1;
  return ::waitpid(pid, &status, 0) == pid && status == 0;
}

/// Runs a scene in a process that has no times yet.
::testing::AssertionResult holds(const std::function<bool()>& scene) {
  if (ends_well(begin(scene))) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "it does not";
}

bool is_dead(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0;
}

bool burns() {
  burn();
  return true;
}

TEST(LinuxTimes, BeginAtZero) {
  burn();
  EXPECT_TRUE(holds([] {
    tms times{};
    ::times(&times);
    return used_by(RUSAGE_SELF).all() < kLittle && used_by(RUSAGE_CHILDREN).all() == 0 &&
           times.tms_cutime == 0 && times.tms_cstime == 0;
  }));
}

TEST(LinuxTimes, AreAddedByTheWaitAndOnce) {
  EXPECT_TRUE(holds([] {
    const pid_t child = begin(burns);
    if (!is_dead(child) || used_by(RUSAGE_CHILDREN).all() != 0) return false;
    if (!ends_well(child)) return false;
    const Used once = used_by(RUSAGE_CHILDREN);
    tms times{};
    ::times(&times);
    return once.all() >= kMuch && times.tms_cutime + times.tms_cstime > 0 &&
           ::waitpid(-1, nullptr, 0) < 0 && used_by(RUSAGE_CHILDREN).all() == once.all() &&
           used_by(RUSAGE_SELF).all() < kLittle;
  }));
}

TEST(LinuxTimes, OfGrandchildrenAreAdded) {
  EXPECT_TRUE(holds([] {
    const pid_t child = begin([] { return ends_well(begin(burns)); });
    return ends_well(child) && used_by(RUSAGE_CHILDREN).all() >= kMuch;
  }));
}

TEST(LinuxTimes, OfTheUnwaitedAreLost) {
  EXPECT_TRUE(holds([] {
    ::signal(SIGCHLD, SIG_IGN);
    begin(burns);
    return ::waitpid(-1, nullptr, 0) < 0 && used_by(RUSAGE_CHILDREN).all() == 0;
  }));
  EXPECT_TRUE(holds([] {
    struct sigaction action{};
    action.sa_flags = SA_NOCLDWAIT;
    ::sigaction(SIGCHLD, &action, nullptr);
    begin(burns);
    return ::waitpid(-1, nullptr, 0) < 0 && used_by(RUSAGE_CHILDREN).all() == 0;
  }));
}

/// The fields of /proc/self/stat as a program has them that was executed after `burn`.
TEST(LinuxTimes, AreKeptByExec) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = begin([&] {
    burn();
    ::dup2(pipe[1], STDOUT_FILENO);
    ::execl("/bin/cat", "cat", "/proc/self/stat", nullptr);
    return false;
  });
  ::close(pipe[1]);
  std::string stat(4096, '\0');
  const ssize_t size = ::read(pipe[0], stat.data(), stat.size());
  ::close(pipe[0]);
  ASSERT_TRUE(ends_well(child));
  ASSERT_GT(size, 0);
  unsigned long user = 0, system = 0;
  ASSERT_EQ(std::sscanf(stat.c_str(),
                        "%*d (cat) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                        &system),
            2);
  const auto hertz = static_cast<unsigned long>(::sysconf(_SC_CLK_TCK));
  EXPECT_GE((user + system) * 1'000'000 / hertz, static_cast<unsigned long>(kLittle)) << stat;
}

}  // namespace
}  // namespace forkproof::props
