/// Proves obligations.
#include "smt/prover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

#include "smt/cache.hpp"
#include "smt/claim.hpp"
#include "smt/smtlib.hpp"
#include "smt/solvers.hpp"

namespace forkproof::smt {

namespace {

/// States the obligation about the templates, or about a twin of them.
Claim stated(const Obligation& o, z3::context& z, int twin) {
  fault = {twin, 0, {}};
  Claim claim(z);
  o.state(claim);
  return claim;
}

std::string head_of(const Obligation& o, const Query& q) {
  const bool is_claim = q.role == Query::Role::claim;
  const std::string about =
      q.role == Query::Role::premise ? "its premise: is it possible?"
      : is_claim                     ? "a counterexample: is there none?"
                                     : fmt::format("a twin, operation {}: {}.", q.twin + 1, q.what);
  return fmt::format("; {}: {}\n; {} Expected: {}.\n", o.id, o.says, about,
                     is_claim                           ? "unsat"
                     : q.role == Query::Role::premise ? "sat"
                                                        : "sat of one twin at least");
}

/// Calls `f(context, claim, query)` for each query of an obligation.
void for_each_query(const Obligation& o, auto f) {
  z3::context z;
  const auto ask = [&](const Claim& claim, const z3::expr& formula, Query q) {
    q.text = as_smtlib(formula, head_of(o, q));
    f(z, claim, std::move(q));
  };
  const Claim claim = stated(o, z, -1);
  const int operations = fault.met;
  ask(claim, claim.premise(), {.role = Query::Role::premise});
  ask(claim, claim.premise() && !claim.conclusion(), {.role = Query::Role::claim});
  for (int twin = 0; twin < operations; ++twin) {
    const Claim wrong = stated(o, z, twin);
    ask(wrong, wrong.premise() && !wrong.conclusion(),
        {.role = Query::Role::twin, .twin = twin, .what = fault.what});
  }
  fault = {};
}

void put_into_words(const Claim& claim, Query& q) {
  for (const Claim::Variable& v : claim.variables())
    if (const auto value = q.values.find(v.name); value != q.values.end())
      q.in_words.push_back(fmt::format("{} = {}", v.name, v.show(value->second)));
}

Finding prove_one(const Obligation& o, const std::string& solver, const Cache& cache) {
  const auto start = std::chrono::steady_clock::now();
  Finding finding{.obligation = &o};
  for_each_query(o, [&](z3::context& z, const Claim& claim, Query q) {
    if (!cache.recall(q)) {
      solver == "z3" ? ask_z3(z, claim, q) : ask_cvc5(q);
      cache.keep(q);
    }
    put_into_words(claim, q);
    finding.queries.push_back(std::move(q));
  });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  finding.seconds = took.count();
  return finding;
}

}  // namespace

std::size_t Finding::twins(Answer answer) const {
  return static_cast<std::size_t>(std::ranges::count_if(queries, [&](const Query& q) {
    return q.role == Query::Role::twin && q.answer == answer;
  }));
}

const Query* Finding::first_refuted() const {
  const auto q = std::ranges::find_if(queries, [](const Query& each) {
    return each.role == Query::Role::twin && each.answer == Answer::sat;
  });
  return q == queries.end() ? nullptr : &*q;
}

std::string Finding::objection() const {
  if (claim().answer == Answer::sat) return "there is a counterexample";
  if (claim().answer == Answer::unknown) return "the solver does not know";
  if (premise().answer == Answer::unsat) return "its premise is impossible";
  if (premise().answer == Answer::unknown) return "the solver does not know of the premise";
  if (twins(Answer::unknown) > 0) return "the solver does not know of a twin";
  if (twins(Answer::sat) == 0) return "no twin is refuted";
  return {};
}

std::vector<Query> queries_of(const Obligation& o) {
  std::vector<Query> queries;
  for_each_query(o, [&](z3::context&, const Claim&, Query q) {
    queries.push_back(std::move(q));
  });
  return queries;
}

std::string file_name(const Obligation& o, const Query& q) {
  switch (q.role) {
    case Query::Role::premise: return fmt::format("{}.premise.smt2", o.id);
    case Query::Role::claim: return fmt::format("{}.claim.smt2", o.id);
    case Query::Role::twin: return fmt::format("{}.twin-{:02}.smt2", o.id, q.twin + 1);
  }
  return {};
}

std::vector<Finding> prove(const std::vector<const Obligation*>& which, const Options& options,
                           const std::function<void(const Finding&)>& done) {
  const Cache cache(options.cache, version_of(options.solver).value_or(options.solver));
  std::vector<Finding> findings(which.size());
  std::atomic<std::size_t> next = 0;
  std::mutex telling;
  const auto work = [&] {
    for (std::size_t i = next++; i < which.size(); i = next++) {
      findings[i] = prove_one(*which[i], options.solver, cache);
      const std::lock_guard lock(telling);
      if (done) done(findings[i]);
    }
  };
  const unsigned jobs = options.jobs > 0 ? options.jobs : std::thread::hardware_concurrency();
  std::vector<std::jthread> helpers;
  for (unsigned i = 1; i < std::max(1u, jobs); ++i) helpers.emplace_back(work);
  work();
  helpers.clear();
  return findings;
}

}  // namespace forkproof::smt
