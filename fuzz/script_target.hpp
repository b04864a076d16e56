/// The targets whose inputs are scripts: the system and the model in lockstep, whatever happens.
///
/// The system is `impl`, or `canary` or a mutant (harness/mutant/) where FORKPROOF_SYSTEM says so.
#pragma once
#include "fuzz/focus.hpp"
#include "fuzz/target.hpp"
#include "harness/lockstep.hpp"
#include "harness/mutant/loaded.hpp"
#include "impl/machine.hpp"

namespace forkproof::fuzz {

class ScriptTarget final : public Target {
 public:
  explicit ScriptTarget(Focus focus);

  bool holds(Bytes input) override;
  Finding explain(Bytes input) override;
  bool takes_traces() const override { return true; }
  std::string_view extension() const override { return ".bytes"; }
  Buffer canonical(Bytes input) const override;
  Buffer mutate(Bytes input, std::uint32_t seed) override;
  Buffer cross(Bytes a, Bytes b, std::uint32_t seed) override;
  Done done() const override { return done_; }

 private:
  Script script_of(Bytes input) const;
  /// Holds one of the two, which works on the system, to a script.
  bool holds(auto& lockstep, const Script& script);
  std::optional<harness::Violation> run(const Script& script);

  Focus focus_;
  Done done_;
  std::string system_;
  impl::Machine fresh_, machine_ = fresh_;
  harness::Lockstep<impl::Machine> lockstep_{machine_};
  std::optional<harness::LoadedSystem> mutant_;
  std::optional<harness::Lockstep<harness::LoadedSystem>> mutant_lockstep_;
};

}  // namespace forkproof::fuzz
