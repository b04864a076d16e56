/// A system behind virtual calls: what a shared object that is opened at run time offers. Both
/// sides are built from the same sources by the same compiler.
#pragma once
#include <memory>
#include <vector>

#include "spec/outcome.hpp"

namespace forkproof::harness {

class AnySystem {
 public:
  virtual ~AnySystem() = default;
  virtual std::unique_ptr<AnySystem> copy() const = 0;
  /// Takes the state of another one, which came from the same shared object.
  virtual void take(const AnySystem& other) = 0;
  virtual void reset(const WorldSpec& world) = 0;
  virtual const Effects& apply(Pid actor, const Op& op) = 0;
  virtual TaskView view(Pid p) const = 0;
  virtual void pages(Pid p, std::vector<PageView>& out) const = 0;
  virtual void tasks(std::vector<Pid>& out) const = 0;
  virtual bool sound() const = 0;
  virtual bool sound(Pid p, bool memory) const = 0;
};

/// What the shared object exports, under the name `forkproof_mutant`: makes its system.
using MakeSystem = AnySystem*();

}  // namespace forkproof::harness
