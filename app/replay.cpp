/// `forkproof replay`: traces that say what must happen.
#include <fmt/format.h>

#include "app/interrupt.hpp"
#include "app/output.hpp"
#include "app/reporting.hpp"
#include "harness/trace_file.hpp"

namespace forkproof::app {

int replay(const ReplayOptions& o) {
  if (!o.report.junit.empty()) expect_writable(o.report.junit);
  const auto checker = open(o.system);
  const harness::Listing listing = harness::list_traces(o.paths);
  harness::Results results;
  results.engine = "replay";
  results.system = o.system;
  results.profile = "both";
  results.abilities = checker->abilities();
  add_errors(listing.errors, results);

  watch_for_interrupt();
  {
    Progress progress;
    harness::replay(*checker, listing.files, results, watch(progress));
  }
  if (!o.report.json) {
    print_cases(results);
    print_totals(results);
  } else {
    for (const harness::Case& c : results.cases)
      if (!c.error.empty()) fmt::print(stderr, "{}\n", c.error);
  }
  return conclude(results, o.report);
}

}  // namespace forkproof::app
