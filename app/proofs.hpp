/// How `prove` tells what there is to prove and what came of it.
#pragma once
#include <string>
#include <vector>

#include "harness/violation.hpp"
#include "smt/prover.hpp"

namespace forkproof::app {

using Obligations = std::vector<const smt::Obligation*>;

/// The list, for people and as a page of the manual.
std::string as_list(const Obligations& all);
std::string as_page(const Obligations& all);

/// One line of the table and, where it is wanted or needed, the counterexamples below it.
std::string as_line(const smt::Finding& finding, bool twins);
std::string as_json(const std::vector<smt::Finding>& findings, const std::string& solver,
                    double seconds);

/// That an obligation does not hold, or that it is not known to.
harness::Violation as_violation(const smt::Finding& finding);

/// A trace in which a counterexample to an obligation, or to a twin of it, shows.
struct Trace {
  std::string file, text;
};
/// All of them, no two alike, as our implementation runs them.
std::vector<Trace> traces_of(const smt::Finding& finding);

}  // namespace forkproof::app
