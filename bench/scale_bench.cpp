/// Whether a step of the lockstep costs the same in a large world as in a small one.
#include <algorithm>
#include <array>
#include <cstdio>

#include "bench/crowd.hpp"
#include "bench/figure.hpp"
#include "harness/lockstep.hpp"

namespace {

using namespace forkproof;
using bench::Crowd;
using bench::Shape;

/// The world is built first, and then the mix alone is timed: of so many steps that the comparison
/// of everything, which comes every 16 steps a task, has its due share in them.
double nanoseconds_a_step(Shape shape, std::size_t tasks, int repetitions) {
  Crowd crowd(shape, tasks);
  const std::size_t built = crowd.drafts().size();
  const std::size_t steps = std::max<std::size_t>(200'000, 16 * tasks);
  crowd.mix(steps);

  impl::Machine machine;
  harness::Lockstep<impl::Machine> lockstep(machine);
  Step step;
  const auto run = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) {
      const bench::Draft& draft = crowd.drafts()[i];
      step.actor = draft.actor;
      step.binds = draft.binds;
      step.op = draft.op;
      if (!lockstep.step(step)) bench::give_up("violation");
    }
  };
  return bench::median_of(repetitions, [&] {
    lockstep.begin(bench::kCrowdWorld);
    run(0, built);
    const bench::ProcessorWatch watch;
    run(built, built + steps);
    return watch.seconds() * 1e9 / static_cast<double>(steps);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = bench::is_quick(argc, argv);
  const std::size_t many = quick ? 10'000 : 100'000;
  struct Named {
    Shape shape;
    std::string_view name;
  };
  for (const Named& n : std::array{Named{Shape::tree, "a tree"}, Named{Shape::flat, "one parent"},
                                   Named{Shape::chain, "a chain"}}) {
    const double small = nanoseconds_a_step(n.shape, 8, 5);
    const double large = nanoseconds_a_step(n.shape, many, 1);
    bench::print({.what = fmt::format("lockstep step, {} tasks : 8, {}", many, n.name),
                  .unit = "ns", .ours = large, .peer = small, .ratio = large / small,
                  .bar = "<= 3 x", .met = large <= 3 * small});
  }
}
