/// Rounds that race: each op of one has effects that come a little after its answer, and a
/// controller that looks too early sees them wrong. They go through the adapter for the kernel, and
/// are compared with what must come out, not with the model.
#pragma once
#include <algorithm>
#include <string_view>
#include <vector>

#include "harness/linux/system.hpp"
#include "harness/system_fault.hpp"
#include "spec/outcome.hpp"

namespace forkproof::props {

using harness::SystemFault;
using harness::kernel::Safeguards;
using System = harness::kernel::System;

/// A world with init and one child of it, `p`, which catches SIGUSR1, and what goes wrong in it.
class Ring {
 public:
  explicit Ring(const Safeguards& safeguards) : system_(safeguards) {}

  void begin() {
    system_.reset({});
    p = system_.apply(kInit, Fork{}).outcome.who.pid();
    Sigaction caught;
    caught.signal = sig::usr1;
    caught.disposition = Disposition::catch_;
    system_.apply(p, caught);
  }

  /// Does one op, and takes down whether all that it does was seen with it.
  void expect(Pid actor, const Op& op, const Outcome& outcome,
              const std::vector<Returned>& returned = {}) {
    const Effects& seen = system_.apply(actor, op);
    good_ =
        good_ && seen.outcome == outcome && std::ranges::is_permutation(seen.returned, returned);
  }
  /// The same of an op that makes a task, under whatever number.
  Pid expect_task(Pid actor, const Op& op, Outcome::Kind kind) {
    const Effects& seen = system_.apply(actor, op);
    good_ = good_ && seen.outcome.kind == kind && seen.returned.empty();
    return seen.outcome.who.pid();
  }

  /// What /proc shows now: the state, and that no signal waits to be dealt with.
  void expect_state(Pid task, State state) {
    const TaskView seen = system_.view(task);
    good_ = good_ && seen.state == state && seen.pending.empty() && seen.shared_pending.empty();
  }

  bool good() const { return good_; }
  void forgive() { good_ = true; }

  Pid p;

 private:
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

/// A handler that runs late would interrupt the pause that comes next.
inline void handler_runs(Ring& r) {
  r.expect(kInit, kill_with(r.p, sig::usr1), Outcome::success());
  r.expect_state(r.p, State::running);
  r.expect(r.p, Pause{}, kBlocks);
  r.expect(kInit, kill_with(r.p, sig::usr1), Outcome::success(),
           {{r.p, Outcome::failure(Errno::intr)}});
}

/// A stop that takes effect late would not be there to be waited for, and its task could act.
inline void task_stops(Ring& r) {
  using wait_option::continued, wait_option::nohang, wait_option::stopped;
  r.expect(kInit, kill_with(r.p, sig::stop), Outcome::success());
  r.expect_state(r.p, State::stopped);
  r.expect(kInit, wait_for(r.p, stopped | nohang),
           Outcome::news(r.p, Change::stopped, sig::stop.n));
  r.expect(r.p, Getpid{}, Outcome::of(Outcome::Kind::not_run));
  r.expect(kInit, kill_with(r.p, sig::cont), Outcome::success());
  r.expect(kInit, wait_for(r.p, continued | nohang), Outcome::news(r.p, Change::continued, 0));
  r.expect(r.p, Getpid{}, Outcome::task(r.p));
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
};
inline constexpr Race kRaces[] = {
    {"false blocked, a child dies", child_dies},
    {"false blocked, a child is dead", child_is_dead},
    {"late handler", handler_runs},
    {"late stop", task_stops},
    {"early release of a vfork", vfork_ends},
};

struct Count {
  std::uint64_t rounds = 0, wrong = 0, faults = 0;  // wrong includes those without a verdict
};

/// Runs rounds until there are so many, or `enough` says that there are.
Count run_rounds(const Race& race, const Safeguards& safeguards, std::uint64_t most,
                 auto&& enough) {
  Count count;
  Ring ring(safeguards);
  ring.begin();
  while (count.rounds < most && !enough(count)) {
    ++count.rounds;
    try {
      race.round(ring);
      if (ring.good()) continue;
    } catch (const SystemFault&) {
      ++count.faults;
    }
    ++count.wrong;
    ring.forgive();
    ring.begin();
  }
  return count;
}

}  // namespace forkproof::props
