/// Who is who in a running trace: the numbers that its names got, and whether the tasks that they
/// mean are still there. A name is for good: it never comes to mean another task that got the
/// same number later.
#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "spec/script.hpp"
#include "spec/world.hpp"

namespace forkproof::harness {

class Naming {
 public:
  void begin(const spec::World& world) {
    numbers_.assign(1, kInit);
    born_.assign(1, world.tasks[world.task_of(kInit)].born);
    unfinished_.clear();
  }

  /// Takes down what a step of `actor` bound, now that it has happened.
  void bind(const Step& s, Pid actor, const Effects& seen, const spec::World& world) {
    using Kind = Outcome::Kind;
    for (const Returned& r : seen.returned)
      if (r.outcome.kind == Kind::task) finish(r, world);
    if (s.binds == kNoName) return;
    if (numbers_.size() <= static_cast<std::size_t>(s.binds)) {
      numbers_.resize(static_cast<std::size_t>(s.binds) + 1, kNeverAPid);
      born_.resize(numbers_.size(), 0);
    }
    const bool made = seen.outcome.kind == Kind::task || seen.outcome.kind == Kind::blocks;
    if (made && seen.outcome.who.n > 0)
      bind_to(s.binds, seen.outcome.who.pid(), world);
    else if (seen.outcome.kind == Kind::blocks)
      unfinished_.push_back({actor, s.binds});
  }

  /// By name; kNeverAPid for those that were never bound.
  std::span<const Pid> numbers() const { return numbers_; }

  /// The number of a name's task if that task is still there, else 0.
  Pid current(std::int32_t name, const spec::World& world) const {
    const auto i = static_cast<std::size_t>(name);
    if (i >= numbers_.size()) return {};
    const spec::TaskId id = world.task_of(numbers_[i]);
    return id && world.tasks[id].born == born_[i] ? numbers_[i] : Pid{};
  }

 private:
  struct Unfinished {
    Pid actor;
    std::int32_t name;
  };

  void bind_to(std::int32_t name, Pid number, const spec::World& world) {
    const spec::TaskId id = world.task_of(number);
    numbers_[static_cast<std::size_t>(name)] = number;
    born_[static_cast<std::size_t>(name)] = id ? world.tasks[id].born : 0;
  }
  /// A creating call that a stop had caught has returned.
  void finish(const Returned& r, const spec::World& world) {
    const auto at = std::ranges::find(unfinished_, r.task, &Unfinished::actor);
    if (at == unfinished_.end()) return;
    bind_to(at->name, r.outcome.who.pid(), world);
    unfinished_.erase(at);
  }

  std::vector<Pid> numbers_;
  std::vector<spec::Place> born_;
  std::vector<Unfinished> unfinished_;  // creating calls that have not returned yet
};

}  // namespace forkproof::harness
