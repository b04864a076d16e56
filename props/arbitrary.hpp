/// RapidCheck generators of ops, outcomes and whole scripts, derived from the declarations: all
/// that a type can hold, with a bias to what is small or means something. They know nothing of what
/// the ops do.
#pragma once
#include <rapidcheck.h>

#include <ostream>

#include "spec/script.hpp"

namespace forkproof {

void showValue(const Script& script, std::ostream& out);
void showValue(const Op& op, std::ostream& out);

namespace props {

// What begins with `pick` or picks belongs into a property or into rc::gen::exec, and shrinks
// towards the first case.

/// A number below `n`, uniform whatever the size of the test.
std::size_t below(std::size_t n);
bool once_in(std::size_t n);
auto one_of(const auto& table) { return table[below(table.size())]; }

/// `bound` names can be referred to, init among them.
Op pick_op(std::int32_t bound);
Outcome pick_outcome(std::int32_t bound);

/// A well-formed script of at most `steps_max` steps, with all that a script can have.
rc::Gen<Script> arbitrary_script(std::size_t steps_max = 40);

}  // namespace props
}  // namespace forkproof
