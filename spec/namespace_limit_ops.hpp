/// The ops about how many namespaces there may be: see spec/namespace_ops.hpp for what makes them.
/// Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

/// The kinds of namespaces, of which each is counted by itself.
enum class NsKind : std::uint8_t { user, pid, uts, ipc, net, mnt, cgroup, time };
inline constexpr std::array kNamespaceKinds{
    Word{"user", 0}, Word{"pid", 1}, Word{"uts", 2},    Word{"ipc", 3},
    Word{"net", 4},  Word{"mnt", 5}, Word{"cgroup", 6}, Word{"time", 7}};
inline constexpr std::int32_t kNamespacesMost = 0x7FFFFFFF;  // of each kind, at first

struct MaxNamespaces {
  static constexpr auto name = "max_namespaces";
  static constexpr auto says =
      "Sets how many namespaces of a kind may belong to the caller's user namespace, and to those "
      "below it: 0..2147483647, else EINVAL.";
  static constexpr auto source = "namespaces(7) The /proc/sys/user directory";
  NsKind kind = NsKind::uts;
  std::int32_t most = 0;
  static constexpr std::tuple args{Arg{"kind", &MaxNamespaces::kind},
                                   Arg{"most", &MaxNamespaces::most}};
  friend bool operator==(const MaxNamespaces&, const MaxNamespaces&) = default;
};

struct GetMaxNamespaces {
  static constexpr auto name = "get_max_namespaces";
  static constexpr auto says =
      "Answers how many namespaces of a kind may belong to the caller's user namespace, and to "
      "those below it.";
  static constexpr auto source = "namespaces(7) The /proc/sys/user directory";
  NsKind kind = NsKind::uts;
  static constexpr std::tuple args{Arg{"kind", &GetMaxNamespaces::kind}};
  friend bool operator==(const GetMaxNamespaces&, const GetMaxNamespaces&) = default;
};

}  // namespace forkproof
