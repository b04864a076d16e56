/// User namespaces below the world's own: the tasks that they count, and whom their maps know.
///
/// Which one a task is in is a part of its attributes. Who is root in effect, as all are, can
/// everything in those below its own, which root has made.
///
/// Sources: include/linux/user_namespace.h, include/linux/cred.h; kernel/ucount.c.
#pragma once
#include <array>
#include <cstdint>

#include "impl/arena.hpp"
#include "spec/words.hpp"

namespace forkproof::impl {

struct UserNamespace {
  Index parent = kNobody;  // nobody: the world's own
  std::int32_t level = 1;
  std::uint32_t users = 0;  // records of attributes, namespaces that belong to it or are in it
  bool maps_root = true;    // who made it could map root from inside
  bool mapped = false;
  IdMap whom = IdMap::root;
  Limit most;          // tasks, with those below
  Limit most_signals;  // queued, with those below
  std::array<std::uint64_t, kUsers.size()> tasks{};  // of root those below, too
  std::array<std::uint64_t, kUsers.size()> signals{};  // queued, likewise
  friend bool operator==(const UserNamespace&, const UserNamespace&) = default;
};

}  // namespace forkproof::impl
