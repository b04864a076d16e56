/// Results as JSON.
#include <nlohmann/json.hpp>

#include "harness/results.hpp"
#include "spec/text.hpp"

namespace forkproof::harness {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Case& c) {
  const Violation& v = *c.violation;
  return {{"trace", print(v.trace)},
          {"step", v.step + 1},
          {"rule", v.id},
          {"kind", word(v.kind)},
          {"says", v.says},
          {"source", v.source},
          {"observed", v.observed},
          {"allowed", Json::array({v.allowed})},
          {"found_after", c.found_after},
          {"engine", c.engine},
          {"system", c.system},
          {"name", c.name},
          {"reproduce", c.reproduce}};
}

Json json_of(const std::optional<MatrixTally>& m) {
  if (!m) return nullptr;
  return {{"combinations", m->tried},
          {"made", m->made},
          {"refused", m->refused},
          {"disagree", m->disagree}};
}

Json json_of(const std::optional<ExploreTally>& e) {
  if (!e) return nullptr;
  return {{"states", e->states},
          {"transitions", e->transitions},
          {"depth", e->depth},
          {"stopped", e->stopped}};
}

}  // namespace

std::string to_json(const Results& r) {
  Json violations = Json::array(), errors = Json::array();
  for (const Case& c : r.cases) {
    if (c.violation) violations.push_back(json_of(c));
    if (!c.error.empty()) errors.push_back(c.error);
  }
  const Json object = {
      {"engine", r.engine},
      {"system", r.system},
      {"profile", r.profile},
      {"seed", r.seed ? Json(*r.seed) : Json(nullptr)},
      {"traces", r.traces},
      {"ops", r.ops},
      {"skipped", r.skipped()},
      {"why_skipped", r.why_skipped()},
      {"abilities", r.abilities},
      {"left_out", r.left_out},
      {"seconds", r.seconds},
      {"matrix", json_of(r.matrix)},
      {"explored", json_of(r.explored)},
      {"proved", r.proved},
      {"violations", violations},
      {"errors", errors},
      {"rules_total", kRules.size()},
      {"rules_covered", r.coverage.rules.count()},
      {"covered", r.coverage.covered()},
      {"uncovered", r.coverage.uncovered()},
      {"sometimes_missing", r.coverage.missing()},
      {"invariants_untested", r.coverage.untested()},
  };
  // Names of files may be in any encoding; JSON is in one.
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace forkproof::harness
