/// How many ops a second the lockstep checks on one thread, all invariants included, beside the
/// same model and implementation under `rc::state::check`.
#include <cstdio>

#include "bench/figure.hpp"
#include "bench/rapidcheck_peer.hpp"
#include "harness/lockstep.hpp"

namespace {

using namespace forkproof;
using harness::Depth;
using MachineLockstep = harness::Lockstep<impl::Machine>;

/// A trace, and what made it.
struct Made {
  std::uint64_t seed;
  Profile profile;
  Script script;
};

/// The traces of the seeds 1..`seeds`, in both profiles.
std::vector<Made> make_traces(std::uint64_t seeds) {
  std::vector<Made> all;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed)
    for (const Profile profile : {Profile::linux_6, Profile::linux_4_12})
      if (Script s = harness::generate(seed, profile); !s.steps.empty())
        all.push_back({seed, profile, std::move(s)});
  return all;
}

std::size_t ops_in(std::span<const Made> traces) {
  std::size_t ops = 0;
  for (const Made& m : traces) ops += m.script.steps.size();
  return ops;
}

/// Ops a second: the median of some passes over the traces.
double rate(std::span<const Made> traces, int passes, auto&& pass) {
  return bench::median_of(passes, [&] {
    const bench::ProcessorWatch watch;
    pass();
    return static_cast<double>(ops_in(traces)) / watch.seconds();
  });
}

double lockstep_rate(std::span<const Made> traces, int passes, Depth depth) {
  impl::Machine machine;
  MachineLockstep lockstep(machine, depth);
  return rate(traces, passes, [&] {
    for (const Made& m : traces)
      if (lockstep.run(m.script)) bench::give_up(fmt::format("violation: seed {}", m.seed));
  });
}

/// As a campaign goes: each step is made when its turn comes, with an eye on the model.
double campaign_rate(std::span<const Made> traces, int passes) {
  impl::Machine machine;
  MachineLockstep lockstep(machine);
  return rate(traces, passes, [&] {
    for (const Made& m : traces) {
      harness::Generator generator(m.seed, m.profile);
      lockstep.begin(generator.world());
      bool holds = true;
      while (const auto step = generator.next(lockstep.model(), lockstep.naming()))
        if (holds = lockstep.step(*step); !holds) break;
      if (!holds || !lockstep.finish()) bench::give_up(fmt::format("violation: seed {}", m.seed));
    }
  });
}

struct PeerRates {
  double run, check;  // with the commands made before, and with making them
};

PeerRates peer_rates(std::span<const Made> traces, int passes) {
  impl::Machine machine;
  const auto longest = [](const Made& m) { return static_cast<int>(m.script.steps.size()) - 1; };
  std::vector<rc::Random> randoms;
  for (const Made& m : traces) randoms.push_back(bench::random_for_longest(longest(m)));
  const auto commands = [&](std::size_t i) {
    return bench::peer_commands(traces[i].seed, traces[i].profile, randoms[i], longest(traces[i]));
  };
  std::vector<bench::PeerCommands> made;
  for (std::size_t i = 0; i < traces.size(); ++i) made.push_back(commands(i));

  const auto run_all = [&](auto&& commands_of) {
    for (std::size_t i = 0; i < traces.size(); ++i)
      bench::peer_run(traces[i].script.world, commands_of(i), machine);
  };
  return {rate(traces, passes, [&] { run_all([&](std::size_t i) { return made[i]; }); }),
          rate(traces, passes, [&] { run_all(commands); })};
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = bench::is_quick(argc, argv);
  const int passes = quick ? 3 : 9;
  const std::vector<Made> all = make_traces(quick ? 500 : 2000);

  const double ours = lockstep_rate(all, passes, Depth::touched);
  const double full = lockstep_rate(all, passes, Depth::full);
  const double campaign = campaign_rate(all, passes);
  const PeerRates peer = peer_rates(all, 3);

  bench::print({.what = "lockstep", .unit = "ops/s", .ours = ours, .bar = ">= 1000000",
                .met = ours >= 1e6});
  bench::print({.what = "lockstep : rc::state, traces made before", .unit = "ops/s", .ours = ours,
                .peer = peer.run, .ratio = ours / peer.run, .bar = ">= 20 x",
                .met = ours >= 20 * peer.run});
  bench::print({.what = "campaign : rc::state::check, traces made on the way", .unit = "ops/s",
                .ours = campaign, .peer = peer.check, .ratio = campaign / peer.check});
  bench::print({.what = "lockstep that compares everything : rc::state", .unit = "ops/s",
                .ours = full, .peer = peer.run, .ratio = full / peer.run});
}
