/// How many random traces a second are run on the running kernel and held to the spec, each in a
/// fresh namespace and with everything compared at its end, by one process a processor.
#include <thread>

#include "bench/figure.hpp"
#include "harness/campaign.hpp"
#include "harness/system_fault.hpp"

namespace {

using namespace forkproof;

struct Rates {
  double traces, ops;
};

Rates rates(std::size_t jobs, std::chrono::seconds time) {
  static constexpr Profile kProfile[] = {Profile::linux_6};
  harness::Results results;
  results.system = "linux";
  const auto open = [] {
    harness::Opened opened = harness::open_system("linux");
    if (!opened.checker) bench::give_up(opened.reason);
    return std::move(opened.checker);
  };
  open();  // or give up here, and not in each process
  harness::run_campaign(open, jobs, {.seed = 1, .profiles = kProfile, .time = time, .traces = {}},
                        results, [](const harness::Results&) { return true; });
  if (results.violations() > 0)
    bench::give_up(harness::report(*results.cases[0].violation, results.cases[0].reproduce));
  return {static_cast<double>(results.traces) / results.seconds,
          static_cast<double>(results.ops) / results.seconds};
}

}  // namespace

int main(int argc, char** argv) {
  const std::chrono::seconds time{bench::is_quick(argc, argv) ? 3 : 20};
  const std::size_t processors = std::max(1u, std::thread::hardware_concurrency());
  constexpr double kOps = 20;  // of the traces that the bar speaks of
  const Rates one = rates(1, time), all = rates(processors, time);
  bench::print({.what = "random traces on the running kernel, one process",
                .unit = "traces/s",
                .ours = one.traces});
  bench::print({.what = "... a process each processor : one",
                .unit = "traces/s",
                .ours = all.traces,
                .peer = one.traces,
                .ratio = all.traces / one.traces});
  bench::print({.what = "... as traces of 20 ops",
                .unit = "traces/s",
                .ours = all.ops / kOps,
                .bar = ">= 1200",
                .met = all.ops / kOps >= 1200});
}
