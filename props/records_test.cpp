/// The records of the machine and its stacks: what is taken is given back, what is given back is
/// used again, and who runs out of stack dies alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "harness/generate.hpp"
#include "harness/lockstep.hpp"
#include "impl/machine.hpp"

namespace forkproof::props {
namespace {

using impl::Machine;
using impl::Slab;

/// How many records of a kind may be left where init is all there is: as many as there were at
/// first, or what it has changed of its own; of namespaces those that it has gone into, one below
/// the other, and that its descriptors hold.
std::size_t most(const Slab& slab, const Slab& at_first) {
  constexpr std::array<std::string_view, 6> kOne{"files_cache", "fs_cache", "attributes",
                                                 "limits",      "rusage",   "nsproxy"};
  constexpr std::array<std::string_view, 3> kAny{"user_namespace", "pid_namespace", "ns_common"};
  if (std::ranges::find(kOne, slab.name) != kOne.end()) return 1;
  if (std::ranges::find(kAny, slab.name) != kAny.end()) return 2 * kNamespaceDepth;
  return slab.name == "filp" ? kDescriptors : at_first.counts.live;
}

void expect_no_leak(const Machine& machine, const Machine& fresh) {
  const std::vector<Slab> now = machine.slabs(), before = fresh.slabs();
  for (std::size_t i = 0; i < now.size(); ++i)
    EXPECT_LE(now[i].counts.live, most(now[i], before[i])) << now[i].name;
}

/// Has init kill all others, and reap them; it then execs, which lets go of what it has.
/// False where init cannot: it is dead, stopped, inside a call, or has too many tasks to exec.
bool leave_init_alone(Machine& machine) {
  machine.apply(kInit, Kill{.target = {.kind = Target::Kind::all, .who = {}}, .signal = sig::cont});
  machine.apply(kInit, Kill{.target = {.kind = Target::Kind::all, .who = {}}, .signal = sig::kill});
  const Wait4 reap{.selector = {}, .options = wait_option::nohang | wait_option::all};
  while (machine.apply(kInit, reap).outcome.kind == Outcome::Kind::change) continue;
  Sigaction forget{.signal = {}, .disposition = Disposition::default_, .flags = {}};
  Sigaction ignore{.signal = {}, .disposition = Disposition::ignore, .flags = {}};
  while (++forget.signal.n <= kSignalMax) {
    ignore.signal = forget.signal;  // so that nothing of it is pending
    machine.apply(kInit, ignore);
    machine.apply(kInit, forget);
  }
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
    expect_no_leak(machine, fresh);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
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
      EXPECT_EQ(slab.counts.colours, 64u) << "two lines each, and one more a slab";
    }
  }
}

/// Sixteen slabs of tasks: as many first lines as a cache of 64 sets of 8 lines has room for.
TEST(Records, AreColoured) {
  impl::Arena<impl::Task> tasks;
  std::vector<impl::Index> names;
  for (int i = 0; i < 512; ++i) names.push_back(tasks.make().self);
  std::array<int, impl::kCacheSets> crowd{};
  for (const impl::Index name : names) {
    EXPECT_EQ(tasks[name].self, name);
    ++crowd[reinterpret_cast<std::uintptr_t>(&tasks[name]) / impl::kCacheLine % impl::kCacheSets];
  }
  EXPECT_LE(*std::ranges::max_element(crowd), 9) << "nobody's place is in use, too";
}

TEST(Records, HaveNamesOfTheirOwn) {
  using Tasks = impl::Slabs<impl::Task>;
  std::size_t last = 0;
  for (std::size_t place = 0; place < 200; ++place) {
    const std::size_t name = Tasks::name_of(place);
    EXPECT_EQ(Tasks::place_of(name), place);
    EXPECT_EQ(name, place == 0 ? 0 : last + (place % 32 == 0 ? 3 : 2));
    last = name;
  }
}

TEST(Records, OfAMachineThatWasMovedFromCanBeMadeAnew) {
  Machine machine, other;
  machine.apply(kInit, Fork{});
  other.apply(kInit, Fork{});
  const Machine moved = std::move(machine);
  machine = other;
  EXPECT_TRUE(machine.same_as(other));
  EXPECT_TRUE(moved.same_as(other));
}

TEST(Records, OfACopyAreCountedLikeTheOriginals) {
  Machine machine;
  for (int i = 0; i < 3; ++i) {
    const Pid child = machine.apply(kInit, Fork{}).outcome.who.pid();
    machine.apply(child, Exit{});
    machine.apply(kInit, Wait4{});
  }
  Machine copy;
  copy = machine;
  const std::vector<Slab> ours = machine.slabs(), theirs = copy.slabs();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    EXPECT_EQ(theirs[i].counts.handed_out, ours[i].counts.handed_out) << ours[i].name;
    EXPECT_EQ(theirs[i].counts.reused(), ours[i].counts.reused()) << ours[i].name;
  }
}

TEST(Stack, WhoOverflowsDiesAlone) {
  for (const Profile profile : {Profile::linux_6, Profile::linux_4_12}) {
    const std::uint32_t size = profile == Profile::linux_6 ? 16384 : 8192;
    const std::uint32_t most = (size - 64 - kCallFrame) / kRecursionFrame;
    Machine machine({.profile = profile});
    const Pid left = machine.apply(kInit, Fork{}).outcome.who.pid();
    const Pid victim = machine.apply(kInit, Fork{}).outcome.who.pid();
    const Pid right = machine.apply(kInit, Fork{}).outcome.who.pid();
    const TaskView left_before = machine.view(left), right_before = machine.view(right);

    EXPECT_EQ(machine.apply(victim, Recurse{most}).outcome, Outcome::success());
    EXPECT_EQ(machine.apply(victim, Recurse{most + 1}).outcome, Outcome::death(sig::segv));

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
