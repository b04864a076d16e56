/// The ops about user namespaces: see spec/namespace_ops.hpp for setns and same_ns. Registered in
/// spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

struct MapIds {
  static constexpr auto name = "map_ids";
  static constexpr auto says =
      "Writes the maps of a task's user namespace, in which all whom they know have the numbers "
      "that they have outside; among groups that is the first one.";
  static constexpr auto source = "user_namespaces(7) uid_map, gid_map; setgroups is denied before";
  TaskRef task;
  IdMap whom = IdMap::root;
  static constexpr std::tuple args{Arg{"task", &MapIds::task},
                                   Arg{"whom", &MapIds::whom, Form::optional}};
  friend bool operator==(const MapIds&, const MapIds&) = default;
};

struct Getuid {
  static constexpr auto name = "getuid";
  static constexpr auto says =
      "Answers the caller's real user as its user namespace knows it: root 0, alice 1, bob 2, and "
      "65534 who is not known there.";
  static constexpr auto source = "getuid(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Getuid&, const Getuid&) = default;
};

}  // namespace forkproof
