/// The records of the machine and its stacks: what is taken is given back, what is given back is
/// used again, and who runs out of stack dies alone.
#include <gtest/gtest.h>

#include "harness/generate.hpp"
#include "harness/lockstep.hpp"
#include "impl/machine.hpp"

namespace forkproof::props {
namespace {

using impl::Machine;
using impl::Slab;

std::vector<std::size_t> live(const Machine& machine) {
  std::vector<std::size_t> counts;
  for (const Slab& slab : machine.slabs()) counts.push_back(slab.counts.live);
  return counts;
}

/// Has init kill all others, and reap them; it then execs, which lets go of what it has.
/// False where init cannot: it is dead, stopped, inside a call, or has too many tasks to exec.
bool leave_init_alone(Machine& machine) {
  machine.apply(kInit, Kill{.target = {.kind = Target::Kind::all, .who = {}}, .signal = sig::cont});
  machine.apply(kInit, Kill{.target = {.kind = Target::Kind::all, .who = {}}, .signal = sig::kill});
  const Wait4 reap{.selector = {}, .options = wait_option::nohang | wait_option::all};
  while (machine.apply(kInit, reap).outcome.kind == Outcome::Kind::change) continue;
  Sigaction forget{.signal = {}, .disposition = Disposition::default_, .flags = {}};
  while (++forget.signal.n <= kSignalMax) machine.apply(kInit, forget);
  if (machine.apply(kInit, Exec{}).outcome != Outcome::success()) return false;
  std::vector<Pid> tasks;
  machine.tasks(tasks);
  return tasks == std::vector{kInit} && machine.view(kInit).state == State::running;
}

TEST(Records, NoneLeaksInACampaign) {
  Machine fresh;
  ASSERT_TRUE(leave_init_alone(fresh));
  std::size_t emptied = 0;
  std::uint64_t taken = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    const Profile profile = seed % 2 == 0 ? Profile::linux_6 : Profile::linux_4_12;
    Machine machine;
    harness::Lockstep<Machine> lockstep(machine);
    ASSERT_FALSE(lockstep.run(harness::generate(seed, profile)));
    if (!leave_init_alone(machine)) continue;
    ++emptied;
    for (const Slab& slab : machine.slabs()) taken += slab.counts.handed_out;
    ASSERT_EQ(live(machine), live(fresh)) << "seed " << seed;
    ASSERT_TRUE(machine.sound());
  }
  EXPECT_GT(emptied, 200u);
  EXPECT_GT(taken, 5 * emptied) << "nothing was taken";
}

TEST(Records, AreUsedAgain) {
  Machine machine;
  for (int i = 0; i < 1000; ++i) {
    const Pid child = machine.apply(kInit, Fork{}).outcome.who.pid();
    machine.apply(child, Exit{});
    machine.apply(kInit, Wait4{});
  }
  for (const Slab& slab : machine.slabs()) {
    EXPECT_LE(slab.counts.peak, 2u) << slab.name;
    if (slab.name == "task_struct") {
      EXPECT_EQ(slab.counts.handed_out, 1001u);
      EXPECT_EQ(slab.counts.reused(), 999u);
      EXPECT_EQ(slab.counts.colours(), 32u) << "two lines each";
    }
  }
}

TEST(Stack, WhoOverflowsDiesAlone) {
  for (const Profile profile : {Profile::linux_6, Profile::linux_4_12}) {
    const std::uint64_t size = profile == Profile::linux_6 ? 16384 : 8192;
    Machine machine({.profile = profile});
    const Pid left = machine.apply(kInit, Fork{}).outcome.who.pid();
    const Pid victim = machine.apply(kInit, Fork{}).outcome.who.pid();
    const Pid right = machine.apply(kInit, Fork{}).outcome.who.pid();
    const TaskView left_before = machine.view(left), right_before = machine.view(right);

    machine.use_stack(size - 64);  // all of it
    EXPECT_EQ(machine.apply(victim, Getpid{}).outcome, Outcome::task(victim));
    machine.use_stack(size - 63);  // into thread_info
    EXPECT_EQ(machine.apply(victim, Fork{}).outcome, Outcome::death(sig::segv));
    machine.use_stack(1024);

    EXPECT_EQ(machine.view(victim).state, State::zombie);
    EXPECT_EQ(machine.view(left), left_before);
    EXPECT_EQ(machine.view(right), right_before);
    EXPECT_TRUE(machine.sound());
    EXPECT_EQ(machine.apply(kInit, Wait4{}).outcome,
              Outcome::news(victim, Change::killed, sig::segv.n));
    EXPECT_EQ(machine.apply(left, Getpid{}).outcome, Outcome::task(left));
    EXPECT_EQ(machine.apply(right, Getppid{}).outcome, Outcome::task(kInit));
  }
}

}  // namespace
}  // namespace forkproof::props
