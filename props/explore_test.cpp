/// Exploration: it visits what there is to visit, once, and takes for one only what cannot be told
/// apart.
#include <gtest/gtest.h>

#include <rapidcheck.h>

#include <random>
#include <ranges>
#include <set>

#include "harness/describe.hpp"
#include "harness/explore/explore.hpp"
#include "harness/explore/visited.hpp"
#include "harness/generate.hpp"
#include "spec/canonical.hpp"
#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof::props {
namespace {

using harness::Bounds;
using harness::Exploration;
using harness::ExploreLimits;
using spec::Canonical;

Bounds bounds_of(std::size_t tasks, std::initializer_list<std::string_view> ops) {
  Bounds bounds;
  bounds.tasks = tasks;
  for (const std::string_view op : ops) bounds.ops.set(op_index(op).value());
  return bounds;
}

const std::initializer_list<std::string_view> kCore = {"fork", "vfork", "exec", "exit",
                                                       "wait4", "kill", "write"};

Exploration explored(std::string_view system, const Bounds& bounds, const ExploreLimits& limits) {
  auto found =
      harness::explore(system, bounds, limits, [](const Exploration&) { return true; });
  EXPECT_TRUE(found);
  return std::move(found.value());
}

TEST(Explore, AloneInitCanOnlyBeOneOfAFewWorlds) {
  // It runs or has ended: without children it cannot sleep in a wait.
  const Exploration e = explored("spec", bounds_of(1, {"exit", "wait4", "getpid"}), {});
  EXPECT_TRUE(e.fixpoint);
  EXPECT_EQ(e.levels, (std::vector<std::uint64_t>{1, 1}));
}

TEST(Explore, FindsTheSameStatesWhoeverLooks) {
  ExploreLimits limits;
  limits.symmetry = true;
  const Exploration one = explored("impl", bounds_of(2, kCore), limits);
  EXPECT_TRUE(one.fixpoint);
  EXPECT_FALSE(one.violation);
  EXPECT_GT(one.states, 400u);
  limits.jobs = 3;
  for (const char* const system : {"impl", "spec"}) {
    const Exploration other = explored(system, bounds_of(2, kCore), limits);
    EXPECT_EQ(other.levels, one.levels) << system;
    EXPECT_EQ(other.transitions, one.transitions) << system;
  }
}

/// What folds must not lose anything that can happen.
TEST(Explore, SymmetryLosesNoRuleAndNoOutcome) {
  const auto seen = [](bool symmetry) {
    ExploreLimits limits;
    limits.symmetry = symmetry;
    limits.witnesses = true;
    limits.depth = 4;
    const Exploration e = explored(
        "impl", bounds_of(3, {"fork", "exit", "wait4", "kill", "setpgid", "setsid", "clone"}),
        limits);
    std::set<std::string> witnessed;
    for (const auto& w : e.witnesses)
      witnessed.insert(std::string(w.rule.rule().id) + " " + w.outcome);
    return std::tuple(witnessed, e.coverage.rules, e.states);
  };
  const auto [all, all_rules, all_states] = seen(false);
  const auto [folded, folded_rules, folded_states] = seen(true);
  EXPECT_EQ(folded, all);
  EXPECT_EQ(folded_rules, all_rules);
  EXPECT_LT(folded_states, all_states);
}

using impl::CopyStep;

/// Explores to a depth of three with everything failing; how often each step did.
harness::FaultCounts undone_in(const Bounds& bounds) {
  ExploreLimits limits;
  limits.symmetry = true;
  limits.faults = true;
  limits.depth = 3;
  const Exploration e = explored("impl", bounds, limits);
  EXPECT_FALSE(e.violation) << e.violation->id << ": " << e.violation->observed << "\n"
                            << print(e.violation->trace);
  return e.faults;
}

/// Before there were pidfds nothing was made ready for one, nor was there a time namespace to
/// enter; in kernel threads nothing is here.
bool can_fail(CopyStep step, Profile profile) {
  if (step == CopyStep::set_kthread_struct || step == CopyStep::kthread_create) return false;
  const bool new_kernels = step == CopyStep::pidfd_prepare || step == CopyStep::exec_namespaces;
  if (new_kernels && profile != Profile::linux_6) return false;
  return impl::table_of(step).no_room != Errno::ok;
}

/// Three tasks to a depth of three; ci/explore.sh does it in all states that three tasks have. Some
/// of them are in namespaces, as are the tasks that they fail to make.
TEST(Explore, AFailedStepLeavesNothingBehind) {
  for (const Profile profile : {Profile::linux_6, Profile::linux_4_12}) {
    Bounds bounds =
        bounds_of(3, {"fork", "clone", "exit", "wait4", "madvise", "sigaction", "kill",
                      "prctl_name", "unshare"});
    bounds.world.profile = profile;
    const harness::FaultCounts faults = undone_in(bounds);
    for (std::size_t i = 0; i < faults.steps.size(); ++i) {
      const auto step = static_cast<CopyStep>(i);
      const std::uint64_t seldom = step > CopyStep::alloc_bprm ? 30 : 100;  // of few execs
      EXPECT_EQ(faults.steps[i] > seldom, can_fail(step, profile))
          << impl::table_of(step).name << " failed " << faults.steps[i] << " times";
    }
  }
}

/// ... nor does one of kernel threads. In 4.12 init is one, too, until it execs.
TEST(Explore, AFailedStepOfAKernelThreadLeavesNothingBehind) {
  for (const Profile profile : {Profile::linux_6, Profile::linux_4_12}) {
    Bounds bounds = bounds_of(4, {"kthread_create", "kthread_run", "kthread_stop", "clone",
                                  "unshare", "exec", "fork", "sched_setscheduler"});
    bounds.world.profile = profile;
    bounds.world.kthreads = true;
    const harness::FaultCounts faults = undone_in(bounds);
    for (const CopyStep step : {CopyStep::kthread_create, CopyStep::dup_task_struct,
                                CopyStep::set_kthread_struct, CopyStep::copy_thread,
                                CopyStep::alloc_pid, CopyStep::can_fork})
      EXPECT_GT(faults.steps[static_cast<std::size_t>(step)], 50u) << impl::table_of(step).name;
  }
}

TEST(Explore, TheCanarysTraceIsTheShortest) {
  ExploreLimits limits;
  limits.symmetry = true;
  const Exploration e = explored("canary", bounds_of(3, {"fork", "exit", "wait4"}), limits);
  ASSERT_TRUE(e.violation);
  EXPECT_EQ(e.violation->id, "wait.oldest-first");
  EXPECT_EQ(e.violation->trace.steps.size(), 1u + 5u) << print(e.violation->trace);  // and the mmap
  EXPECT_EQ(e.levels.size(), 5u) << "every shorter trace was tried";
}

Bounds bounds_of_kthreads(Profile profile) {
  Bounds bounds = bounds_of(4, {});
  for (const auto op : std::views::split(harness::kKthreadOps, ','))
    bounds.ops.set(op_index(std::string_view(op.begin(), op.end())).value());
  bounds.world.profile = profile;
  bounds.world.kthreads = true;
  return bounds;
}

/// What `explore --kthreads --tasks 4 --symmetry` does: init, kthreadd and two more, to the end, by
/// the implementation and by the spec alone. In 4.12 init is a kernel thread and makes no children.
TEST(Explore, ThereAreNoMoreWorldsOfKernelThreads) {
  ExploreLimits limits;
  limits.symmetry = true;
  for (const Profile profile : {Profile::linux_6, Profile::linux_4_12})
    for (const char* const system : {"impl", "spec"}) {
      const Exploration e = explored(system, bounds_of_kthreads(profile), limits);
      EXPECT_TRUE(e.fixpoint);
      EXPECT_FALSE(e.violation) << e.violation->id << "\n" << print(e.violation->trace);
      EXPECT_EQ(e.states, profile == Profile::linux_6 ? 9826u : 1863u) << system;
      const auto ids = e.coverage.untested();
      for (const char* const id : {"KTHREAD-1", "KTHREAD-2", "STATE-1"})
        EXPECT_EQ(std::ranges::count(ids, id), 0) << id;
    }
}

std::set<std::string_view> untested(std::string_view system, std::size_t tasks,
                                    std::initializer_list<std::string_view> ops) {
  ExploreLimits limits;
  limits.symmetry = true;
  limits.depth = 4;
  Bounds bounds = bounds_of(tasks, ops);
  bounds.pages = 2;
  const auto ids = explored(system, bounds, limits).coverage.untested();
  return {ids.begin(), ids.end()};
}

/// A bound within which an invariant asks for nothing says nothing of it.
TEST(Explore, ListsTheInvariantsThatWereNeverPutToTheTest) {
  for (const char* const system : {"impl", "spec"}) {
    // Init alone has two pages, which are in order.
    EXPECT_GE(untested(system, 1, {"getpid"}).size(), spec::kInvariants - 1) << system;
    const auto children = untested(system, 2, {"fork", "exit", "wait4", "write"});
    for (const char* const id : {"TREE-1", "ZOMBIE-1", "ZOMBIE-2", "PID-1", "MEM-1", "COUNT-2"})
      EXPECT_FALSE(children.contains(id)) << system << ' ' << id;
    for (const char* const id : {"THREAD-1", "VFORK-1", "STOP-1", "SIGNAL-2", "MEM-2", "TREE-5"})
      EXPECT_TRUE(children.contains(id)) << system << ' ' << id;
    const auto more = untested(system, 2, {"clone", "vfork", "kill", "sigaction", "mmap"});
    for (const char* const id : {"THREAD-1", "VFORK-1", "STOP-1", "SIGNAL-2", "MEM-2"})
      EXPECT_FALSE(more.contains(id)) << system << ' ' << id;
  }
}

TEST(Explore, StopsWhenItIsToldTo) {
  ExploreLimits limits;
  limits.time = std::chrono::milliseconds(50);
  const Exploration timed = explored("impl", bounds_of(5, kCore), limits);
  EXPECT_FALSE(timed.fixpoint);
  EXPECT_EQ(timed.stopped, "the time is over");
  limits.time.reset();
  limits.memory = 200'000;
  EXPECT_EQ(explored("impl", bounds_of(5, kCore), limits).stopped, "the memory is used up");
  limits.depth = 3;
  const Exploration bounded = explored("impl", bounds_of(5, kCore), limits);
  EXPECT_EQ(bounded.stopped, "");
  EXPECT_EQ(bounded.depth, 3u);
  EXPECT_EQ(bounded.levels.size(), 4u);
  EXPECT_FALSE(harness::explore("linux", bounds_of(1, kCore), {}, {}));
}

// --- what the engine is made of ------------------------------------------------------------------

TEST(Visited, IsASet) {
  rc::check([](const std::vector<std::uint8_t>& things) {
    harness::Visited visited;
    std::set<std::uint8_t> known;
    for (const std::uint8_t thing : things) {
      // Neighbours in the table, many of them with the same key, told apart by the rest alone.
      const harness::Fingerprint f{1 + thing / 4u, thing % 4u};
      RC_ASSERT(visited.insert(f) == known.insert(thing).second);
      RC_ASSERT(visited.size() == known.size());
    }
  });
  harness::Visited many;
  std::mt19937_64 scatter(1);
  for (int i = 0; i < 200'000; ++i) ASSERT_TRUE(many.insert({scatter(), scatter()}));
  EXPECT_LE(many.bytes(), many.size() * 16);
}

std::vector<std::uint64_t> row_of(const spec::World& world, Canonical::Fold fold) {
  Canonical canonical(fold);
  const auto row = canonical.write(world);
  return {row.begin(), row.end()};
}

/// All that can be seen of a world.
std::string sight_of(const spec::Model& model) {
  std::string sight;
  std::vector<Pid> tasks;
  std::vector<PageView> pages;
  model.tasks(tasks);
  for (const Pid p : tasks) {
    const TaskView view = model.view(p);
    sight += std::to_string(p.n);
    for_each_field([&](std::size_t field, const auto&) {
      sight += ' ' + harness::describe_field(view, field);
    });
    model.pages(p, pages);
    sight += harness::describe(pages) + '\n';
  }
  return sight;
}

/// What shows a difference must not have the same row.
TEST(Canonical, TellsApartWhatCanBeSeen) {
  spec::FirstChoice first;
  std::size_t same = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Script script = harness::generate(seed, Profile::linux_6);
    spec::Model model(script.world);
    harness::Naming naming;
    naming.begin(model.world());
    for (const Step& s : script.steps) {
      const auto row = row_of(model.world(), {});
      const std::string sight = sight_of(model);
      const Pid actor = is_by_world(s.op) ? Pid{} : naming.current(s.actor, model.world());
      const Effects& said = model.apply(actor, naming.resolved(s.op, actor, model.world()), first);
      naming.bind(s, actor, said, model.world());
      if (row != row_of(model.world(), {})) continue;
      ++same;
      ASSERT_EQ(sight, sight_of(model)) << print(script);
    }
  }
  EXPECT_GT(same, 500u) << "nothing was compared";
}

/// Runs lines of a trace.
spec::Model after(std::string_view lines) {
  std::string text{"forkproof-trace v1\n"};
  const Parsed parsed = parse(text += lines);
  EXPECT_FALSE(parsed.error) << parsed.error->message;
  spec::FirstChoice first;
  spec::Model model(parsed.script.world);
  harness::Naming naming;
  naming.begin(model.world());
  for (const Step& s : parsed.script.steps) {
    const Pid actor = naming.current(s.actor, model.world());
    const Effects& said = model.apply(actor, naming.resolved(s.op, actor, model.world()), first);
    naming.bind(s, actor, said, model.world());
  }
  return model;
}

struct Pair {
  std::string_view one, other;
};

TEST(Canonical, TakesForOneWhatCannotBeToldApart) {
  constexpr Canonical::Fold kFold{.numbers = true, .exec_ids = true, .caught = true};
  for (const auto& [one, other] : {
           Pair{"init: fork as A\n",
                "init: fork as A\nA: exit 1\ninit: wait4 any\ninit: fork as B\n"},
           Pair{"init: mmap private\n", "init: mmap private\ninit: munmap 0\ninit: mmap private\n"},
           Pair{"init: fork as A\nA: exec\n", "init: fork as A\nA: exec\nA: exec\n"},
           Pair{"init: sigaction SIGUSR1 catch\ninit: kill init SIGUSR1\n",
                "init: sigaction SIGUSR1 catch\n"},
           Pair{"init: getpid\n", ""},
       })
    EXPECT_EQ(row_of(after(one).world(), kFold), row_of(after(other).world(), kFold))
        << one << "and\n" << other;
}

TEST(Canonical, TellsApartWhatOnlyWhatFollowsShows) {
  constexpr Canonical::Fold kFold{.numbers = true, .exec_ids = true, .caught = true};
  for (const auto& [one, other] : {
           Pair{"init: fork as A\ninit: wait4 any\n", "init: fork as A\ninit: wait4 A\n"},
           Pair{"init: fork as A\ninit: mmap private\n", "init: mmap private\ninit: fork as A\n"},
           Pair{"init: mmap shared\ninit: fork as A\n",
                "init: fork as A\ninit: mmap shared\nA: mmap shared\n"},
           Pair{"init: fork as A\nA: setpgid A A\n", "init: fork as A\nA: setsid\n"},
           Pair{"init: fork as A\ninit: fork as B\nA: exit 1\n",
                "init: fork as A\ninit: fork as B\nB: exit 1\n"},
           Pair{"init: prctl_subreaper 1\n", "init: getpid\n"},
           Pair{"init: prctl_pdeathsig SIGKILL\n", "init: getpid\n"},
       })
    EXPECT_NE(row_of(after(one).world(), kFold), row_of(after(other).world(), kFold))
        << one << "and\n" << other;
}

}  // namespace
}  // namespace forkproof::props
