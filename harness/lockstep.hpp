/// Lockstep: the refinement theorem, step by step. The op is applied to the system; the model
/// follows, with what was observed deciding where the spec leaves a choice; then everything that
/// the step can have changed is compared, and every invariant that it can have broken is checked.
///
/// A step costs what it touches, whatever the number of tasks: everything is compared only every
/// so often (so that it adds O(1) a step) and at the end.
#pragma once
#include <algorithm>
#include <span>
#include <string>

#include "harness/coverage.hpp"
#include "harness/describe.hpp"
#include "harness/followed_choice.hpp"
#include "harness/naming.hpp"
#include "harness/system.hpp"
#include "harness/violation.hpp"
#include "spec/derive.hpp"
#include "spec/invariants.hpp"
#include "spec/model.hpp"

namespace forkproof::harness {

/// What of a step is checked. `full` compares everything after every step; `outcomes` compares
/// state at the end only, for systems that are slow to look at.
enum class Depth : std::uint8_t { touched, full, outcomes };

template <SystemUnderTest System>
class Lockstep {
 public:
  explicit Lockstep(System& system, Depth depth = Depth::touched)
      : system_(system), depth_(depth) {}

  void begin(const WorldSpec& world) {
    system_.reset(world);
    model_.reset(world);
    world_ = world;
    past_.clear();
    past_picks_.clear();
    seen_past_.clear();
    naming_.begin(model_.world());
    names_ = {};
    steps_ = since_full_ = 0;
    crowded_ = false;
    for (auto* const pages : {&pages_seen_, &pages_said_}) pages->clear();  // so that all runs
    for (auto* const tasks : {&tasks_seen_, &tasks_said_}) tasks->clear();  // begin alike
    violation_.reset();
  }

  /// Goes on from where another one is, whose system has the state that ours has. What either has
  /// covered stays its own.
  void go_on_from(const Lockstep& other) {
    model_.go_on_from(other.model_);
    world_ = other.world_;
    past_ = other.past_;
    past_picks_ = other.past_picks_;
    seen_past_ = other.seen_past_;
    naming_ = other.naming_;
    names_ = {};
    steps_ = other.steps_;
    since_full_ = other.since_full_;
    crowded_ = other.crowded_;
    violation_.reset();
  }

  /// Does one step. False: there is a violation.
  bool step(const Step& s) {
    const Pid actor = is_by_world(s.op) ? Pid{} : naming_.current(s.actor, model_.world());
    const Op op = naming_.resolved(s.op, actor, model_.world());
    const Effects& seen = system_.apply(actor, op);
    choice_.follow({});
    model_.apply(actor, op, choice_);
    naming_.bind(s, actor, seen, model_.world());
    const bool agree = (agrees(actor, seen) || explains_otherwise(actor, op, seen)) &&
                       keeps_invariants() && as_expected(s, actor, seen);
    crowded_ |= model_.was_crowded();
    ++steps_;
    if (past_.size() < kPastMax) remember(actor, op, seen);
    if (!agree) return false;
    for (const RuleId rule : model_.fired()) coverage_.rules.set(rule.n);
    witness();
    const bool full_is_due =
        ++since_full_ >= std::max<std::size_t>(64, 16 * model_.world().tasks.size());
    if (depth_ == Depth::outcomes) return true;
    return !(full_is_due || depth_ == Depth::full) || same_everything();
  }

  /// The last look, at everything. False: there is a violation.
  bool finish() {
    if (violation_) return false;
    const auto same = [&] { return same_everything(); };
    return same() || (steps_ < kPastMax && explains_past(same));
  }

  /// A whole script. The violation, if there is one, has the script as its trace.
  std::optional<Violation> run(const Script& script) {
    begin(script.world);
    names_ = script.names;
    for (const Step& s : script.steps)
      if (!step(s)) break;
    if (!violation_) finish();
    names_ = {};
    return take_violation(script);
  }

  std::optional<Violation> take_violation(const Script& script) {
    if (violation_) violation_->trace = script;
    return std::exchange(violation_, std::nullopt);
  }

