/// The proofs: every obligation is proved by two solvers that agree on every formula, each tells
/// its templates from twins, and what is proved is what runs.
#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "app/proofs.hpp"
#include "harness/checker.hpp"
#include "impl/bits/page_entry.hpp"
#include "impl/bits/pid_word.hpp"
#include "impl/bits/signal_set.hpp"
#include "impl/bits/wait_status.hpp"
#include "props/templates.hpp"
#include "smt/claim.hpp"
#include "smt/prover.hpp"
#include "spec/text.hpp"

namespace forkproof::props {
namespace {

namespace bits = impl::bits;
using smt::Answer;

/// What Z3 says of all obligations, asked once.
const std::vector<smt::Finding>& proved_by_z3() {
  static const std::vector<smt::Finding> kFindings = smt::prove(smt::obligations(), {});
  return kFindings;
}

TEST(Proofs, EveryObligationIsProved) {
  ASSERT_GE(proved_by_z3().size(), 60u);
  for (const smt::Finding& f : proved_by_z3())
    EXPECT_EQ(f.objection(), "") << f.obligation->id << "\n" << app::as_line(f, false);
}

TEST(Proofs, BothSolversAgreeOnEveryFormula) {
  ASSERT_TRUE(smt::version_of("cvc5")) << "ci/setup.sh installs it";
  const auto others = smt::prove(smt::obligations(), {.solver = "cvc5"});
  ASSERT_EQ(others.size(), proved_by_z3().size());
  for (std::size_t i = 0; i < others.size(); ++i) {
    const smt::Finding& z3 = proved_by_z3()[i];
    EXPECT_EQ(others[i].objection(), "") << z3.obligation->id;
    ASSERT_EQ(others[i].queries.size(), z3.queries.size());
    for (std::size_t q = 0; q < z3.queries.size(); ++q) {
      EXPECT_EQ(others[i].queries[q].text, z3.queries[q].text);
      EXPECT_EQ(others[i].queries[q].answer, z3.queries[q].answer)
          << smt::file_name(*z3.obligation, z3.queries[q]);
    }
  }
}

/// Every counterexample to a twin that makes a trace makes one that holds of our implementation,
/// which is no twin.
TEST(Proofs, CounterexamplesBecomeTraces) {
  const auto impl = harness::open_system("impl").checker;
  std::size_t traces = 0;
  for (const smt::Finding& f : proved_by_z3()) {
    for (const auto& [file, text] : app::traces_of(f)) {
      ++traces;
      const Parsed parsed = parse(text);
      ASSERT_FALSE(parsed.error) << file << parsed.error->message << "\n" << text;
      EXPECT_FALSE(impl->run(parsed.script)) << text;
      EXPECT_TRUE(parsed.script.steps.back().outcome) << text;
    }
  }
  EXPECT_GE(traces, 100u);
}

// --- what is no proof ----------------------------------------------------------------------------

smt::Finding asked(void (*state)(smt::Claim&), const smt::Options& options = {}) {
  static smt::Obligation o;
  o = {"made.up", "A made-up obligation.", "", "is_full", "", state};
  return smt::prove({&o}, options).at(0);
}

void state_too_much(smt::Claim& c) {
  const z3::expr w = c.word("word", smt::show_bits);
  c.given(w != c.value(0));
  c.holds(bits::is_full(smt::Word{w}) == (w == ~c.value(8)));  // but for bit 3
}

TEST(Proofs, AFalseObligationHasACounterexample) {
  const smt::Finding f = asked(state_too_much);
  EXPECT_EQ(f.objection(), "there is a counterexample");
  ASSERT_EQ(f.claim().in_words.size(), 1u);
  EXPECT_TRUE(f.claim().in_words[0] == "word = all 64 bits" ||
              f.claim().in_words[0] == "word = bits 0-2 4-63")
      << f.claim().in_words[0];
  EXPECT_EQ(asked(state_too_much, {.solver = "cvc5"}).objection(), "there is a counterexample");
}

TEST(Proofs, AnImpossiblePremiseProvesNothing) {
  const smt::Finding f = asked([](smt::Claim& c) {
    const z3::expr w = c.word("word");
    c.given(w == c.value(1) && w == c.value(2));
    c.holds(bits::is_full(smt::Word{w}));
  });
  EXPECT_EQ(f.objection(), "its premise is impossible");
}

TEST(Proofs, WhatNoTwinBreaksProvesNothing) {
  const smt::Finding f = asked([](smt::Claim& c) {
    const z3::expr w = c.word("word");
    const z3::expr full = bits::is_full(smt::Word{w});
    c.holds(full || !full);
  });
  EXPECT_EQ(f.objection(), "no twin is refuted");
}

TEST(Proofs, WhatTheSolverDoesNotKnowProvesNothing) {
  smt::Finding f = asked(state_too_much);
  f.queries[1].answer = Answer::unsat;
  EXPECT_EQ(f.objection(), "");
  for (const std::size_t q : {0u, 1u, 2u}) {
    smt::Finding unknown = f;
    unknown.queries[q].answer = Answer::unknown;
    EXPECT_NE(unknown.objection(), "") << q;
  }
}

// --- what is kept --------------------------------------------------------------------------------

TEST(Proofs, KeptAnswersAreThoseOfTheirFormula) {
  const MadeUpTree folder;
  const smt::Options options{.cache = folder.root().string()};
  const smt::Finding first = asked(state_too_much, options);
  const smt::Finding second = asked(state_too_much, options);
  ASSERT_EQ(first.queries.size(), second.queries.size());
  for (std::size_t q = 0; q < first.queries.size(); ++q) {
    EXPECT_EQ(second.queries[q].answer, first.queries[q].answer);
    EXPECT_EQ(second.queries[q].in_words, first.queries[q].in_words);
  }

  // An answer is believed if its file holds the formula, and only then.
  std::size_t files = 0;
  for (const auto& file : fs::directory_iterator(folder.root())) {
    std::ostringstream text;
    text << std::ifstream(file.path()).rdbuf();
    std::string content = text.str();
    const std::size_t at = content.find("sat\n");
    content.replace(content[at - 1] == 'n' ? at - 2 : at, content[at - 1] == 'n' ? 6 : 4,
                    content[at - 1] == 'n' ? "sat\n" : "unsat\n");
    if (++files % 2 == 0) content += " ";
    std::ofstream(file.path()) << content;
  }
  EXPECT_EQ(files, first.queries.size());
  const smt::Finding forged = asked(state_too_much, options);
  std::size_t believed = 0;
  for (std::size_t q = 0; q < files; ++q)
    believed += forged.queries[q].answer != first.queries[q].answer;
  EXPECT_EQ(believed, files - files / 2);
}

// --- what is proved is what runs -----------------------------------------------------------------

std::set<std::string> named() {
  std::set<std::string> about;
  for (const smt::Obligation* o : smt::obligations()) {
    std::istringstream words{std::string(o->about)};
    for (std::string name; words >> name;) about.insert(name);
  }
  return about;
}

TEST(Proofs, EveryTemplateRunsAndIsProved) {
  const Templates t = read_templates(read_tree(FORKPROOF_SOURCE_DIR));
  EXPECT_GE(t.calls.size(), 40u);
  const Complaints complaints = check_templates(t, named());
  EXPECT_TRUE(complaints.empty()) << joined(complaints);
}

TEST(Proofs, ADeadTemplateIsFound) {
  const MadeUpTree tree;
  tree.write("impl/bits/a.hpp",
             "\ntemplate <class W>\nconstexpr W used(const W& w) {\n  return helper(w);\n}\n"
             "\ntemplate <class W>\nconstexpr W dead(const W& w) {\n  return used(w);\n}\n"
             "\ntemplate <class W>\nconstexpr W helper(const W& w) {\n  return w;\n}\n");
  tree.write("impl/a.cpp", "int f() { return bits::used(1); }  // bits::dead(1)\n");
  tree.write("smt/obligations/a.cpp", "void g() { bits::used(w); bits::dead(w); }\n");
  const Templates t = read_templates(read_tree(tree.root()));
  EXPECT_EQ(t.calls.size(), 3u);
  EXPECT_EQ(check_templates(t, {"used", "dead", "helper"}),
            Complaints{"dead: impl/ does not call it"});
  EXPECT_EQ(check_templates(t, {"used", "dead", "other"}),
            (Complaints{"dead: impl/ does not call it", "helper: no obligation names it",
                        "other: no such template"}));
}

/// The symbolic word computes what the machine word does.
TEST(Proofs, SymbolsAndMachineWordsCompute) {
  z3::context z;
  std::mt19937_64 dice(1);
  const auto symbol = [&](std::uint64_t n) { return smt::Word{z.bv_val(n, 64)}; };
  const auto value = [](const z3::expr& e) { return e.simplify().get_numeral_uint64(); };
  const auto truth = [](const z3::expr& e) { return e.simplify().is_true(); };
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t a = dice() & (dice() | dice()), b = i % 3 == 0 ? a : dice() >> a % 64;
    const std::uint64_t bit = std::uint64_t{1} << (b % 64);
    const smt::Word A = symbol(a), B = symbol(b), Bit = symbol(bit);
    EXPECT_EQ(value((A & B) | (~A ^ B)), (a & b) | (~a ^ b));
    EXPECT_EQ(value(A + B - Bit), a + b - bit);
    EXPECT_EQ(value(shift_left(A, 7) | shift_right(B, 9)), a << 7 | b >> 9);
    EXPECT_EQ(value(place_of(Bit)), b % 64);
    EXPECT_EQ(value(bit_at(symbol(b % 64))), bit);
    EXPECT_EQ(truth(less(A, B) || A == B), a <= b);
    EXPECT_EQ(truth(!(A != B) && less(B, A)), false);
    EXPECT_EQ(value(ite(less(A, B), A, B)), std::min(a, b));
    EXPECT_EQ(value(bits::next_clear(A, Bit)), bits::next_clear(a, bit));
    EXPECT_EQ(value(bits::next_signal(A, B)), bits::next_signal(a, b));
    EXPECT_EQ(value(bits::forked(A)), bits::forked(a));
    EXPECT_EQ(truth(bits::is_killed(A)), bits::is_killed(a));
  }
}

TEST(Proofs, TheManualSaysWhatIsProved) {
  std::ostringstream page;
  page << std::ifstream(fs::path(FORKPROOF_SOURCE_DIR) / "docs/proofs.md").rdbuf();
  EXPECT_TRUE(page.str() == app::as_page(smt::obligations()))
      << "forkproof prove --list --markdown >docs/proofs.md";
}

}  // namespace
}  // namespace forkproof::props
