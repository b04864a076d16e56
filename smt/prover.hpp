/// Proves obligations: each is true in every world, its premise is possible, and it tells the
/// templates from twins that do one operation wrong.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "smt/obligation.hpp"

namespace forkproof::smt {

/// What a solver says of a formula.
enum class Answer : std::uint8_t { unsat, sat, unknown };

/// A formula, and what the solver said of it.
struct Query {
  enum class Role : std::uint8_t { premise, claim, twin };
  Role role = Role::claim;
  int twin = -1;
  std::string what{};  // of a twin: `& became |`
  std::string text{};  // SMT-LIB 2
  Answer answer = Answer::unknown;
  Values values{};                      // where it is sat and the solver told them
  std::vector<std::string> in_words{};  // the same, `name = value`
};

struct Finding {
  const Obligation* obligation = nullptr;
  std::vector<Query> queries{};  // the premise, the claim, the twins
  double seconds = 0;

  const Query& premise() const { return queries.at(0); }
  const Query& claim() const { return queries.at(1); }
  /// Of the twins, those that gave this answer.
  std::size_t twins(Answer answer) const;
  const Query* first_refuted() const;
  /// Why it is not proved; empty if it is.
  std::string objection() const;
  bool proved() const { return objection().empty(); }
};

struct Options {
  std::string solver = "z3";
  std::string cache = {};  // a folder; empty: none
  unsigned jobs = 0;  // 0: one a processor
};

/// The name and version of a solver, or nothing where it is not installed.
std::optional<std::string> version_of(const std::string& solver);
bool is_solver(std::string_view name);

/// Answers in the order of the obligations; `done` is called for each as it is finished.
std::vector<Finding> prove(const std::vector<const Obligation*>& which, const Options& options,
                           const std::function<void(const Finding&)>& done = {});

/// The formulas of an obligation, not yet decided.
std::vector<Query> queries_of(const Obligation& o);

/// `pid.take-keeps-summary.claim.smt2`: the name of a query's file.
std::string file_name(const Obligation& o, const Query& q);

}  // namespace forkproof::smt
