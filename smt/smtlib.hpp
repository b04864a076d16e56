/// A formula as SMT-LIB 2, for any solver.
///
/// Z3 has a printer too, which lays its text out well: that took longer than all the proofs.
#pragma once
#include <z3++.h>

#include <string>

namespace forkproof::smt {

/// `head` comes first: comments and `set-info`. Every term has a name of its own, so the text is as
/// long as the formula has different terms.
std::string as_smtlib(const z3::expr& formula, const std::string& head);

}  // namespace forkproof::smt
