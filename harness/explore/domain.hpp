/// What is tried in every state of an exploration: the steps that its bounds allow, with every
/// argument from a small domain.
#pragma once
#include <bitset>
#include <cstddef>
#include <string_view>
#include <vector>

#include "harness/naming.hpp"
#include "spec/ops.hpp"

namespace forkproof::harness {

using OpSet = std::bitset<kOps>;

/// The ops that most of the lifecycle is about.
inline constexpr std::string_view kCoreOps = "fork,vfork,exec,exit,wait4,kill,write";

/// ... and those that the life of kernel threads is about.
inline constexpr std::string_view kKthreadOps =
    "kthread_create,kthread_run,kthread_stop,kthread_park,kthread_unpark,kthread_should_stop,"
    "kthread_should_park,kthread_parkme,wake_up_process,set_current_state,schedule,exit,fork,"
    "kill,wait4";

/// Whether tasks are made whose exit signal is another than SIGCHLD: only they remember execs.
inline constexpr bool kTriesExitSignals = false;

struct Bounds {
  WorldSpec world{};
  std::size_t tasks = 3;  // at a time, zombies included
  std::size_t pages = 1;  // that init has mapped when it all begins
  std::int32_t cursor = 0;  // the number that is tried first then; 0 for that of a fresh world
  OpSet ops;
  bool namespaces = false;  // clone and unshare make more kinds of them, and more at a time
};

/// Ops that find no memory in some of their steps, before anything can be seen of them.
template <class O>
inline constexpr bool takes_memory = creates_task<O> || std::is_same_v<O, Unshare> ||
                                     std::is_same_v<O, Setns> || std::is_same_v<O, Exec>;

/// What happens before anything is tried.
std::vector<Step> opening(const Bounds& bounds);

/// Writes down the steps of a world, in an order that depends on nothing but what is passed.
void list_steps(const spec::World& world, const Naming& naming, const Bounds& bounds,
                std::vector<Step>& steps);

}  // namespace forkproof::harness
