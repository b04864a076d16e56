/// A system and the spec on their way through the states of an exploration. A walker can go on from
/// where another one is.
#pragma once
#include <optional>

#include "harness/followed_choice.hpp"
#include "harness/lockstep.hpp"
#include "harness/naming.hpp"
#include "spec/model.hpp"

namespace forkproof::harness {

/// The system in lockstep with the spec. Where the spec leaves a choice, the system makes it.
template <SystemUnderTest System>
class LockstepWalker {
 public:
  explicit LockstepWalker(const System& system) : system_(system) {}
  LockstepWalker(const LockstepWalker& other) : system_(other.system_) { go_on_from(other); }
  LockstepWalker& operator=(const LockstepWalker& other) {
    go_on_from(other);
    return *this;
  }
  ~LockstepWalker() = default;

  void begin(const WorldSpec& world) { lockstep_.begin(world); }
  void go_on_from(const LockstepWalker& other) {
    system_ = other.system_;
    lockstep_.go_on_from(other.lockstep_);
  }

  /// Does a step; the picks are the system's. False: there is a violation.
  bool step(const Step& s, const FollowedChoice::Picks&) { return lockstep_.step(s); }
  /// Compares everything.
  bool look() { return lockstep_.finish(); }
  /// The next way to pick in the last step; empty where there is none.
  FollowedChoice::Picks next_picks() const { return {}; }

  std::optional<Violation> violation(const Script& script) {
    return lockstep_.take_violation(script);
  }
  const spec::Model& model() const { return lockstep_.model(); }
  const Naming& naming() const { return lockstep_.naming(); }
  Coverage& coverage() { return lockstep_.coverage(); }

 private:
  System system_;
  Lockstep<System> lockstep_{system_};
};

/// The spec alone, with every choice that it leaves, and all its invariants.
class ModelWalker {
 public:
  void begin(const WorldSpec& world) {
    model_.reset(world);
    naming_.begin(model_.world());
    steps_ = 0;
  }
  void go_on_from(const ModelWalker& other) {
    model_.go_on_from(other.model_);
    naming_ = other.naming_;
    steps_ = other.steps_;
  }

  bool step(const Step& s, const FollowedChoice::Picks& picks) {
    const Pid actor = naming_.current(s.actor, model_.world());
    choice_.follow(picks);
    const Effects& said = model_.apply(actor, resolve(s.op, naming_.numbers()), choice_);
    naming_.bind(s, actor, said, model_.world());
    for (const RuleId rule : model_.fired()) coverage_.rules.set(rule.n);
    ++steps_;
    return true;
  }
  /// Checks every invariant everywhere.
  bool look() {
    const spec::World& world = model_.world();
    if (!coverage_.witnessed.all()) witness();
    std::string_view lost = spec::broken_by(world);
    world.tasks.for_each([&](spec::TaskId id, const spec::Task&) {
      if (lost.empty()) lost = spec::broken_by(world, id);
    });
    if (lost.empty()) return true;
    violation_ = invariant_violation(lost);
    violation_->step = steps_ - 1;
    return false;
  }
  FollowedChoice::Picks next_picks() const { return choice_.next(); }

  std::optional<Violation> violation(const Script& script) {
    if (violation_) violation_->trace = script;
    return std::exchange(violation_, std::nullopt);
  }
  const spec::Model& model() const { return model_; }
  const Naming& naming() const { return naming_; }
  Coverage& coverage() { return coverage_; }

 private:
  void witness() {
    model_.world().tasks.for_each([&](spec::TaskId id, const spec::Task&) {
      spec::for_each_sometimes([&]<class S>(std::size_t i) {
        if (!coverage_.witnessed[i] && S::holds(model_.world(), id)) coverage_.witnessed.set(i);
      });
    });
  }

  spec::Model model_;
  FollowedChoice choice_;
  Naming naming_;
  Coverage coverage_;
  std::size_t steps_ = 0;
  std::optional<Violation> violation_;
};

}  // namespace forkproof::harness
