/// What the engines found, for reports of every kind.
#include "harness/results.hpp"

#include <algorithm>

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
      std::ranges::count_if(cases, [](const Case& c) { return !c.skipped.empty(); }));
}

}  // namespace forkproof::harness
