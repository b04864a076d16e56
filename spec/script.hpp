/// A trace in memory: ops with their actors, and what a step is expected to show. The text form
/// (spec/text.hpp) and the byte form (spec/bytes.hpp) are two ways of writing one of these.
#pragma once
#include <optional>
#include <string>
#include <string_view>
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
  std::int32_t line = 0;  // in the file it came from, 0 when it came from none; not compared

  friend bool operator==(const Step& a, const Step& b) {
    return a.actor == b.actor && a.op == b.op && a.binds == b.binds && a.outcome == b.outcome &&
           a.pid == b.pid && a.returns == b.returns && a.expectations == b.expectations;
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

inline constexpr std::size_t kNameMax = 63;  // characters

/// Whether a trace may give a task this name: a letter or `_`, then letters, digits and `_`, at
/// most kNameMax; no word of the language, and nothing that reads as a signal or an error.
bool is_name(std::string_view word);

/// Gives every name that is still empty the one that follows from its index: the canonical name,
/// with as many `_` behind it as it takes to be the only one.
void name_the_unnamed(std::vector<std::string>& names);

/// For each name, whether `name_the_unnamed` would give it again, so that it need not be stored.
std::vector<bool> follows_from_index(const std::vector<std::string>& names);

/// Whether the script is one that a text can be: names are bound in the order of their indices, one
/// by each creating step, and used only after it; every value is one that its type can have.
bool well_formed(const Script& script);

/// Makes a script well-formed again after steps were taken out, moved or joined: names are numbered
/// by the steps that bind them, a reference to a name that is gone becomes the number that no task
/// has, and what a task that is gone did, or was expected to show, goes too.
void mend(Script& script);

}  // namespace forkproof
