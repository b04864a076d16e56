/// The peer of the lockstep: the same model and the same implementation under RapidCheck's own
/// engine for stateful tests, used as its manual says (RapidCheck, doc/state.md).
///
/// The state is the model, a value, with the names of a trace. A command advances it in `apply`.
/// In `run` it gets the state before the command, so it makes the next one of a copy, and compares
/// all that can be seen with what the implementation did: without an account of what a step may
/// touch, nothing less would do. The traces are the lockstep's own, step by step.
#pragma once
#include <memory>
#include <ostream>
#include <utility>
#include <vector>

#include <rapidcheck.h>
#include <rapidcheck/state.h>

#include "harness/generate.hpp"
#include "impl/machine.hpp"
#include "spec/derive.hpp"
#include "spec/invariants.hpp"
#include "spec/text.hpp"

namespace forkproof::bench {

struct PeerState {
  spec::Model model;
  harness::Naming naming;

  explicit PeerState(const WorldSpec& world) : model(world) { naming.begin(model.world()); }

  std::pair<Pid, Op> resolved(const Step& s) const {
    const Pid actor = is_by_world(s.op) ? Pid{} : naming.current(s.actor, model.world());
    return {actor, naming.resolved(s.op, actor, model.world())};
  }

  const Effects& advance(const Step& s) {
    spec::FirstChoice first;
    const auto [actor, op] = resolved(s);
    const Effects& said = model.apply(actor, op, first);
    naming.bind(s, actor, said, model.world());
    return said;
  }
};

class StepCommand final : public rc::state::Command<PeerState, impl::Machine> {
 public:
  explicit StepCommand(Step step) : step_(std::move(step)) {}

  void apply(PeerState& s0) const override { s0.advance(step_); }

  void run(const PeerState& s0, impl::Machine& machine) const override {
    const auto [actor, op] = s0.resolved(step_);
    const Effects& seen = machine.apply(actor, op);
    PeerState s1 = s0;
    const Effects& said = s1.advance(step_);
    RC_ASSERT(seen.outcome == said.outcome);
    RC_ASSERT(std::ranges::is_permutation(seen.returned, said.returned));
    compare_everything(s1.model, machine);
  }

  void show(std::ostream& os) const override { os << to_text(step_.op, {}); }

 private:
  static void compare_everything(const spec::Model& model, const impl::Machine& machine) {
    std::vector<Pid> tasks_seen, tasks_said;
    machine.tasks(tasks_seen);
    model.tasks(tasks_said);
    RC_ASSERT(tasks_seen == tasks_said);
    std::vector<PageView> pages_seen, pages_said;
    for (const Pid p : tasks_said) {
      RC_ASSERT(machine.view(p) == model.view(p));
      machine.pages(p, pages_seen);
      model.pages(p, pages_said);
      RC_ASSERT(pages_seen == pages_said);
    }
    RC_ASSERT(machine.sound());
    RC_ASSERT(spec::broken_by(model.world()).empty());
    model.world().tasks.for_each([&](spec::TaskId id, const spec::Task&) {
      RC_ASSERT(spec::broken_by(model.world(), id).empty());
    });
  }

  Step step_;
};

using PeerCommand = rc::state::Command<PeerState, impl::Machine>;
using PeerCommands = rc::state::Commands<PeerCommand>;

/// RapidCheck draws the length of a sequence, 1 to size + 1, before all else. This is a source of
/// random numbers with which it draws the most.
inline rc::Random random_for_longest(int size) {
  const auto n = static_cast<std::uint64_t>(size) + 1;
  for (std::uint64_t seed = 0;; ++seed)
    if (rc::Random random(seed); random.split().next() % n == n - 1) return rc::Random(seed);
}

/// `rc::state::check`, in its two halves: the commands by RapidCheck's engine out of our generator,
/// and then `runAll`.
inline PeerCommands peer_commands(std::uint64_t seed, Profile profile, const rc::Random& random,
                                  int size) {
  harness::Generator generator(seed, profile);
  const auto next = [&generator](const PeerState& state) {
    return rc::Gen<std::shared_ptr<const PeerCommand>>([&](const rc::Random&, int) {
      std::shared_ptr<const PeerCommand> command =
          std::make_shared<StepCommand>(generator.next(state.model, state.naming).value());
      return rc::shrinkable::just(std::move(command));
    });
  };
  const auto start = [world = generator.world()] { return PeerState(world); };
  return rc::state::gen::commands(start, next)(random, size).value();
}

inline void peer_run(const WorldSpec& world, const PeerCommands& commands, impl::Machine& machine) {
  machine.reset(world);
  rc::state::runAll(commands, [&] { return PeerState(world); }, machine);
}

}  // namespace forkproof::bench
