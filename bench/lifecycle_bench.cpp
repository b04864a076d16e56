/// What fork, exit and wait4 cost the implementation alone, beside the running kernel.
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "bench/figure.hpp"
#include "harness/generate.hpp"
#include "impl/machine.hpp"

namespace {

using namespace forkproof;

/// A child is made, ends and is reaped. Answers whether that is what happened.
bool cycle(impl::Machine& machine, Pid actor) {
  static const Op kFork = Fork{}, kExit = ExitGroup{}, kWait = Wait4{};
  const Pid child = machine.apply(actor, kFork).outcome.who.pid();
  machine.apply(child, kExit);
  const Outcome& seen = machine.apply(actor, kWait).outcome;
  return seen == Outcome::news(child, Change::exited, 0);
}

/// `tasks` of them, each of a random maker. The last one made has no children.
void populate(impl::Machine& machine, std::int32_t tasks) {
  machine.reset({.profile = Profile::linux_6, .pid_max = kPidMaxLimit});
  harness::Dice dice(1);
  for (std::int32_t n = 1; n < tasks; ++n) machine.apply({dice.between(1, n)}, Fork{});
}

double nanoseconds_a_cycle(impl::Machine& machine, int cycles, auto&& actor) {
  return bench::median_of(9, [&] {
    bool right = true;
    const bench::ProcessorWatch watch;
    for (int i = 0; i < cycles; ++i) right = cycle(machine, actor()) && right;
    const double seconds = watch.seconds();
    if (!right) bench::give_up("a child was not reaped");
    return seconds * 1e9 / cycles;
  });
}

/// The same three calls by this process, which is small: without the C library's own work.
double nanoseconds_of_the_kernel(int cycles) {
  return bench::median_of(cycles, [] {
    const bench::Stopwatch watch;
    const long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) syscall(SYS_exit_group, 0);
    if (syscall(SYS_wait4, child, nullptr, 0, nullptr) != child) bench::give_up("no child");
    return watch.seconds() * 1e9;
  });
}

}  // namespace

int main(int argc, char** argv) {
  const bool quick = bench::is_quick(argc, argv);
  const int cycles = quick ? 100'000 : 500'000;
  const double kernel = nanoseconds_of_the_kernel(quick ? 500 : 5000);
  const auto show = [&](std::string_view who, std::int32_t tasks, double ours) {
    bench::print({.what = fmt::format("fork + exit + wait4 by {}, {} tasks : kernel", who, tasks),
                  .unit = "ns", .ours = ours, .peer = kernel, .ratio = kernel / ours,
                  .bar = "<= 150 ns", .met = ours <= 150});
  };
  for (const std::int32_t tasks : {8, 100'000}) {
    impl::Machine machine;
    populate(machine, tasks);
    show("one task", tasks, nanoseconds_a_cycle(machine, cycles, [&] { return Pid{tasks}; }));
    show("init", tasks, nanoseconds_a_cycle(machine, cycles, [] { return kInit; }));
  }
}
