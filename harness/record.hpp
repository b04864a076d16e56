/// Recordings: a script with all the outcomes that a system gave it.
#pragma once
#include "harness/naming.hpp"
#include "harness/system.hpp"

namespace forkproof::harness {

/// A system that can be asked what it answered last. What it stands before must outlive it.
template <SystemUnderTest System>
class Tap {
 public:
  explicit Tap(System& system) : system_(system) {}
  void reset(const WorldSpec& world) { system_.reset(world); }
  const Effects& apply(Pid actor, const Op& op) { return *(seen_ = &system_.apply(actor, op)); }
  TaskView view(Pid p) const { return system_.view(p); }
  void pages(Pid p, std::vector<PageView>& out) const { system_.pages(p, out); }
  void tasks(std::vector<Pid>& out) const { system_.tasks(out); }
  bool sound() const { return system_.sound(); }
  bool sound(Pid p, bool memory) const { return system_.sound(p, memory); }

  void hide(TaskView& view) const {
    if constexpr (requires { system_.hide(view); }) system_.hide(view);
  }
  void expect_shown(std::size_t field, Pid task) const {
    if constexpr (requires { system_.expect_shown(field, task); })
      system_.expect_shown(field, task);
  }

  const Effects& seen() const { return *seen_; }

 private:
  System& system_;
  const Effects* seen_ = nullptr;
};

/// Writes what was seen of a step into it, numbers being written as the names that got them.
void take_down(Step& step, const Effects& seen, const Naming& naming, const spec::World& world);

/// What a system showed of what an `expect` line asks.
Expectation take_down(const Expectation& asked, const TaskView& view, const Naming& naming);

/// Leaves the first `steps` steps, and the names that they bind.
void cut(Script& script, std::size_t steps);

}  // namespace forkproof::harness
