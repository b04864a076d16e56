/// Control groups: where they lie, and how many tasks are in them.
///
/// A task in group 0 has no entry anywhere, so that a machine without other groups pays nothing; of
/// others the group is found by the index of the task. Each group counts its own tasks and those
/// below it, so that a fork asks each limit on its way up once.
///
/// Sources: kernel/cgroup/cgroup.c, kernel/cgroup/pids.c struct pids_cgroup.
#pragma once
#include <vector>

#include "impl/arena.hpp"
#include "impl/namespaces.hpp"
#include "spec/op.hpp"

namespace forkproof::impl {

struct Cgroup {
  Index parent = kNobody;  // nobody: group 0
  CgroupNo number = 0;
  std::int32_t limit = PidsLimit::kMax;
  std::uint32_t charged = 0;   // tasks that are not yet released, here and below
  std::uint32_t children = 0;  // groups directly below that were not removed
  std::uint32_t freezes = 0;   // how many of it and those above are frozen
  bool frozen = false;         // is it itself
  bool removed = false;
  std::vector<Index> members;  // tasks that have not begun to end, here, as they came

  friend bool operator==(const Cgroup&, const Cgroup&) = default;
};

}  // namespace forkproof::impl
