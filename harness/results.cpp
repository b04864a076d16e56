/// What the engines found, for reports of every kind.
#include "harness/results.hpp"

#include <algorithm>
#include <iterator>

namespace forkproof::harness {

void ExploreTally::add(const ExploreTally& other) {
  states += other.states;
  transitions += other.transitions;
  depth = std::min(depth, other.depth);
  if (stopped.empty()) stopped = other.stopped;
}

std::size_t Results::violations() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(cases, [](const Case& c) { return c.violation.has_value(); }));
}

std::size_t Results::errors() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(cases, [](const Case& c) { return !c.error.empty(); }));
}

LeftOut Results::why_skipped() const {
  LeftOut all = beyond;
  for (const Case& c : cases)
    if (!c.skipped.empty()) ++all[c.skipped];
  return all;
}

std::uint64_t Results::skipped() const {
  std::uint64_t sum = 0;
  for (const auto& [why, count] : why_skipped()) sum += count;
  return sum;
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
    for (const auto& [why, count] : part.beyond) all.beyond[why] += count;
    if (all.abilities.empty()) all.abilities = part.abilities;
    std::ranges::move(part.cases, std::back_inserter(all.cases));
    std::ranges::move(part.left_out, std::back_inserter(all.left_out));
    if (part.matrix) all.matrix = all.matrix.value_or(MatrixTally{}) + *part.matrix;
    if (part.explored) {
      if (!all.explored) all.explored.emplace();
      all.explored->add(*part.explored);
    }
    all.coverage.add(part.coverage);
  }
  return all;
}

}  // namespace forkproof::harness
