/// The one translation unit of a mutant that is not impl/'s: it makes the changed machine an
/// AnySystem. ci/mutants.py compiles it into each shared object.
#include "harness/mutant/any_system.hpp"
#include "impl/machine.hpp"

namespace {

using namespace forkproof;

class Mutant final : public harness::AnySystem {
 public:
  std::unique_ptr<harness::AnySystem> copy() const override {
    return std::make_unique<Mutant>(*this);
  }
  void take(const harness::AnySystem& other) override {
    machine_ = static_cast<const Mutant&>(other).machine_;
  }
  void reset(const WorldSpec& world) override { machine_.reset(world); }
  const Effects& apply(Pid actor, const Op& op) override { return machine_.apply(actor, op); }
  TaskView view(Pid p) const override { return machine_.view(p); }
  void pages(Pid p, std::vector<PageView>& out) const override { machine_.pages(p, out); }
  void tasks(std::vector<Pid>& out) const override { machine_.tasks(out); }
  bool sound() const override { return machine_.sound(); }
  bool sound(Pid p, bool memory) const override { return machine_.sound(p, memory); }

 private:
  impl::Machine machine_;
};

}  // namespace

extern "C" [[gnu::visibility("default")]] forkproof::harness::AnySystem* forkproof_mutant() {
  return new Mutant;
}
