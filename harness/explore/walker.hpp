/// A system and the spec on their way through the states of an exploration. A walker can go on from
/// where another one is.
#pragma once
#include <optional>

#include "harness/explore/explore.hpp"
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

  /// Takes a step from `base` on, with each thing failing in turn that can fail in it. Nothing must
  /// remain of that, but for the cursors where numbers were passed, and the step must then do what
  /// the spec says. False: there is a violation.
  bool survives_faults(const LockstepWalker& base, const Step& s, FaultCounts& counts)
    requires requires(System& system) { system.fail_at(1); }
  {
    const Pid actor = base.naming().current(s.actor, base.model().world());
    const Op op = base.naming().resolved(s.op, actor, base.model().world());
    const TaskView view = base.system_.view(actor);
    if (!((view.pending | view.shared_pending) - view.blocked).empty())
      return ++counts.interrupted > 0;
    if (std::holds_alternative<Exec>(op) && view.tracer.n != 0) return true;  // forkproof EXEC:1
    // An exec that finds room for processes forgets that there was none, whatever fails then.
    if (std::holds_alternative<Exec>(op) && view.flags.has(task_flag::nproc_exceeded)) return true;
    std::size_t refused = 0;  // how often there was no room for a number
    for (unsigned nth = 1;; ++nth) {
      go_on_from(base);
      system_.fail_at(nth);
      const Effects& seen = system_.apply(actor, op);
      const auto at = system_.failed_at();
      system_.fail_at(0);
      if (!at) return true;
      ++counts.steps[static_cast<std::size_t>(*at)];
      if (impl::late_step_of(*at) != ExecStep::none) {
        if (!fails_as_said(base, *at, s)) return false;
        continue;
      }
      const std::size_t levels = passed_at(*at, base, refused);
      if (!undone(base, *at, levels, actor, op, seen)) return false;
      // Below the world's own pid namespace more cursors have passed numbers than a knob can.
      if (levels > 0 && base.model().world().namespaces.size() > 0) continue;
      if (levels == kAll && asks_for_none(op)) lockstep_.step(knob_);
      if (!lockstep_.step(s)) return false;
    }
  }
  /// The next way to pick in the last step; empty where there is none.
  FollowedChoice::Picks next_picks() const { return {}; }
  /// The step in whose place another one is that says what failed in it.
  const std::optional<Step>& said_instead() const { return instead_; }

  std::optional<Violation> violation(const Script& script) {
    if (fault_) fault_->trace = script;
    return fault_ ? std::exchange(fault_, std::nullopt) : lockstep_.take_violation(script);
  }
  const spec::Model& model() const { return lockstep_.model(); }
  const Naming& naming() const { return lockstep_.naming(); }
  Coverage& coverage() { return lockstep_.coverage(); }

 private:
  static constexpr std::size_t kAll = SIZE_MAX;

  /// The cursor is not moved on by who asks for a number.
  static bool asks_for_none(const Op& op) {
    const auto* const clone = std::get_if<Clone3>(&op);
    return clone == nullptr || clone->set_tid.size == 0;
  }
  static bool makes_pid_ns(const Op& op) {
    if (const auto* const clone = std::get_if<Clone3>(&op))
      return (clone->flags.bits & clone_flag::newpid.bits) != 0;
    const auto* const clone = std::get_if<Clone>(&op);
    return clone != nullptr && clone->flags.has(clone_flag::newpid);
  }
  /// How many namespaces have given a number when the step fails. alloc_pid fails before the first
  /// for want of a record, and then in each; `refused` counts that.
  static std::size_t passed_at(impl::CopyStep at, const LockstepWalker& base,
                               std::size_t& refused) {
    if (impl::comes_after_number(at, base.model().world().profile)) return kAll;
    if (at != impl::CopyStep::alloc_pid) return 0;
    return refused++ == 0 ? 0 : refused - 2;
  }

  /// Past the point of no return an exec does what `exec_fails` says.
  bool fails_as_said(const LockstepWalker& base, impl::CopyStep at, const Step& s) {
    const System failed = system_;
    Step said = s;
    said.op = ExecFails{impl::late_step_of(at)};
    instead_ = said;
    go_on_from(base);
    if (!lockstep_.step(said) || !lockstep_.finish()) return false;
    if (!system_.same_as(failed)) return broken(at, "another machine", "what exec_fails leaves");
    instead_.reset();
    return true;
  }

  bool broken(impl::CopyStep at, std::string observed, std::string allowed) {
    const impl::LifeStep& step = impl::table_of(at);
    const bool in_copy = at <= impl::CopyStep::attach;
    const bool late = impl::late_step_of(at) != ExecStep::none;
    fault_ = {.kind = Violation::Kind::unsound,
              .id = std::string(in_copy ? kStepOfCopy : late ? kStepOfExec : kStepElsewhere) +
                    std::string(step.name),
              .says = late ? "Where this step fails, the exec is `exec_fails`."
                           : "Where this step fails, nothing remains of the call.",
              .source = std::string(step.source),
              .observed = std::move(observed),
              .allowed = std::move(allowed),
              .in_play = {},
              .trace = {}};
    return false;
  }

  bool undone(const LockstepWalker& base, impl::CopyStep at, std::size_t levels, Pid actor,
              const Op& op, const Effects& seen) {
    const Outcome expected =
        Outcome::failure(impl::errno_of(at, base.model().world().profile));
    if (!(seen.outcome == expected) || !seen.returned.empty())
      return broken(at, describe(seen.outcome, {}), describe(expected, {}));
    System before = base.system_;
    before.gets_processor(actor);
    before.is_marked_as_in(system_, actor);
    const bool by_kthreadd =
        std::holds_alternative<KthreadCreate>(op) || std::holds_alternative<KthreadRun>(op);
    if (by_kthreadd && at != impl::CopyStep::kthread_create) before.has_waited(actor);
    if (levels > 0) {
      System after = base.system_;
      SetPidCursor passed;
      passed.value = after.apply(actor, op).outcome.who.n + 1;
      before.pass_numbers(after, by_kthreadd ? kKthreadd : actor, makes_pid_ns(op), levels);
      knob_.op = passed;
    }
    if (!system_.sound()) return broken(at, "an unsound system", "a sound one");
    return system_.same_as(before) || broken(at, "something remains", "the machine as it was");
  }

  System system_;
  Lockstep<System> lockstep_{system_};
  Step knob_;  // passes the number that a failed call has cost
  std::optional<Violation> fault_;
  std::optional<Step> instead_;
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
    const Op op = naming_.resolved(s.op, actor, model_.world());
    const Effects& said = model_.apply(actor, op, choice_);
    naming_.bind(s, actor, said, model_.world());
    for (const RuleId rule : model_.fired()) coverage_.rules.set(rule.n);
    ++steps_;
    return true;
  }
  /// Checks every invariant everywhere.
  bool look() {
    const spec::World& world = model_.world();
    coverage_.test(world);
    std::string_view lost = spec::broken_by(world);
    world.tasks.for_each([&](spec::TaskId id, const spec::Task&) {
      coverage_.witness(world, id);
      coverage_.test(world, id);
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
  spec::Model model_;
  FollowedChoice choice_;
  Naming naming_;
  Coverage coverage_;
  std::size_t steps_ = 0;
  std::optional<Violation> violation_;
};

}  // namespace forkproof::harness
