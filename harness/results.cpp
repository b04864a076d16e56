/// What the engines found, for reports of every kind.
#include "harness/results.hpp"

#include <algorithm>
#include <iterator>

namespace forkproof::harness {

std::size_t Results::violations() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(cases, [](const Case& c) { return c.violation.has_value(); }));
}

std::size_t Results::errors() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(cases, [](const Case& c) { return !c.error.empty(); }));
}

std::size_t Results::skipped() const {
  return static_cast<std::size_t>(
             std::ranges::count_if(cases, [](const Case& c) { return !c.skipped.empty(); })) +
         beyond;
}

Results merged(std::vector<Results> parts) {
  Results all = std::move(parts.at(0));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    Results& part = parts[i];
    all.system += ',' + part.system;
    all.traces += part.traces;
    all.ops += part.ops;
    all.seconds += part.seconds;
    all.proved += part.proved;
    all.beyond += part.beyond;
    if (all.beyond_what.empty()) all.beyond_what = part.beyond_what;
    if (all.abilities.empty()) all.abilities = part.abilities;
    std::ranges::move(part.cases, std::back_inserter(all.cases));
    std::ranges::move(part.left_out, std::back_inserter(all.left_out));
    if (part.matrix) all.matrix = all.matrix.value_or(MatrixTally{}) + *part.matrix;
    all.coverage.add(part.coverage);
  }
  return all;
}

}  // namespace forkproof::harness
