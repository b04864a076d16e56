/// A system held to the spec, whatever system it is: what the engines and the command work with.
/// One virtual call a trace, none a step.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "harness/coverage.hpp"
#include "harness/violation.hpp"

namespace forkproof::harness {

class Checker {
 public:
  virtual ~Checker() = default;

  /// Runs a script in a new world. The violation, if there is one, has the script as its trace.
  virtual std::optional<Violation> run(const Script& script) = 0;

  /// Makes the random trace of this seed and runs it; `steps` grows by what was done.
  virtual std::optional<Violation> run_random(std::uint64_t seed, Profile profile,
                                              std::uint64_t& steps) = 0;

  /// The same with a short trace in the world of another, of hardly any ops but those it has.
  virtual std::optional<Violation> run_like(const Script& like, std::uint64_t seed) = 0;

  /// The same with a trace that is about what that of another seed is about.
  virtual std::optional<Violation> run_about(std::uint64_t /*other*/, std::uint64_t seed,
                                             Profile profile) {
    std::uint64_t steps = 0;
    return run_random(seed, profile, steps);
  }

  /// A random trace with ops that are drawn without a look at the model, and everything compared
  /// after every step: what the others are measured against.
  virtual std::optional<Violation> run_uniform(std::uint64_t seed, Profile profile,
                                               std::uint64_t& steps) = 0;

  /// What the system does with a script, up to the first step that the spec does not allow.
  struct Recording {
    Script script;
    std::optional<Violation> violation;
  };
  virtual Recording record(const Script& script) = 0;

  /// Why the system cannot be held to a profile; empty if it can.
  virtual std::string refuses(Profile profile) const = 0;

  /// What of the world can be varied and seen on this system; empty if all can.
  virtual std::string abilities() const { return {}; }

  /// Whether a script does the same on the system whenever it is run.
  virtual bool repeats() const { return true; }

  /// Of all that was run.
  virtual const Coverage& coverage() = 0;
};

/// A system by its name, or why there is none.
struct Opened {
  std::unique_ptr<Checker> checker;
  bool known = false;  // a name of a system, though this build may not have it
  std::string reason;  // one sentence
};

/// `impl`, `spec`, `linux`, or `canary`: `impl` with a defect, which a check that is awake must
/// find; or `mutant:PATH`, a shared object (harness/mutant/).
Opened open_system(std::string_view name);

}  // namespace forkproof::harness
