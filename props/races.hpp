/// Rounds that race: each op of one has effects that come a little after its answer, and a
/// controller that looks too early sees them wrong. They go through the adapter for the kernel, and
/// are compared with what must come out, not with the model.
#pragma once
#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "harness/linux/system.hpp"
#include "harness/system_fault.hpp"
#include "spec/outcome.hpp"

namespace forkproof::props {

using harness::SystemFault;
using harness::kernel::Safeguards;
using System = harness::kernel::System;

/// A world of init and children of it that catch SIGUSR1, and whether something went wrong in it.
class Ring {
 public:
  explicit Ring(const Safeguards& safeguards) : safeguards_(safeguards), system_(safeguards) {}

  /// A new world, made with all the safeguards that there can be. On several processors even that
  /// can go wrong; it is done again then, and is no round.
  void begin(std::size_t children) {
    for (int tries = 0; tries < kTriesMax; ++tries) {
      good_ = true;
      system_.guard({});
      system_.reset({});
      crowd.clear();
      while (crowd.size() < children) {
        crowd.push_back(expect_task(kInit, Fork{}, Outcome::Kind::task));
        Sigaction caught;
        caught.signal = sig::usr1;
        caught.disposition = Disposition::catch_;
        expect(crowd.back(), caught, Outcome::success());
      }
      p = crowd.back();
      system_.guard(safeguards_);
      if (good_) return;
    }
    throw std::runtime_error("no world in which a race could be run");
  }

  /// Does one op, and takes down whether all that it does was seen with it. Once something was
  /// wrong the rest of a round is left out: nobody knows whom it would wait for.
  void expect(Pid actor, const Op& op, const Outcome& outcome,
              const std::vector<Returned>& returned = {}) {
    if (!good_) return;
    const Effects& seen = system_.apply(actor, op);
    good_ = seen.outcome == outcome && std::ranges::is_permutation(seen.returned, returned);
  }
  /// The same of an op that makes a task, under whatever number.
  Pid expect_task(Pid actor, const Op& op, Outcome::Kind kind) {
    if (!good_) return {};
    const Effects& seen = system_.apply(actor, op);
    good_ = seen.outcome.kind == kind && seen.returned.empty();
    return seen.outcome.who.pid();
  }

  /// What /proc shows now: the state, and that no signal waits to be dealt with.
  void expect_state(Pid task, State state) {
    if (!good_) return;
    const TaskView seen = system_.view(task);
    good_ = seen.state == state && seen.pending.empty() && seen.shared_pending.empty();
  }

  bool good() const { return good_; }

  std::vector<Pid> crowd;
  Pid p;  // the last of them

 private:
  static constexpr int kTriesMax = 1000;

  Safeguards safeguards_;
  System system_;
  bool good_ = true;
};

// --- the rounds ----------------------------------------------------------------------------------

constexpr Wait4 kWaitForAny{};
constexpr Wait4 wait_for(Pid p, WaitOptions options) {
  return {{Selector::Kind::task, TaskRef::number(p)}, options};
}
inline Op kill_with(Pid p, Signal s) { return Kill{{Target::Kind::task, TaskRef::number(p)}, s}; }
inline Op exit_with(std::int32_t code) {
  Exit op;
  op.code = code;
  return op;
}
inline const Outcome kBlocks = Outcome::of(Outcome::Kind::blocks);
inline const Outcome kNothing = Outcome::of(Outcome::Kind::nothing);

/// The parent sleeps in its wait when the child dies: its answer belongs to that exit.
inline void child_dies(Ring& r) {
  const Pid child = r.expect_task(r.p, Fork{}, Outcome::Kind::task);
  r.expect(r.p, kWaitForAny, kBlocks);
  r.expect(child, exit_with(7), kNothing, {{r.p, Outcome::news(child, Change::exited, 7)}});
}

/// The child is dead when the parent waits: it must not seem to sleep.
inline void child_is_dead(Ring& r) {
  const Pid child = r.expect_task(r.p, Fork{}, Outcome::Kind::task);
  r.expect(child, exit_with(7), kNothing);
  r.expect(r.p, kWaitForAny, Outcome::news(child, Change::exited, 7));
}

/// All are sent a signal at once. Handlers that run late would interrupt the pauses that come next;
/// and when they interrupt one, that belongs to the signal.
inline void handlers_run(Ring& r) {
  const Op signal_all = Kill{{Target::Kind::all, {}}, sig::usr1};
  r.expect(kInit, signal_all, Outcome::success());
  std::vector<Returned> interrupted;
  for (auto task = r.crowd.rbegin(); task != r.crowd.rend(); ++task) {
    r.expect(*task, Pause{}, kBlocks);
    interrupted.push_back({*task, Outcome::failure(Errno::intr)});
  }
  r.expect(kInit, signal_all, Outcome::success(), interrupted);
}

/// All are stopped at once. A stop that takes effect late would not be there to be seen or waited
/// for, and its task could act.
inline void tasks_stop(Ring& r) {
  using wait_option::continued, wait_option::nohang, wait_option::stopped;
  r.expect(kInit, Kill{{Target::Kind::all, {}}, sig::stop}, Outcome::success());
  for (auto task = r.crowd.rbegin(); task != r.crowd.rend(); ++task) {
    r.expect_state(*task, State::stopped);
    r.expect(kInit, wait_for(*task, stopped | nohang),
             Outcome::news(*task, Change::stopped, sig::stop.n));
    r.expect(*task, Getpid{}, Outcome::of(Outcome::Kind::not_run));
  }
  r.expect(kInit, Kill{{Target::Kind::all, {}}, sig::cont}, Outcome::success());
  for (const Pid task : r.crowd) {
    r.expect(kInit, wait_for(task, continued | nohang), Outcome::news(task, Change::continued, 0));
    r.expect(task, Getpid{}, Outcome::task(task));
  }
}

/// The maker is let go before the child can be waited for; the exit is over when both are so.
inline void vfork_ends(Ring& r) {
  const Pid child = r.expect_task(r.p, Vfork{}, Outcome::Kind::blocks);
  r.expect(child, exit_with(5), kNothing, {{r.p, Outcome::task(child)}});
  r.expect(r.p, wait_for(child, wait_option::nohang), Outcome::news(child, Change::exited, 5));
}

struct Race {
  std::string_view says;
  void (*round)(Ring&);
  std::size_t children = 1;  // of init
};
inline constexpr Race kRaces[] = {{"false blocked, a child dies", child_dies},
                                  {"false blocked, a child is dead", child_is_dead},
                                  {"late handlers", handlers_run, 6},
                                  {"late stops", tasks_stop, 6},
                                  {"early release of a vfork", vfork_ends}};

struct Count {
  std::uint64_t rounds = 0, wrong = 0, faults = 0;  // wrong includes those without a verdict
  double seconds = 0;
};

/// Runs rounds until there are so many, or `enough` says that there are.
Count run_rounds(const Race& race, const Safeguards& safeguards, std::uint64_t most,
                 auto&& enough) {
  const auto start = std::chrono::steady_clock::now();
  Count count;
  Ring ring(safeguards);
  ring.begin(race.children);
  while (count.rounds < most && !enough(count)) {
    ++count.rounds;
    try {
      race.round(ring);
      if (ring.good()) continue;
    } catch (const SystemFault&) {
      ++count.faults;
    }
    ++count.wrong;
    ring.begin(race.children);
  }
  count.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return count;
}

}  // namespace forkproof::props
