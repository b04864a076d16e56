/// The engine `random` on several processors: processes that share a tally and nothing else.
#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <span>
#include <thread>

#include "harness/campaign.hpp"
#include "harness/system_fault.hpp"
#include "harness/waitable_children.hpp"
#include "spec/text.hpp"

namespace forkproof::harness {

namespace {

constexpr std::chrono::milliseconds kLookEvery{10};
constexpr std::uint64_t kNone = UINT64_MAX;

/// What one process tells the others.
struct alignas(64) Tally {
  std::atomic<std::uint64_t> traces, ops, current{kNone};
  std::atomic<bool> done{false};  // it came to the end of its work
  Coverage coverage;              // once it is done
  char seen[2048] = {};           // the violation, in words
  char failure[256] = {};         // why it came to no end
  struct Reason {
    char says[256] = {};
    std::atomic<std::uint64_t> traces;
  } beyond[48];  // why traces were left out; the last one is all the rest

  void leave_out(std::string_view why);
};

/// What all of them share.
struct Board {
  std::atomic<std::uint64_t> first_bad{kNone};  // the least trace that did not hold
  std::atomic<bool> stop{false};
  Tally tallies[CPU_SETSIZE];
};

class SharedBoard {
 public:
  SharedBoard() {
    void* const at =
        ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw SystemFault("no memory to share with the processes of a campaign");
    board_ = new (at) Board;
  }
  ~SharedBoard() { ::munmap(board_, sizeof(Board)); }
  SharedBoard(const SharedBoard&) = delete;
  SharedBoard& operator=(const SharedBoard&) = delete;
  Board& operator*() { return *board_; }
  Board* operator->() { return board_; }

 private:
  Board* board_;
};

void take_processor(std::size_t n) {
  cpu_set_t all, one;
  if (::sched_getaffinity(0, sizeof all, &all) != 0) return;
  std::size_t left = n % static_cast<std::size_t>(std::max(1, CPU_COUNT(&all)));
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &all) || left-- > 0) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    ::sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

/// As much of a text as there is room for.
template <std::size_t kRoom>
void put(char (&room)[kRoom], std::string_view text) {
  room[text.copy(room, kRoom - 1)] = 0;
}

void Tally::leave_out(std::string_view why) {
  Reason* reason = std::begin(beyond);
  while (reason->traces != 0 && reason->says != why) {
    if (++reason != std::end(beyond) - 1) continue;
    why = "other reasons";
    break;
  }
  if (reason->traces++ == 0) put(reason->says, why);
}

/// The life of process `n` of `jobs`.
void work(const Opener& open, std::size_t n, std::size_t jobs, const Campaign& campaign,
          Clock::time_point start, Board& board) {
  const auto checker = open();
  Tally& tally = board.tallies[n];
  for (std::uint64_t k = n; !board.stop && k < board.first_bad; k += jobs) {
    if (campaign.traces && k >= *campaign.traces) break;
    if (campaign.time && Clock::now() - start >= *campaign.time) break;
    tally.current = k;
    std::uint64_t ops = 0;
    const auto violation = checker->run_random(campaign.seed + k, profile_of(campaign, k), ops);
    if (is_beyond(violation))
      tally.leave_out(violation->observed);
    else
      ++tally.traces;
    tally.ops += ops;  // of what was compared
    if (!violation || is_beyond(violation)) continue;
    put(tally.seen, fmt::format("{}: observed {}, allowed {}; {}", violation->id,
                                violation->observed, violation->allowed, print(violation->trace)));
    std::uint64_t first = board.first_bad;
    while (k < first && !board.first_bad.compare_exchange_weak(first, k)) continue;
    break;
  }
  tally.current = kNone;
  tally.coverage = checker->coverage();
  tally.done = true;
}

[[noreturn]] void be_worker(const Opener& open, std::size_t n, std::size_t jobs,
                            const Campaign& campaign, Clock::time_point start, pid_t maker,
                            Board& board) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != maker) ::_exit(1);
  for (const int signal : {SIGINT, SIGTERM}) ::signal(signal, SIG_IGN);  // the maker decides
  take_processor(n);
  try {
    work(open, n, jobs, campaign, start, board);
  } catch (const std::exception& e) {
    put(board.tallies[n].failure, e.what());
  }
  ::_exit(board.tallies[n].done ? 0 : 1);
}

/// The processes of a campaign. None outlives it.
class Workers {
 public:
  explicit Workers(Board& board) : board_(board) {}
  ~Workers() {
    for (const pid_t pid : pids_)
      if (pid != 0) ::kill(pid, SIGKILL), ::waitpid(pid, nullptr, 0);
  }

