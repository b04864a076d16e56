/// How `explore` and the engine of that name of `check` explore.
#pragma once
#include <string>

#include "app/commands.hpp"
#include "harness/explore/explore.hpp"

namespace forkproof::app {

/// Explores as the options say; a Failure where they are wrong, or the system cannot be explored.
harness::Exploration explore(const ExploreOptions& options, const harness::ExploreWatch& watch);

/// What came of it, its violation made as small as it gets.
harness::Case case_of(const ExploreOptions& options, const harness::Exploration& found);

/// What was covered: of the bounds, or of what was left of them.
std::string extent(const harness::Exploration& found);

}  // namespace forkproof::app
