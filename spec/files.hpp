/// What the model knows of descriptors, of what they are open on, and of a task's filesystem
/// information. A part of spec/world.hpp.
#pragma once
#include <array>
#include <bitset>
#include <tuple>

#include "spec/numbers.hpp"
#include "spec/pool.hpp"
#include "spec/users.hpp"
#include "spec/words.hpp"

namespace forkproof::spec {

struct OpenFile;
struct Files;
struct FsInfo;
struct Namespace;
using OpenFileId = Id<OpenFile>;
using FilesId = Id<Files>;
using FsInfoId = Id<FsInfo>;
using NamespaceId = Id<Namespace>;  // of pids; none is the world's own

/// An open file description: what the descriptors that were copied from one another have in common.
/// A pidfd stands for the task that has a number, or had it.
struct OpenFile {
  std::int64_t offset = 0;
  std::uint32_t users = 0;  // descriptors
  Pid target{};             // of a pidfd; 0 of a file
  Place use = 0;            // the use of that number that is meant
  NamespaceId ns;           // the pid namespace that the target is or was in
  PidfdFlags flags{};
  UserNamespaceId opened_in{};

  bool is_pidfd() const { return target.n != 0; }

  static constexpr auto keeps() { return std::tuple{}; }
};

/// A table of descriptors.
struct Files {
  std::array<OpenFileId, kDescriptors> open;
  std::bitset<kDescriptors> cloexec;
  std::uint32_t users = 0;

  bool has(Descriptor fd) const {
    return fd >= 0 && fd < kDescriptors && static_cast<bool>(open[static_cast<std::size_t>(fd)]);
  }
  bool has_any() const {
    for (const OpenFileId file : open)
      if (file) return true;
    return false;
  }
  static constexpr auto keeps() { return std::tuple{}; }
};

/// What a file system asks of a task.
struct FsInfo {
  std::int32_t umask = kUmaskAtFirst;
  Directory directory = 0;  // the current one
  Place root = 0;           // the namespace of mounts that its root is of
  std::uint32_t users = 0;

  static constexpr auto keeps() { return std::tuple{}; }
};

}  // namespace forkproof::spec
