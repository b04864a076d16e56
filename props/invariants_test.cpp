/// Every invariant is awake: a world that is broken on purpose, in the way that the invariant
/// forbids, makes it speak up, and the worlds that ops lead to break none.
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "harness/lockstep.hpp"
#include "harness/model_system.hpp"
#include "props/tree.hpp"
#include "spec/text.hpp"

namespace forkproof::props {
namespace {

using namespace spec;
using Ids = std::set<std::string_view>;

/// The ids of all invariants that a world breaks somewhere.
Ids broken_in(const World& w) {
  Ids ids;
  for_each_world_invariant([&]<class I>() {
    if (!I::holds(w)) ids.insert(I::id);
  });
  w.tasks.for_each([&](TaskId t, const Task&) {
    for_each_invariant([&]<class I>() {
      if (!I::holds(w, t)) ids.insert(I::id);
    });
  });
  return ids;
}

/// The world that a script leads to. Its tasks get the numbers 2, 3, 4.
World world_after(std::string_view steps) {
  const Parsed parsed = parse("forkproof-trace v1\n" + std::string(steps));
  EXPECT_FALSE(parsed.error) << steps;
  harness::ModelSystem system;
  harness::Lockstep<harness::ModelSystem> lockstep(system);
  EXPECT_FALSE(lockstep.run(parsed.script)) << steps;
  return lockstep.model().world();
}

/// How to break a world.
struct Break {
  std::string_view id, steps;
  std::function<void(World&)> how;
};

TaskId at(const World& w, std::int32_t number) { return w.task_of(Pid{number}); }
Task& task(World& w, std::int32_t number) { return w.tasks[at(w, number)]; }
Process& process(World& w, std::int32_t number) { return w.process_of(task(w, number)); }
AddressSpace& space(World& w, std::int32_t number) { return w.spaces[task(w, number).space]; }

constexpr std::string_view kChild = "init: fork -> A\n";
constexpr std::string_view kZombie = "init: fork -> A\nA: exit_group 0\n";
constexpr std::string_view kThread = "init: clone VM|SIGHAND|THREAD -> A\n";
constexpr std::string_view kQueued =
    "init: sigprocmask block 40\ninit: kill init 40\ninit: kill init 40\n";
constexpr std::string_view kMarked =
    "init: fork -> A\nA: setresuid alice\nA: fork -> B\ninit: fork -> C\n"
    "C: setrlimit NPROC 1 unlimited\nC: setresuid alice\n";
constexpr std::string_view kTraced = "init: fork -> A\ninit: ptrace_seize A\n";
constexpr std::string_view kBelow = "init: clone NEWPID -> A\nA: fork -> B\n";
constexpr std::string_view kInGroup =
    "world: cgroup_make 1\ninit: fork -> A\nworld: cgroup_move A 1\n";
constexpr std::string_view kOrphan =
    "init: fork -> A\nA: prctl_subreaper 1\nA: fork -> B\nB: fork -> C\nB: exit_group 0\n";

const std::vector<Break>& family_breaks() {
  static const std::vector<Break> breaks{
      {"TREE-1", kChild, [](World& w) { ++task(w, 2).sibling; }},
      {"TREE-2", kChild, [](World& w) { task(w, 2).parent = {}; }},
      {"TREE-3", "init: fork -> A\nA: fork -> B\n",
       [](World& w) { task(w, 2).flags = task(w, 2).flags | task_flag::exiting; }},
      {"TREE-4", kChild, [](World& w) { w.reaper = at(w, 2); }},
      {"TREE-5", kOrphan, [](World& w) { task(w, 4).parent = at(w, 1); }},
      {"ZOMBIE-1",
       "init: fork -> A\nA: clone VM|SIGHAND|THREAD -> T\ninit: ptrace_seize T\nT: exit 0\n",
       [](World& w) { task(w, 3).trace.by = TaskId::none(); }},
      {"ZOMBIE-2", kZombie, [](World& w) { task(w, 1).news.clear(); }},
      {"ZOMBIE-3", kZombie, [](World& w) { task(w, 2).zombie = false; }},
      {"ZOMBIE-4", kZombie, [](World& w) { task(w, 2).told = true; }},
      {"PID-1", "init: fork -> A\ninit: fork -> B\n", [](World& w) { task(w, 3).tid = {2}; }},
      {"PID-2", kChild,
       [](World& w) { w.numbers[kInit.n].group.erase(process(w, 2).group_place); }},
      {"PID-3", "init: fork -> A\nA: setpgid 0 0\n",
       [](World& w) { task(w, 2).born = w.next_place; }},
      {"GROUP-1", kChild, [](World& w) { process(w, 2).sid = {2}; }},
      {"WAIT-1", kChild, [](World& w) { task(w, 1).news.put(task(w, 2).sibling, at(w, 2)); }},
      {"WAIT-2", "init: fork -> A\ninit: wait4 any __WALL\n",
       [](World& w) {
         task(w, 2).zombie = true;
         task(w, 1).news.put(task(w, 2).sibling, at(w, 2));
       }},
      {"COUNT-3", kChild, [](World& w) { ++w.made; }},
      {"PIDNS-1", kBelow, [](World& w) { w.numbers[2].inner.clear(); }},
      {"PIDNS-2", kBelow, [](World& w) { process(w, 3).unkillable = true; }},
      {"PIDNS-3", kBelow, [](World& w) { w.namespaces[process(w, 2).ns].accepts = false; }},
      {"PIDNS-4", kBelow, [](World& w) { process(w, 3).ns = {}; }},
      {"PIDNS-5", "init: clone NEWPID -> A\nA: fork -> B\n",
       [](World& w) { task(w, 3).child_ns = {}; }},
      {"NS-1", "init: fork -> A\nA: exit 0\n",
       [](World& w) { task(w, 2).proxy = w.proxies.make(); }},
      {"NS-2", "init: clone NEWIPC -> A\n",
       [](World& w) { w.proxies[task(w, 2).proxy].ipc = 0; }},
  };
  return breaks;
}

const std::vector<Break>& breaks_of_users() {
  static const std::vector<Break> breaks{
      {"USERNS-1", "init: clone NEWUSER -> A\nA: clone VM|SIGHAND|THREAD -> B\n",
       [](World& w) { task(w, 3).attributes.user_ns = {}; }},
      {"USERNS-2", "init: clone NEWUSER -> A\nA: clone FS -> B\n",
       [](World& w) { task(w, 3).attributes.user_ns = {}; }},
      {"USERNS-3", "init: clone NEWUSER|NEWPID -> A\nA: clone NEWPID -> B\n",
       [](World& w) { w.namespaces[process(w, 3).ns].owner = {}; }},
      {"USERNS-4", "init: clone NEWUSER -> A\nA: exec\n",
       [](World& w) { task(w, 2).attributes.capabilities = capability::all; }},
      {"USERNS-5", "init: clone NEWUSER -> A\nA: map_ids A\nA: clone NEWUSER -> B\n",
       [](World& w) { w.user_namespaces[task(w, 2).attributes.user_ns].mapped = false; }},
      {"NS-3", "init: clone NEWUSER -> A\nA: unshare NEWUTS\n",
       [](World& w) { ++w.counts[static_cast<std::size_t>(NsKind::uts)].living; }},
      {"QUEUE-1", kQueued, [](World& w) { ++w.queued[0]; }},
      {"QUEUE-2", kQueued, [](World& w) { process(w, 1).shared_pending.bits = 0; }},
  };
  return breaks;
}

const std::vector<Break>& breaks_of_kthreads() {
  static const std::vector<Break> breaks{
      {"KTHREAD-1", "world kthreads=on\ninit: kthread_run -> A\n",
       [](World& w) { task(w, 3).blocked = SigSet::of(sig::usr1); }},
      {"KTHREAD-2", "world kthreads=on\ninit: kthread_run -> A\ninit: kthread_stop A\n",
       [](World& w) { task(w, 1).call = {}; }},
      {"KTHREAD-3",
       "world kthreads=on\nworld: hold_kthreadd 1\ninit: fork -> A\nA: kthread_create as K\n"
       "world: copy_process\n",
       [](World& w) { task(w, 4).kthread.should_stop = true; }},
      {"KTHREAD-4", "world kthreads=on\ninit: fork -> A\nA: exit 0\n",
       [](World& w) { w.spaces[w.active].pages.push_back({}); }},
      {"STATE-1", "world kthreads=on\ninit: kthread_create -> A\ninit: kthread_park A\n",
       [](World& w) { task(w, 3).kthread.should_park = false; }},
  };
  return breaks;
}

const std::vector<Break>& other_breaks() {
  static const std::vector<Break> breaks{
      {"MEM-1", "init: mmap private\ninit: fork -> A\n",
       [](World& w) {
         space(w, 2).pages[0].written_in = space(w, 1).made;
         space(w, 2).pages[0].written_at = w.next_place;
       }},
      {"MEM-2", "init: mmap shared\n", [](World& w) { space(w, 1).pages[0].value = 1; }},
      {"MEM-3", "init: mmap private pages=2\n",
       [](World& w) { std::swap(space(w, 1).pages[0], space(w, 1).pages[1]); }},
      {"VFORK-1", "init: vfork -> A\n", [](World& w) { task(w, 1).call = {}; }},
      {"COUNT-2", kChild, [](World& w) { ++space(w, 2).users; }},
      {"SIGNAL-1", kChild,
       [](World& w) {
         process(w, 2).shared_pending.bits = sigset(sig::cont.n, sig::tstp.n).bits;
       }},
      {"SIGNAL-2", kChild, [](World& w) { task(w, 2).blocked = SigSet::of(sig::kill); }},
      {"SIGNAL-3", kChild, [](World& w) { task(w, 2).attention = true; }},
      {"FILE-1", "init: open\n", [](World& w) { task(w, 1).files = {}; }},
      {"SCHED-1", "init: sched_setscheduler 0 FIFO priority=3\n",
       [](World& w) { task(w, 1).attributes.rt_priority = 0; }},
      {"LIMIT-1", "init: setrlimit FSIZE 1 2\n",
       [](World& w) { process(w, 1).limits[0].limits.soft = {3}; }},
      {"LIMIT-2", kMarked, [](World& w) { task(w, 4).attributes.user = User::root; }},
      {"USAGE-1", "init: fault 1\n", [](World& w) { task(w, 1).used.faults = 2; }},
      {"STOP-1", kChild, [](World& w) { task(w, 2).stopped = true; }},
  };
  return breaks;
}

const std::vector<Break>& breaks_of_threads() {
  static const std::vector<Break> breaks{
      {"THREAD-1", kThread, [](World& w) { task(w, 2).space = w.spaces.make(); }},
      {"THREAD-2", kThread, [](World& w) { task(w, 2).exit_signal = sig::chld.n; }},
      {"COUNT-1", kThread, [](World& w) { --process(w, 2).running_threads; }},
      {"COUNT-1", kThread, [](World& w) { ++process(w, 2).stopping_threads; }},
      {"COUNT-1", kThread, [](World& w) {
         ++process(w, 2).stopping_threads;
         task(w, 2).stop_counted = true;
       }},
      {"PTRACE-1", kTraced, [](World& w) { task(w, 1).tracees.clear(); }},
      {"PTRACE-2", "init: fork -> A\ninit: ptrace_attach A\n",
       [](World& w) { task(w, 2).trace.by = TaskId::none(); }},
      {"PTRACE-3", kTraced, [](World& w) { task(w, 2).stopped = true; }},
      {"PTRACE-4",
       "init: fork -> A\nA: clone VM|SIGHAND|THREAD -> T\ninit: ptrace_seize T\nA: exec\n",
       [](World& w) { task(w, 3).trace.by = TaskId::none(); }},
  };
  return breaks;
}

const std::vector<Break>& pidfd_breaks() {
  static const std::vector<Break> breaks{
      {"PIDFD-1", "init: fork -> A\ninit: pidfd_open A\n",
       [](World& w) { process(w, 2).leader = at(w, 1); }},
      {"PIDFD-2", "init: fork -> A\ninit: pidfd_open A\n",
       [](World& w) { w.open_files[w.files[task(w, 1).files].open[0]].offset = 1; }},
      {"PIDFD-3", "init: fork -> A\ninit: poll -1 timeout=infinite -> blocks\n",
       [](World& w) { w.pollers.clear(); }},
  };
  return breaks;
}

Cgroup& group(World& w) { return w.cgroups[task(w, 2).cgroup]; }

const std::vector<Break>& cgroup_breaks() {
  static const std::vector<Break> breaks{
      {"CGROUP-1", kInGroup, [](World& w) { group(w).removed = true; }},
      {"CGROUP-2", kInGroup, [](World& w) { ++group(w).tasks; }},
      {"CGROUP-3", kInGroup, [](World& w) { group(w).number = 0; }},
      {"CGROUP-4", kInGroup, [](World& w) { task(w, 2).frozen = true; }},
  };
  return breaks;
}

/// The ids of all invariants that ask something of a world, or of a task in it.
Ids applying_in(const World& w) {
  Ids ids;
  for_each_world_invariant([&]<class I>() {
    if (I::applies(w)) ids.insert(I::id);
  });
  w.tasks.for_each([&](TaskId t, const Task&) {
    for_each_invariant([&]<class I>() {
      if (I::applies(w, t)) ids.insert(I::id);
    });
  });
  return ids;
}

TEST(Invariants, NoneIsPutToTheTestByInitAlone) {
  EXPECT_EQ(applying_in(world_after("")), Ids{});
}

void expect_caught(const std::vector<Break>& breaks) {
  for (const Break& b : breaks) {
    World w = world_after(b.steps);
    EXPECT_EQ(broken_in(w), Ids{}) << b.id << ": before";
    b.how(w);
    EXPECT_TRUE(broken_in(w).contains(b.id)) << b.id;
    EXPECT_TRUE(applying_in(w).contains(b.id)) << b.id << ": what is broken was asked for";
  }
}

TEST(Invariants, AboutTheFamilyCatchWhatTheyForbid) { expect_caught(family_breaks()); }

TEST(Invariants, AboutTheRestCatchWhatTheyForbid) { expect_caught(other_breaks()); }
TEST(Invariants, AboutThreadsCatchWhatTheyForbid) { expect_caught(breaks_of_threads()); }
TEST(Invariants, AboutUsersCatchWhatTheyForbid) { expect_caught(breaks_of_users()); }
TEST(Invariants, AboutKthreadsCatchWhatTheyForbid) { expect_caught(breaks_of_kthreads()); }

TEST(Invariants, AboutPidfdsCatchWhatTheyForbid) { expect_caught(pidfd_breaks()); }
TEST(Invariants, AboutControlGroupsCatchWhatTheyForbid) { expect_caught(cgroup_breaks()); }

TEST(Invariants, EachHasAWorldThatBreaksIt) {
  Ids broken, all;
  for (const auto* const breaks : {&family_breaks(), &other_breaks(), &breaks_of_kthreads(),
                                   &cgroup_breaks(), &breaks_of_users(), &pidfd_breaks(),
                                   &breaks_of_threads()})
    for (const Break& b : *breaks) broken.insert(b.id);  // some have several
  const auto add = [&]<class I>() { EXPECT_TRUE(all.insert(I::id).second) << I::id << " twice"; };
  for_each_invariant(add);
  for_each_world_invariant(add);
  EXPECT_EQ(broken, all);
}

}  // namespace
}  // namespace forkproof::props
