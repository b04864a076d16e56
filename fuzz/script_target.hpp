/// The targets whose inputs are scripts: the system and the model in lockstep, whatever happens.
///
/// The system is `impl`, or `canary` where FORKPROOF_SYSTEM says so.
#pragma once
#include "fuzz/focus.hpp"
#include "fuzz/target.hpp"
#include "harness/lockstep.hpp"
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

  Focus focus_;
  Done done_;
  std::string system_;
  impl::Machine fresh_, machine_ = fresh_;
  harness::Lockstep<impl::Machine> lockstep_{machine_};
};

}  // namespace forkproof::fuzz
