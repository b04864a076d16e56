/// The solvers: Z3 as a library, and any program that reads SMT-LIB 2.
#pragma once
#include "smt/claim.hpp"
#include "smt/prover.hpp"

namespace forkproof::smt {

/// Asked about one formula for longer than this, a solver has said "unknown".
inline constexpr unsigned kPatienceMs = 20'000;

/// Asks Z3, which reads the text of the query as any solver would. A counterexample is as the
/// claim wishes it, if there is one like that.
void ask_z3(z3::context& z, const Claim& claim, Query& q);

/// Asks cvc5, by a file.
void ask_cvc5(Query& q);

}  // namespace forkproof::smt
