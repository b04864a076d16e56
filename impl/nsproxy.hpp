/// The namespaces that tasks are in, but those of pids.
///
/// A task that is in the world's own of each kind has no record. Records are shared by tasks that
/// were made so, and never changed: who moves gets another.
///
/// Sources: include/linux/nsproxy.h, include/linux/ns_common.h; kernel/nsproxy.c.
#pragma once
#include <array>
#include <cstdint>

#include "impl/arena.hpp"
#include "spec/namespace_limit_ops.hpp"

namespace forkproof::impl {

/// The places of a record; the time of children is a place of its own.
namespace ns_kind {
inline constexpr std::size_t mnt = 0, uts = 1, ipc = 2, net = 3, cgroup = 4, time = 5,
                             time_for_children = 6;
}
inline constexpr std::size_t kNsKinds = 7;

/// What a namespace of any of these kinds is. One that only the roots of tasks are in has ended: it
/// belongs to nobody, and is kept to be told from others.
struct NsCommon {
  std::int32_t host = 0;     // the name, of a UTS namespace
  std::uint32_t users = 0;   // places of records, and roots
  std::uint32_t places = 0;  // the former
  NsKind kind = NsKind::mnt;
  Index owner = kNobody;     // its user namespace
  friend bool operator==(const NsCommon&, const NsCommon&) = default;
};

struct NsProxy {
  std::array<Index, kNsKinds> of{};  // nobody: the world's own
  std::uint32_t users = 0;           // tasks
  friend bool operator==(const NsProxy&, const NsProxy&) = default;
};

}  // namespace forkproof::impl
