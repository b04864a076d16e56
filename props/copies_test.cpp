/// Copies of worlds: a copy is as its original, whatever it was before, though only what has
/// changed is copied.
#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "harness/generate.hpp"
#include "harness/lockstep.hpp"
#include "impl/machine.hpp"
#include "spec/canonical.hpp"

namespace forkproof::props {
namespace {

using spec::World;

std::vector<std::uint64_t> row_of(const World& world) {
  spec::Canonical canonical({});
  const auto row = canonical.write(world);
  return {row.begin(), row.end()};
}

/// The invariants of a world, whose memory of the past no row has.
bool is_sound(const World& world) {
  bool sound = spec::broken_by(world).empty();
  world.tasks.for_each([&](spec::TaskId id, const spec::Task&) {
    sound = sound && spec::broken_by(world, id).empty();
  });
  return sound;
}

/// A random trace, step by step. `look(world)` sees each world that it comes by.
void walk(std::uint64_t seed, Profile profile, auto&& look) {
  harness::Generator generator(seed, profile);
  impl::Machine machine;
  harness::Lockstep<impl::Machine> lockstep(machine);
  lockstep.begin(generator.world());
  look(lockstep.model().world());
  while (const auto step = generator.next(lockstep.model(), lockstep.naming())) {
    ASSERT_TRUE(lockstep.step(*step));
    look(lockstep.model().world());
  }
}

TEST(Copies, AreAsTheirOriginalsWhateverTheyWereBefore) {
  std::array<World, 5> copies;  // each was last copied some steps, or traces, ago
  std::size_t turn = 0, sealed = 0, looks = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed)
    for (const Profile profile : {Profile::linux_6, Profile::linux_4_12})
      walk(seed, profile, [&](const World& world) {
        const auto row = row_of(world);
        World& last = copies[turn];
        World& copy = copies[turn = (turn + 1 + turn % 2) % copies.size()];
        ++looks;
        if (last.profile == world.profile && last.is_sealed_as(world)) {
          ++sealed;
          EXPECT_EQ(row_of(last), row);
        }
        copy = world;
        EXPECT_TRUE(copy.is_sealed_as(world));
        EXPECT_EQ(row_of(copy), row);
        EXPECT_TRUE(is_sound(copy));
        const World other = copy;  // the copy of a copy
        EXPECT_EQ(row_of(other), row);
      });
  EXPECT_GT(sealed, looks / 10);
  EXPECT_LT(sealed, looks - looks / 10);
}

/// Two that go on from one place go different ways, and one takes the other's place again.
TEST(Copies, GoTheirOwnWays) {
  spec::FirstChoice first;
  spec::Model base, one, other;
  base.apply(kInit, Fork{}, first);
  base.apply(kInit, Fork{}, first);
  for (auto* const model : {&one, &other}) model->go_on_from(base);
  one.apply({2}, ExitGroup{{}, 1}, first);
  other.apply({3}, ExitGroup{{}, 1}, first);
  EXPECT_EQ(one.view({2}).state, State::zombie);
  EXPECT_EQ(one.view({3}).state, State::running);
  EXPECT_FALSE(one.world().is_sealed_as(base.world()));
  EXPECT_FALSE(one.world().is_sealed_as(other.world()));

  one.go_on_from(other);
  EXPECT_EQ(row_of(one.world()), row_of(other.world()));
  EXPECT_EQ(one.view({2}).state, State::running);
  EXPECT_EQ(base.view({3}).state, State::running);
  one.go_on_from(base);
  EXPECT_EQ(row_of(one.world()), row_of(base.world()));
}

/// A machine's arenas copy what was taken, into the room that there is.
TEST(Copies, OfMachinesGoOnAsTheirOriginals) {
  impl::Machine copy;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const Script script = harness::generate(seed, Profile::linux_6);
    impl::Machine machine;
    harness::Lockstep<impl::Machine> lockstep(machine), second(copy);
    lockstep.begin(script.world);
    std::size_t done = 0;
    for (const Step& step : script.steps) {
      ASSERT_TRUE(lockstep.step(step));
      if (++done == script.steps.size() / 2) {
        copy = machine;
        second.go_on_from(lockstep);
      } else if (done > script.steps.size() / 2 && script.steps.size() > 1) {
        ASSERT_TRUE(second.step(step));
      }
    }
    EXPECT_TRUE(script.steps.size() < 2 || second.finish());
  }
}

}  // namespace
}  // namespace forkproof::props
