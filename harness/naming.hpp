/// Who is who in a running trace: the numbers that its names got, and whether the tasks that they
/// mean are still there. A name is for good: it never comes to mean another task that got the
/// same number later.
///
/// A task has a number in each pid namespace that it is seen in: what an actor means by a name is
/// the number that its own namespace has for it, or kNeverAPid.
#pragma once
#include <algorithm>
#include <span>
#include <vector>

#include "spec/derive.hpp"
#include "spec/world.hpp"

namespace forkproof::harness {

class Naming {
 public:
  void begin(const spec::World& world) {
    numbers_.assign(1, kInit);
    born_.assign(1, world.tasks[world.task_of(kInit)].born);
    unfinished_.clear();
    inner_.clear();
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
      bind_to(s.binds, actor, seen.outcome.who.pid(), world);
    else if (seen.outcome.kind == Kind::blocks)
      unfinished_.push_back({actor, s.binds});
  }

  /// By name, in the world; kNeverAPid for those that were never bound.
  std::span<const Pid> numbers() const { return numbers_; }

  /// By name, as `viewer` knows them. Good until the next call.
  std::span<const Pid> numbers_for(Pid viewer, const spec::World& world) const {
    const spec::NamespaceId ns = world.namespace_of(viewer);
    if (!ns) return numbers_;
    seen_.assign(numbers_.size(), kNeverAPid);
    for (const Inner& inner : inner_)
      if (inner.made == world.namespaces[ns].made)
        seen_[static_cast<std::size_t>(inner.name)] = inner.number;
    return seen_;
  }

  /// The op with every name replaced by its number, as `actor` knows it.
  Op resolved(const Op& op, Pid actor, const spec::World& world) const {
    return resolve(op, numbers_for(actor, world));
  }

  /// What `viewer` was answered, in the numbers of the world where a name stands for them.
  Outcome in_world(Outcome outcome, Pid viewer, const spec::World& world) const {
    if (!world.namespace_of(viewer)) return outcome;
    const std::span<const Pid> seen = numbers_for(viewer, world);
    const auto at = std::ranges::find(seen.rbegin(), seen.rend(), outcome.who.pid());
    if (at != seen.rend()) outcome.who.n = numbers_[static_cast<std::size_t>(&*at - &seen[0])].n;
    return outcome;
  }

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

  /// A number of the same task, in a namespace that was made at this place.
  struct Inner {
    std::int32_t name;
    spec::Place made;
    Pid number;
  };

  /// The name stands for what `maker` calls `seen`.
  void bind_to(std::int32_t name, Pid maker, Pid seen, const spec::World& world) {
    const Pid number = world.meant_in(world.namespace_of(maker), seen);
    const spec::TaskId id = world.task_of(number);
    numbers_[static_cast<std::size_t>(name)] = number;
    if (const spec::Number* const used = world.numbers.find(number.n); id && used != nullptr)
      for (const spec::InnerNumber& inner : used->inner)
        inner_.push_back({name, world.namespaces[inner.ns].made, inner.number});
    born_[static_cast<std::size_t>(name)] = id ? world.tasks[id].born : 0;
  }
  /// A creating call that a stop had caught has returned.
  void finish(const Returned& r, const spec::World& world) {
    const auto at = std::ranges::find(unfinished_, r.task, &Unfinished::actor);
    if (at == unfinished_.end()) return;
    bind_to(at->name, r.task, r.outcome.who.pid(), world);
    unfinished_.erase(at);
  }

  std::vector<Pid> numbers_;
  std::vector<spec::Place> born_;
  std::vector<Inner> inner_;
  mutable std::vector<Pid> seen_;
  std::vector<Unfinished> unfinished_;  // creating calls that have not returned yet
};

}  // namespace forkproof::harness
