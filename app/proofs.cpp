/// How `prove` tells what there is to prove and what came of it.
#include "app/proofs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "app/commands.hpp"
#include "app/markdown.hpp"
#include "spec/text.hpp"

namespace forkproof::app {

namespace {

std::string in_words(const smt::Query& q) {
  return fmt::format("{}", fmt::join(q.in_words, ", "));
}

std::string counterexample(const smt::Finding& f) {
  std::string out = fmt::format("    {}\n    about {}\n    source: {}\n", f.obligation->says,
                                f.obligation->about, f.obligation->source);
  if (f.claim().answer == smt::Answer::sat) out += "    not so: " + in_words(f.claim()) + '\n';
  return out;
}

constexpr std::string_view kIntro = R"(# Proofs

The bit logic of the implementation is templates over the word type (`impl/bits/`). The
implementation runs them on machine words; `forkproof prove` runs the same templates on symbolic
ones, which makes them formulas, and asks a solver for a counterexample. There is no second model.

An obligation is proved if

* the solver answers that there is no counterexample: no word, of all that there are, breaks it;
* its premise is possible, so that it is not about nothing; and
* it tells the template from a *twin*. A twin is the template with one operation done wrong (`&` for
  `|`, `<=` for `<`, a constant one greater, a negation left out, ...). Nobody writes twins down:
  each operation that a template does in the obligation is done wrong in turn. Those that the
  obligation can tell have a counterexample, and it must tell one at least. (A twin without one is
  no error: the operation makes no difference to what this obligation says.)

"Unknown" and a time-out fail. `forkproof prove --twins NAME` shows a counterexample to each twin,
`--traces DIR` writes traces in which they show, for `forkproof replay`. `--emit DIR` writes the
formulas, for any solver; `--solver cvc5` has them decided by another one.

This page is what `forkproof prove --list --markdown` prints.
)";

}  // namespace

std::string as_list(const Obligations& all) {
  std::string out;
  for (const smt::Obligation* o : all) {
    out += fmt::format("{}\n    {}\n    about: {}\n", o->id, o->says, o->about);
    if (!o->assumes.empty()) out += fmt::format("    assumes: {}\n", o->assumes);
    out += fmt::format("    source: {}\n", o->source);
  }
  return out;
}

std::string as_page(const Obligations& all) {
  std::string out = fmt::format(
      "{}\n## What is proved\n\n{} obligations. The templates are those of `impl/bits/`.\n\n"
      "| id | what it says | of the templates | source |\n| --- | --- | --- | --- |\n",
      kIntro, all.size());
  for (const smt::Obligation* o : all)
    out += fmt::format("| `{}` | {} | `{}` | {} |\n", o->id, markdown_cell(o->says), o->about,
                       markdown_cell(o->source));
  out += "\n## What is assumed\n\n| assumption | by |\n| --- | --- |\n";
  std::vector<std::string_view> met;
  for (const smt::Obligation* o : all) {
    if (o->assumes.empty() || std::ranges::find(met, o->assumes) != met.end()) continue;
    met.push_back(o->assumes);
    std::vector<std::string> by;
    for (const smt::Obligation* other : all)
      if (other->assumes == o->assumes) by.push_back(fmt::format("`{}`", other->id));
    out += fmt::format("| {} | {} |\n", markdown_cell(o->assumes), fmt::join(by, ", "));
  }
  out += "\n## What is not proved\n\n| what | what holds it instead |\n| --- | --- |\n";
  for (const smt::Gap& g : smt::gaps())
    out += fmt::format("| {} | {} |\n", markdown_cell(g.what), markdown_cell(g.instead));
  return out;
}

std::string as_line(const smt::Finding& f, bool twins) {
  const std::string why = f.objection();
  const bool broken = f.claim().answer == smt::Answer::sat;
  std::string out = fmt::format("{:8} {:28} {:3} of {:3} twins refuted {:6.2f} s{}{}\n",
                                why.empty() ? "proved" : broken ? "BROKEN" : "UNPROVED",
                                f.obligation->id, f.twins(smt::Answer::sat), f.queries.size() - 2,
                                f.seconds, why.empty() ? "" : "  ", why);
  if (!why.empty()) out += counterexample(f);
  for (const smt::Query& q : f.queries) {
    if (!twins || q.role != smt::Query::Role::twin) continue;
    out += fmt::format("    operation {}, {}: {}\n", q.twin + 1, q.what,
                       q.answer == smt::Answer::sat     ? "refuted by " + in_words(q)
                       : q.answer == smt::Answer::unsat ? "makes no difference here"
                                                        : "unknown");
  }
  return out;
}

std::string as_json(const std::vector<smt::Finding>& findings, const std::string& solver,
                    double seconds) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::size_t proved = 0;
  for (const smt::Finding& f : findings) {
    proved += f.proved();
    list.push_back({{"id", f.obligation->id},
                    {"says", f.obligation->says},
                    {"source", f.obligation->source},
                    {"proved", f.proved()},
                    {"why_not", f.objection()},
                    {"counterexample", f.claim().in_words},
                    {"twins", f.queries.size() - 2},
                    {"twins_refuted", f.twins(smt::Answer::sat)},
                    {"seconds", f.seconds}});
  }
  const nlohmann::ordered_json all{{"engine", "prove"},       {"solver", solver},
                                   {"seconds", seconds},      {"obligations", findings.size()},
                                   {"proved", proved},        {"findings", list}};
  return all.dump(2) + '\n';
}

harness::Violation as_violation(const smt::Finding& f) {
  const bool broken = f.claim().answer == smt::Answer::sat;
  harness::Violation v = harness::unknown(f.objection(), 0, {});
  if (broken) v.kind = harness::Violation::Kind::invariant;
  v.id = f.obligation->id;
  v.says = f.obligation->says;
  v.source = f.obligation->source;
  if (broken) v.observed = in_words(f.claim());
  return v;
}

std::vector<Trace> traces_of(const smt::Finding& f) {
  std::vector<Trace> traces;
  if (f.obligation->trace == nullptr) return traces;
  const auto checker = open("impl");
  std::set<std::string> met;
  for (const smt::Query& q : f.queries) {
    if (q.role == smt::Query::Role::premise || q.values.empty()) continue;
    const std::string steps = f.obligation->trace(q.values);
    if (steps.empty() || !met.insert(steps).second) continue;
    const Parsed parsed = parse(fmt::format("{} {}\n{}", kTraceWord, kTraceVersion, steps));
    const bool twin = q.role == smt::Query::Role::twin;
    const std::string name =
        std::string(f.obligation->id) + (twin ? fmt::format(".twin-{:02}", q.twin + 1) : "");
    if (parsed.error) throw Failure{kBadInput, to_text(*parsed.error, name)};
    auto [recording, violation] = checker->record(parsed.script);
    if (violation) recording = violation->trace;
    const std::string shows =
        twin ? fmt::format("Tells {} from its twin in which {}", f.obligation->id, q.what)
             : fmt::format("A counterexample to {}", f.obligation->id);
    recording.head = {fmt::format(" {}: {}", shows, in_words(q)),
                      fmt::format(" {}", f.obligation->says)};
    traces.push_back({name + ".trace", print(recording)});
  }
  return traces;
}

}  // namespace forkproof::app
