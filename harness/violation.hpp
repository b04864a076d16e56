/// A disagreement between a system, the spec and a trace: what every engine reports, in one shape.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spec/rules.hpp"
#include "spec/script.hpp"

namespace forkproof::harness {

struct Violation {
  /// Which promise was broken.
  enum class Kind : std::uint8_t {
    outcome,      ///< the op was answered with something that the rule does not allow
    returned,     ///< a blocked call returned that should not have, or the other way round
    state,        ///< the visible state differs from what the spec says
    memory,       ///< ... the content of memory
    invariant,    ///< an invariant of the spec does not hold
    unsound,      ///< the system breaks its own representation invariants
    expectation,  ///< system and spec agree, but the trace says otherwise
    unknown,      ///< the system cannot tell what it did: no verdict, which is no success either
    beyond,       ///< the trace needs what the system has not: it is left out, and counted
  } kind = Kind::outcome;

  std::size_t step = 0;          // which step of the trace, from 0
  std::string id, says, source;  // the rule or the invariant
  std::string observed, allowed;
  std::vector<std::string_view> in_play;  // the rules that acted in this step
  Script trace;
};

/// Whether it is none: the trace could not be run to its end.
inline bool is_beyond(const std::optional<Violation>& v) {
  return v && v->kind == Violation::Kind::beyond;
}

std::string_view word(Violation::Kind kind);

/// A run of `trace` that came to no verdict at the step, and why.
Violation unknown(std::string why, std::size_t step, Script trace);

/// That the system has not what `trace` needs at the step.
Violation beyond(std::string what, std::size_t step, Script trace);

/// The report as a person reads it: the rule, what was observed, what is allowed, the trace with
/// the step marked, and how to run it again.
std::string report(const Violation& violation, std::string_view reproduce);

}  // namespace forkproof::harness
