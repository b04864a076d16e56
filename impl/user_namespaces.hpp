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
#include "spec/namespace_limit_ops.hpp"

namespace forkproof::impl {

/// The namespaces of each kind that belong to a user namespace or to one below it, and their
/// limits. Their makers act as root all of them, so there is one count for each kind.
struct Ucounts {
  static constexpr std::size_t kKinds = kNamespaceKinds.size();
  static constexpr std::array<std::int32_t, kKinds> unlimited() {
    std::array<std::int32_t, kKinds> max;
    max.fill(kNamespacesMost);
    return max;
  }
  std::array<std::int32_t, kKinds> max = unlimited();
  std::array<std::int32_t, kKinds> count{};
  friend bool operator==(const Ucounts&, const Ucounts&) = default;
};

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
  Ucounts ucounts{};
  friend bool operator==(const UserNamespace&, const UserNamespace&) = default;
};

}  // namespace forkproof::impl
