/// A trace in memory: ops with their actors, and what a step is expected to show. The text form
/// (spec/text.hpp) and the byte form (spec/bytes.hpp) are two ways of writing one of these.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "spec/outcome.hpp"

namespace forkproof {

inline constexpr std::int32_t kNoName = -1;

/// `ACTOR => OUTCOME`: a blocked call that the step makes return.
struct ExpectedReturn {
  TaskRef task;
  Outcome outcome;
  friend bool operator==(const ExpectedReturn&, const ExpectedReturn&) = default;
};

/// `expect TASK FIELD VALUE`: `field` is an index into TaskView::fields(). A value that is a task
/// number may be a name; all others are numbers in `value.n` or, for sets and flags, `bits`.
struct Expectation {
  TaskRef task;
  std::uint8_t field = 0;
  TaskRef value;
  std::uint64_t bits = 0;
  friend bool operator==(const Expectation&, const Expectation&) = default;
};

/// One op of a script. Names are indices into `Script::names`; 0 is init. `actor` is a name; it
/// does not count when the op is `world`'s. A creating op binds a name, always: `binds`.
struct Step {
  std::int32_t actor = 0;
  Op op;
  std::int32_t binds = kNoName;
  std::optional<Outcome> outcome;
  std::optional<Pid> pid;  // `-> A pid 7`: the number that the new task must get
  std::vector<ExpectedReturn> returns;
  std::vector<Expectation> expectations;
  std::int32_t line = 0;   // in the file it came from, 0 when it came from none; not compared

  friend bool operator==(const Step& a, const Step& b) {
    return a.actor == b.actor && a.op == b.op && a.binds == b.binds && a.outcome == b.outcome && a.pid == b.pid &&
           a.returns == b.returns && a.expectations == b.expectations;
  }
};

/// A whole trace. A name is bound by at most one step, and is used only after it.
struct Script {
  WorldSpec world;
  std::vector<std::string> names{"init"};
  std::vector<Step> steps;
  std::vector<std::string> head;  // the comment lines before the first step, without their `#`

  friend bool operator==(const Script&, const Script&) = default;
};

/// `A`, `B` ... `Z`, `A1` ... for the names that nobody chose: `index` counts from 1 (0 is init).
std::string canonical_name(std::int32_t index);

}  // namespace forkproof
