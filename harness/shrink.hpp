/// Smaller scripts: first whole families, then runs of ops, then single arguments. One list of
/// candidates serves RapidCheck and `forkproof minimize`.
#pragma once
#include <functional>
#include <optional>
#include <vector>

#include "harness/violation.hpp"

namespace forkproof::harness {

/// The scripts that are one simplification away, the boldest first, each made when it is called.
/// Every one is smaller in a well-founded order, so that shrinking ends.
std::vector<std::function<Script()>> smaller(const Script& script);

/// The steps that `keep` says, with names closed up; steps of tasks that are not made any more go
/// as well, and references to them become a number that nobody has.
Script select(const Script& script, const std::vector<bool>& keep);

/// The trace up to the step that failed.
Script until_failure(const Violation& v);

/// Without what the trace expects of its steps.
Script without_expectations(Script script);

/// Runs a script on a fresh world: the violation that it shows, if any.
using Run = std::function<std::optional<Violation>(const Script&)>;

/// The violation that remains when nothing smaller fails. `violation` is what `run` shows for its
/// trace, and a verdict: a run without one is never taken for a failure. Calls `run` some hundred
/// times.
Violation minimize(Violation violation, const Run& run);

}  // namespace forkproof::harness
