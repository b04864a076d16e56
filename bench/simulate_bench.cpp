/// Random walks through the family fragment of bench/peers/README.md: simulate_bench SYSTEM TASKS
/// SAMPLES STEPS prints how many steps there were, and in how many seconds. Each of the samples
/// takes at most so many steps from the start: a random task that can act does a random one of the
/// five ops. As in every lockstep, what a step can have broken is checked after it, and everything
/// at the end. SYSTEM is `spec`, the model alone, or `impl`, in lockstep with it.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "bench/figure.hpp"
#include "harness/explore/walker.hpp"
#include "impl/machine.hpp"
#include "spec/derive.hpp"

namespace {

using namespace forkproof;

struct Walks {
  std::size_t tasks = 0, samples = 0, steps = 0;
};

std::size_t number(std::string_view text) {
  std::size_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n == 0)
    bench::give_up("expected a number");
  return n;
}

/// A random step of the fragment.
class Dice {
 public:
  /// Nothing where nobody can act any more: init has exited, and everybody with it.
  std::optional<Step> pick(const spec::World& world, const harness::Naming& naming,
                           std::size_t tasks_max) {
    look_at(world, naming);
    if (able_.empty()) return std::nullopt;
    const bool room = world.tasks.size() < tasks_max;
    Step step;
    step.actor = one_of(able_);
    switch (roll(room ? 5 : 3)) {
      case 0: step.op = Exec{}; break;
      case 1: step.op = Exit{{}, 1}; break;
      case 2: step.op = wait(); break;
      case 3: step.op = Fork{}; break;
      default: step.op = Vfork{};
    }
    if (creates(step.op)) step.binds = static_cast<std::int32_t>(naming.numbers().size());
    return step;
  }

 private:
  /// Who there is, and who of them can act.
  void look_at(const spec::World& world, const harness::Naming& naming) {
    there_.clear();
    able_.clear();
    for (std::int32_t name = 0; name < static_cast<std::int32_t>(naming.numbers().size()); ++name) {
      const Pid number = naming.current(name, world);
      if (number.n == 0) continue;
      there_.push_back(name);
      const spec::Task& t = world.tasks[world.task_of(number)];
      if (!t.zombie && t.call.kind == spec::Call::Kind::none) able_.push_back(name);
    }
  }

  Wait4 wait() {
    static constexpr std::array<WaitOptions, 3> kOptions{
        WaitOptions{}, wait_option::nohang,
        wait_option::nohang | wait_option::stopped | wait_option::continued};
    Wait4 wait;
    wait.options = kOptions[roll(kOptions.size())];
    const std::size_t whom = roll(there_.size() + 2);
    if (whom < there_.size())
      wait.selector = {Selector::Kind::task, TaskRef::name(there_[whom])};
    else
      wait.selector = {whom == there_.size() ? Selector::Kind::any : Selector::Kind::own_group, {}};
    return wait;
  }

  std::size_t roll(std::size_t sides) { return dice_() % sides; }
  std::int32_t one_of(const std::vector<std::int32_t>& names) { return names[roll(names.size())]; }

  std::mt19937_64 dice_{1};
  std::vector<std::int32_t> there_, able_;
};

/// Checks what the last step can have broken. A lockstep has done so.
bool keeps_promises(const harness::ModelWalker& walker) {
  const spec::World& world = walker.model().world();
  return std::ranges::all_of(walker.model().touched(),
                             [&](spec::TaskId id) { return spec::broken_by(world, id).empty(); });
}
bool keeps_promises(const harness::LockstepWalker<impl::Machine>&) { return true; }

/// How many steps there were.
template <class Walker>
std::uint64_t walk(Walker walker, const Walks& walks) {
  Dice dice;
  std::uint64_t taken = 0;
  for (std::size_t sample = 0; sample < walks.samples; ++sample) {
    walker.begin({});
    for (std::size_t i = 0; i < walks.steps; ++i) {
      const auto step = dice.pick(walker.model().world(), walker.naming(), walks.tasks);
      if (!step) break;
      if (!walker.step(*step, {}) || !keeps_promises(walker)) bench::give_up("a violation");
      ++taken;
    }
    if (!walker.look()) bench::give_up("a violation");
  }
  return taken;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) bench::give_up("usage: simulate_bench spec|impl TASKS SAMPLES STEPS");
  const std::string_view system = argv[1];
  const Walks walks{number(argv[2]), number(argv[3]), number(argv[4])};
  const bench::Stopwatch watch;
  std::uint64_t taken = 0;
  if (system == "spec")
    taken = walk(harness::ModelWalker{}, walks);
  else if (system == "impl")
    taken = walk(harness::LockstepWalker<impl::Machine>(impl::Machine{}), walks);
  else
    bench::give_up("expected spec or impl");
  fmt::print("{} {:.3f}\n", taken, watch.seconds());
}
