/// Shrinking where it may end the process that does it, and what to do when it is stuck.
#include "harness/least.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <exception>
#include <string>
#include <string_view>

#include "harness/shrink.hpp"
#include "harness/system_fault.hpp"
#include "harness/waitable_children.hpp"
#include "spec/text.hpp"

namespace forkproof::harness {

namespace {

/// Told each smaller violation.
using Tell = std::function<void(const Violation&)>;

bool is_verdict(const std::optional<Violation>& v) {
  return v && v->kind != Violation::Kind::beyond && v->kind != Violation::Kind::unknown;
}

/// Whether `a` says the same as `b` in fewer steps; or something else, in three fewer at least.
bool is_better(const Violation& a, const Violation& b) {
  const std::size_t fewer = a.kind == b.kind && a.id == b.id ? 1 : 3;
  return a.trace.steps.size() + fewer <= b.trace.steps.size();
}

/// How something came to its end that was done in a process of its own; none: there was no process.
enum class End : std::uint8_t { whole, died, interrupted, none };

/// Does something in a process of its own. A signal that has a handler here is the end of it.
End in_own_process(auto&& work) {
  const pid_t maker = ::getpid(), worker = ::fork();
  if (worker < 0) return End::none;
  if (worker == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      if (::getppid() == maker) work();
    } catch (const std::exception&) {
      ::_exit(1);
    }
    ::_exit(0);
  }
  int status = 0;
  bool interrupted = false;
  while (::waitpid(worker, &status, 0) < 0 && errno == EINTR)
    interrupted = true, ::kill(worker, SIGKILL);
  return interrupted ? End::interrupted : status == 0 ? End::whole : End::died;
}

/// Runs what may end the process that does it.
class Runner {
 public:
  /// A careful one tries everything in a process of its own first: what ends that has no verdict.
  Runner(Checker& checker, bool careful) : checker_(checker), careful_(careful) {}

  /// When many have ended so, nothing more is run: each may have taken long to do it.
  std::optional<Violation> operator()(auto&& run) {
    if (deaths_ == kMostDeaths) return std::nullopt;
    if (careful_ && in_own_process([&] { run(checker_); }) != End::whole)
      return ++deaths_, std::nullopt;
    return run(checker_);
  }
  std::optional<Violation> of(const Script& s) {
    return (*this)([&](Checker& c) { return c.run(s); });
  }
  bool careful() const { return careful_; }

 private:
  static constexpr int kMostDeaths = 50;

  Checker& checker_;
  bool careful_;
  int deaths_ = 0;
};

/// How many traces are looked at for a better one than one of so many steps. To make a process for
/// each takes many times as long as to run it.
constexpr std::uint64_t tries_for(std::size_t steps, bool careful) {
  return (steps > 8 ? 60'000 : steps > 6 ? 20'000 : steps > 4 ? 1000 : 0) / (careful ? 30 : 1);
}

/// Better ones than `least`: in traces that are like it; one in eight times in those about what it
/// is about; and as often in those that come after it. Some that are found of each are shrunk, so
/// that the many of one leave the others their turn.
void look_for_others(Runner& run, const Campaign& campaign, std::uint64_t k, Violation least,
                     const Tell& tell) {
  constexpr std::uint64_t kTurns = 8;
  constexpr int kOthers = 40;
  enum Way : std::uint8_t { like, themed, any };
  int left[] = {kOthers, kOthers, kOthers};
  const auto try_one = [&](Way way, std::uint64_t seed) {
    const Profile profile = profile_of(campaign, k);
    std::uint64_t ops = 0;
    return run([&](Checker& c) {
      return way == like     ? c.run_like(least.trace, seed)
             : way == themed ? c.run_about(campaign.seed + k, seed, profile)
                             : c.run_random(seed, profile, ops);
    });
  };
  for (std::uint64_t i = 1; i <= tries_for(least.trace.steps.size(), run.careful()); ++i) {
    const Way way = i % kTurns == 0 ? any : i % kTurns == kTurns / 2 ? themed : like;
    if (left[way] == 0) continue;
    const std::optional<Violation> other = try_one(way, campaign.seed + k + i);
    if (!is_verdict(other)) continue;
    --left[way];
    Violation small = minimize(*other, [&](const Script& s) { return run.of(s); });
    if (!is_better(small, least)) continue;
    least = std::move(small);
    tell(least);
  }
}

void look_for_less(Runner run, const Campaign& campaign, std::uint64_t k,
                   const Violation& found, const Tell& tell) {
  Violation least = minimize(found, [&](const Script& s) {
    std::optional<Violation> v = run.of(s);
    if (is_verdict(v)) tell(*v);
    return v;
  });
  look_for_others(run, campaign, k, std::move(least), tell);
}

/// The traces that were told, in memory that two processes share. Each is whole, whenever the one
/// that tells may end.
class Told {
 public:
  Told() : at_(::mmap(nullptr, sizeof(Room), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0)) {
    if (at_ == MAP_FAILED) throw SystemFault("no memory to share with the process that shrinks");
    room_ = new (at_) Room;
  }
  ~Told() { ::munmap(at_, sizeof(Room)); }
  Told(const Told&) = delete;
  Told& operator=(const Told&) = delete;

  /// What there is no room for any more is not told.
  void tell(const Violation& v) {
    const std::string text = print(until_failure(v));
    const std::size_t used = room_->used;
    if (text.size() >= sizeof room_->text - used) return;
    room_->text[used + text.copy(room_->text + used, text.size())] = 0;
    room_->used = used + text.size() + 1;
  }

  /// Takes the trace that was told last.
  std::optional<Script> take_last() {
    if (room_->used == 0) return std::nullopt;
    const std::string_view all(room_->text, room_->used - 1);
    const std::size_t end = all.rfind('\0'), begin = end == all.npos ? 0 : end + 1;
    room_->used = begin;
    Parsed parsed = parse(all.substr(begin));
    return parsed.error ? Script{} : std::move(parsed.script);
  }

 private:
  struct Room {
    std::atomic<std::size_t> used = 0;
    char text[1U << 20];
  };
  void* at_;
  Room* room_;
};

}  // namespace

Violation least_like(Checker& checker, const Campaign& campaign, std::uint64_t k,
                     Violation found) {
  const Run run = [&](const Script& s) { return checker.run(s); };
  if (!checker.repeats()) return minimize(std::move(found), run);  // seen once more is no evidence

  const WaitableChildren waitable;
  for (const bool careful : {false, true}) {
    Told told;
    const End end = in_own_process([&] {
      look_for_less({checker, careful}, campaign, k, found,
                    [&](const Violation& v) { told.tell(v); });
    });
    if (end == End::none) return minimize(std::move(found), run);
    std::optional<Violation> least;
    while (std::optional<Script> script = least ? std::nullopt : told.take_last())
      least = checker.run(*script);
    if (least) found = std::move(*least);
    if (end != End::died) break;
  }
  return found;
}

}  // namespace forkproof::harness