  const spec::Model& model() const { return model_; }
  const Naming& naming() const { return naming_; }
  Coverage& coverage() { return coverage_; }
  /// What the system and the names made of the last steps, for recordings.
  std::size_t steps() const { return steps_; }
  /// Whether what was seen may hang on the order in which tasks ran that could run at once.
  bool was_crowded() const { return crowded_; }

 private:
  struct Past {
    Pid actor;
    Op op;
    std::uint32_t picks_end;  // in `past_picks_`, where those of the step before end, too
  };
  static constexpr std::size_t kPastMax = std::size_t{1}
                                          << 16;  // later steps take what is preferred
  static constexpr std::size_t kWaysMax = 512;    // to have picked in the past that are tried

  /// Whether the system was seen to do what the model has just said.
  bool agrees(Pid actor, const Effects& seen) {
    const Effects& said = model_.effects();
    return same_outcome(actor, seen, said) && same_returns(seen, said) &&
           (depth_ == Depth::outcomes || same_state(seen, said));
  }

  /// Whether another way to pick, where the spec leaves a choice, explains what was seen. If none
  /// does, the first disagreement stands.
  bool explains_otherwise(Pid actor, const Op& op, const Effects& seen) {
    if (steps_ >= kPastMax) return false;
    const std::optional<Violation> first = violation_;
    for (auto picks = choice_.next(); !picks.empty(); picks = choice_.next()) {
      violation_.reset();
      redo();
      choice_.follow(picks);
      model_.apply(actor, op, choice_);
      if (agrees(actor, seen)) return true;
    }
    violation_ = first;
    const auto goes_on = [&] {
      model_.apply(actor, op, whole_);
      return agrees(actor, seen);
    };
    if (explains_past(goes_on)) {
      choice_.follow(std::span(whole_.picks()).subspan(past_picks_.size()));
      return true;
    }
    redo();
    choice_.follow({});
    model_.apply(actor, op, choice_);
    return false;
  }

  /// Whether other picks in the steps before do, where states are not compared: what a pick led to
  /// may show long after. `last` takes the model on, and says whether it then agrees with what was
  /// seen. If so it stays there, else it is anywhere, and the disagreement stands.
  bool explains_past(auto&& last) {
    if (depth_ != Depth::outcomes || past_picks_.empty()) return false;
    const std::optional<Violation> first = violation_;
    FollowedChoice::Picks picks;
    for (std::size_t ways = 0; ways < kWaysMax; ++ways) {
      violation_.reset();
      whole_.follow(picks);
      if (past_goes_on() && last()) {
        past_picks_.assign(whole_.picks().begin(), whole_.picks().begin() + ends_.back());
        for (std::size_t i = 0; i < past_.size(); ++i) past_[i].picks_end = ends_[i];
        return true;
      }
      picks = whole_.next();
      if (picks.empty()) break;
    }
    violation_ = first;
    return false;
  }

  /// Takes the model through the past as `whole_` picks, as far as it agrees with what was seen.
  bool past_goes_on() {
    model_.reset(world_);
    ends_.clear();
    for (std::size_t i = 0; i < past_.size(); ++i) {
      model_.apply(past_[i].actor, past_[i].op, whole_);
      const Effects& said = model_.effects();
      if (!same_outcome(past_[i].actor, seen_past_[i], said) || !same_returns(seen_past_[i], said))
        return false;
      ends_.push_back(static_cast<std::uint32_t>(whole_.taken()));
    }
    return true;
  }

  void remember(Pid actor, const Op& op, const Effects& seen) {
    past_picks_.insert(past_picks_.end(), choice_.picks().begin(), choice_.picks().end());
    past_.push_back({actor, op, static_cast<std::uint32_t>(past_picks_.size())});
    if (depth_ == Depth::outcomes)
      seen_past_.push_back({.outcome = seen.outcome, .returned = seen.returned, .touched = {}});
  }

  /// Takes the model to where it was before this step.
  void redo() {
    model_.reset(world_);
    std::uint32_t from = 0;
    for (const Past& past : past_) {
      choice_.follow(std::span(past_picks_).subspan(from, past.picks_end - from));
      model_.apply(past.actor, past.op, choice_);
      from = past.picks_end;
    }
  }

