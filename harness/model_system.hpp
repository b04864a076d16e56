/// The model as a system: where the spec leaves a choice, dice or another chooser decide. For
/// trying things out, and for holding the checks to the one system that is right by definition.
#pragma once
#include <utility>

#include "harness/generate.hpp"
#include "harness/system.hpp"
#include "spec/model.hpp"

namespace forkproof::harness {

template <class Choice>
class ModelSystemOf {
 public:
  /// The choices are the same in every world, so that a trace always makes the same ones.
  explicit ModelSystemOf(Choice choice = {}) : first_(choice), choice_(choice) {}
  void reset(const WorldSpec& world) {
    model_.reset(world);
    choice_ = first_;
  }
  const Effects& apply(Pid actor, const Op& op) { return model_.apply(actor, op, choice_); }
  TaskView view(Pid p) const { return model_.view(p); }
  void pages(Pid p, std::vector<PageView>& out) const { model_.pages(p, out); }
  void tasks(std::vector<Pid>& out) const { model_.tasks(out); }
  bool sound() const { return true; }
  bool sound(Pid, bool) const { return true; }

 private:
  spec::Model model_;
  Choice first_, choice_;
};

class DiceChoice final : public spec::Chooser {
 public:
  /// Only where the choice can be seen: a lockstep has nothing else to follow. Once a world it is
  /// as on Linux, which is what traces expect. What builds of a kernel do otherwise is no matter
  /// of chance: it does as most.
  std::size_t pick(RuleId rule, std::span<const Pid> candidates) override {
    if (rule != "wait.one-winner"_rule) return 0;
    return std::exchange(first_, false) ? 0 : dice_.below(candidates.size());
  }

 private:
  bool first_ = true;
  Dice dice_{1};
};

using ModelSystem = ModelSystemOf<DiceChoice>;

}  // namespace forkproof::harness