  void start(const Opener& open, std::size_t jobs, const Campaign& campaign,
             Clock::time_point start) {
    std::fflush(stdout);
    const pid_t maker = ::getpid();
    for (std::size_t n = 0; n < jobs; ++n) {
      const pid_t pid = ::fork();
      if (pid == 0) be_worker(open, n, jobs, campaign, start, maker, board_);
      if (pid < 0) throw SystemFault("no process can be made for a campaign");
      pids_.push_back(pid);
    }
  }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// Whether some are still at work. Takes down how one died that should not have.
  bool working() {
    bool some = false;
    for (std::size_t n = 0; n < pids_.size(); ++n) {
      int status = 0;
      if (pids_[n] == 0) continue;
      if (::waitpid(pids_[n], &status, WNOHANG) == 0) {
        some = true;
        continue;
      }
      pids_[n] = 0;
      if (status != 0 || !board_.tallies[n].done) note_death(n, status);
    }
    return some;
  }

  /// How a process died, and of which trace; empty if none did.
  const std::string& death() const { return death_; }
  std::uint64_t died_at() const { return died_at_; }

 private:
  void note_death(std::size_t n, int status) {
    if (death_.empty() || board_.tallies[n].current < died_at_) {
      died_at_ = board_.tallies[n].current;
      death_ = board_.tallies[n].failure;
      if (death_.empty())
        death_ =
            WIFSIGNALED(status)
                ? fmt::format("the process that ran it was killed by signal {}", WTERMSIG(status))
                : fmt::format("the process that ran it ended with status {}", WEXITSTATUS(status));
    }
    board_.stop = true;
  }

  WaitableChildren waitable_;
  Board& board_;
  std::vector<pid_t> pids_;  // 0 once it has ended
  std::string death_;
  std::uint64_t died_at_ = kNone;
};

/// The violation of trace `k`, if a checker of our own sees it every time: a stranger who comes
/// and goes may be there twice, but hardly always.
Violation again(Checker& checker, const Campaign& campaign, std::uint64_t k, const Tally& tally) {
  constexpr int kTimes = 8;
  std::uint64_t ops = 0;
  std::optional<Violation> violation;
  for (int times = 0; times < kTimes; ++times) {
    violation = checker.run_random(campaign.seed + k, profile_of(campaign, k), ops);
    if (!violation || is_beyond(violation)) break;
  }
  if (violation && !is_beyond(violation)) return std::move(*violation);
  const std::string_view then = violation ? "was left out" : "did";
  return unknown(
      fmt::format("it did not hold once, and {} when it was run again: {}", then, tally.seen), 0,
      {});
}

}  // namespace

void run_campaign(const Opener& open, std::size_t jobs, const Campaign& campaign, Results& results,
                  const Watch& watch) {
  const Clock::time_point start = Clock::now();
  const Results before = results;
  SharedBoard board;
  jobs = std::min<std::size_t>(jobs, CPU_SETSIZE);
  const std::span<const Tally> tallies(board->tallies, jobs);
  Workers workers(*board);
  workers.start(open, jobs, campaign, start);
  const auto add_up = [&] {
    results.traces = before.traces, results.ops = before.ops;
    for (const Tally& tally : tallies) results.traces += tally.traces, results.ops += tally.ops;
    results.seconds = before.seconds + seconds_since(start);
  };
  while (workers.working()) {
    std::this_thread::sleep_for(kLookEvery);
    add_up();
    if (!watch(results)) board->stop = true;
  }
  add_up();
  for (const Tally& tally : tallies) {
    results.coverage.add(tally.coverage);
    for (const Tally::Reason& reason : tally.beyond)
      if (reason.traces != 0) results.beyond[reason.says] += reason.traces;
  }

  Case c = case_of(campaign, results.system);
  if (const std::uint64_t k = workers.died_at(); k != kNone) {
    explain(*open(), campaign, k, unknown(workers.death(), 0, {}), results.system, c);
  } else if (const std::uint64_t bad = board->first_bad; bad != kNone) {
    const auto checker = open();
    explain(*checker, campaign, bad, again(*checker, campaign, bad, tallies[bad % jobs]),
            results.system, c);
  } else if (!workers.death().empty()) {
    throw SystemFault(workers.death());  // before it had begun
  }
  c.seconds = seconds_since(start);
  results.seconds = before.seconds + c.seconds;
  results.cases.push_back(std::move(c));
}

}  // namespace forkproof::harness