  bool same_outcome(Pid actor, const Effects& seen, const Effects& said) {
    if (seen.outcome == said.outcome) return true;
    return broken(Violation::Kind::outcome, model_.outcome_rule(), text(seen.outcome, actor),
                  text(said.outcome, actor));
  }

  bool same_returns(const Effects& seen, const Effects& said) {
    if (seen.returned.empty() && said.returned.empty()) return true;
    const bool same = std::ranges::is_permutation(seen.returned, said.returned);
    if (same) return true;
    RuleId rule = model_.outcome_rule();
    for (std::size_t i = 0; i < said.returned.size(); ++i)
      if (std::ranges::find(seen.returned, said.returned[i]) == seen.returned.end())
        rule = said.returned[i].outcome.kind == Outcome::Kind::change ? "wait.oldest-first"_rule
                                                                      : model_.return_rules()[i];
    return broken(Violation::Kind::returned, rule, text(seen.returned), text(said.returned));
  }

  bool same_state(const Effects& seen, const Effects& said) {
    touched_.clear();
    for (const auto* const touched : {&seen.touched, &said.touched})
      for (const Touched& t : *touched) {
        const auto at = std::ranges::find(touched_, t.task, &Touched::task);
        if (at == touched_.end())
          touched_.push_back(t);
        else
          at->memory = at->memory || t.memory;
      }
    return std::ranges::all_of(touched_, [&](const Touched& t) {
      return same_task(t.task, t.memory) &&
             (system_.sound(t.task, t.memory) || unsound(text(t.task)));
    });
  }

  bool same_task(Pid p, bool memory) {
    const TaskView seen = system_.view(p);
    TaskView said = model_.view(p);
    if constexpr (requires { system_.hide(said); }) system_.hide(said);
    if (!(seen == said)) return differs(p, seen, said);
    return !memory || same_pages(p);
  }

  bool same_pages(Pid p) {
    system_.pages(p, pages_seen_);
    model_.pages(p, pages_said_);
    if (pages_seen_ == pages_said_) return true;
    return broken(Violation::Kind::memory, model_.outcome_rule(),
                  text(p) + ": " + describe(pages_seen_), text(p) + ": " + describe(pages_said_));
  }

  bool differs(Pid p, const TaskView& seen, const TaskView& said) {
    const auto [field, was, should] = first_difference(seen, said);
    return broken(Violation::Kind::state,
                  rule_of_field(field, model_.fired(), model_.outcome_rule()), text(p) + " " + was,
                  text(p) + " " + should);
  }

  bool keeps_invariants() {
    for (const spec::TaskId id : model_.touched()) {
      coverage_.test(model_.world(), id);
      if (const std::string_view broken_id = spec::broken_by(model_.world(), id);
          !broken_id.empty())
        return broken_invariant(broken_id, model_.world().tasks[id].tid);
    }
    return true;
  }

  bool as_expected(const Step& s, Pid actor, const Effects& seen) {
    RuleId rule = model_.outcome_rule();
    const auto wrong = [&](const std::string& observed, const std::string& expected) {
      return broken(Violation::Kind::expectation, rule, observed,
                    observed + "; the trace expects " + expected);
    };
    const auto wanted_by = [&](const Outcome& o, Pid viewer) {
      return resolve(o, naming_.numbers_for(viewer, model_.world()));
    };
    if (s.outcome && !(wanted_by(*s.outcome, actor) == seen.outcome))
      return wrong(text(seen.outcome, actor), text(wanted_by(*s.outcome, actor), actor));
    if (s.pid && !(seen.outcome.who.pid() == *s.pid))
      return wrong(text(seen.outcome, actor), "pid " + std::to_string(s.pid->n));
    for (const ExpectedReturn& r : s.returns) {
      const Pid waiter = number_of(r.task, numbers());
      const Returned wanted{waiter, wanted_by(r.outcome, waiter)};
      if (std::ranges::find(seen.returned, wanted) == seen.returned.end())
        return wrong(text(seen.returned), text(std::span(&wanted, 1)));
    }
    for (const Expectation& e : s.expectations) {
      const Pid p = number_of(e.task, numbers());
      if constexpr (requires { system_.expect_shown(0, p); }) system_.expect_shown(e.field, p);
      const TaskView view = system_.view(p);
      rule = rule_of_field(e.field, model_.fired(), model_.outcome_rule());
      if (!meets(view, e, numbers()))
        return wrong(text(p) + " " + describe_field(view, e.field),
                     text(p) + " " + describe(e, cast()));
    }
    return true;
  }

  void witness() {
    for (const spec::TaskId id : model_.touched()) coverage_.witness(model_.world(), id);
  }

  bool same_everything() {
    since_full_ = 0;
    system_.tasks(tasks_seen_);
    model_.tasks(tasks_said_);
    if (tasks_seen_ != tasks_said_)
      return broken(Violation::Kind::state, model_.outcome_rule(), "tasks " + describe(tasks_seen_),
                    "tasks " + describe(tasks_said_));
    for (const Pid p : tasks_said_)
      if (!same_task(p, true)) return false;
    if (!system_.sound()) return unsound("somewhere");
    coverage_.test(model_.world());
    if (const std::string_view lost = spec::broken_by(model_.world()); !lost.empty())
      return broken_invariant(lost, Pid{});
    std::string_view id;
    Pid where;
    model_.world().tasks.for_each([&](spec::TaskId t, const spec::Task& task) {
      if (!id.empty()) return;
      id = spec::broken_by(model_.world(), t);
      where = task.tid;
    });
    return id.empty() || broken_invariant(id, where);
  }

  bool broken(Violation::Kind kind, RuleId rule, std::string observed, std::string allowed) {
    const Rule& r = rule.rule();
    return violates({.kind = kind,
                     .step = steps_,
                     .id = std::string(r.id),
                     .says = std::string(r.says),
                     .source = std::string(r.source),
                     .observed = std::move(observed),
                     .allowed = std::move(allowed),
                     .in_play = {},
                     .trace = {}});
  }
  bool broken_invariant(std::string_view id, Pid where) {
    Violation v = invariant_violation(id);
    v.step = steps_;
    v.observed = "it does not hold at " + text(where);
    return violates(std::move(v));
  }
  bool unsound(const std::string& where) {
    return broken(Violation::Kind::unsound, model_.outcome_rule(),
                  "the system's own invariants are broken at " + where, "a sound system");
  }
  bool violates(Violation v) {
    for (const RuleId rule : model_.fired()) v.in_play.push_back(rule.rule().id);
    violation_ = std::move(v);
    return false;
  }

  std::span<const Pid> numbers() const { return naming_.numbers(); }
  Cast cast() const { return {numbers(), names_}; }
  std::string text(const Outcome& o, Pid viewer) const {
    return describe(naming_.in_world(o, viewer, model_.world()), cast());
  }
  std::string text(std::span<const Returned> returned) const {
    std::vector<Returned> in_world(returned.begin(), returned.end());
    for (Returned& r : in_world) r.outcome = naming_.in_world(r.outcome, r.task, model_.world());
    return describe(in_world, cast());
  }
  std::string text(Pid p) const { return describe(p, cast()); }

  System& system_;
  Depth depth_;
  spec::Model model_;
  FollowedChoice choice_;
  WorldSpec world_;
  std::vector<Past> past_;  // the trace so far, for `redo`
  FollowedChoice::Picks past_picks_;
  std::vector<Effects> seen_past_;  // with `Depth::outcomes`
  FollowedChoice whole_;            // the picks of a whole trace
  std::vector<std::uint32_t> ends_;
  Coverage coverage_;
  Naming naming_;
  std::span<const std::string> names_;  // of the script under way, for reports
  std::size_t steps_ = 0, since_full_ = 0;
  bool crowded_ = false;  // some step of this trace was
  std::optional<Violation> violation_;
  std::vector<Touched> touched_;
  std::vector<PageView> pages_seen_, pages_said_;
  std::vector<Pid> tasks_seen_, tasks_said_;
};

}  // namespace forkproof::harness
