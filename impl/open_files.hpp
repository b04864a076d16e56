/// The records of open files: descriptions, tables of descriptors, and what a file system asks.
///
/// A task that has opened nothing, and shares nothing, has no table; one whose umask and directory
/// are the first ones, and its own, and whose root is of its own mounts, has no record for that.
/// Most tasks have neither.
///
/// Sources: include/linux/fdtable.h files_struct, fs_struct.h; fs/file.c.
#pragma once
#include <bit>

#include "impl/arena.hpp"
#include "spec/words.hpp"

namespace forkproof::impl {

/// A file, or a pidfd: that stands for the task with a number, as of a generation of that.
struct OpenFile {
  std::int64_t offset = 0;
  std::uint32_t users = 0;   // descriptors
  std::int32_t target = 0;   // 0: a file
  std::uint32_t generation = 0;
  Index ns = kNobody;        // the target's pid namespace, which it keeps
  Index user_ns = kNobody;   // that of who opened it, which it keeps, too
  PidfdFlags flags{};
  friend bool operator==(const OpenFile&, const OpenFile&) = default;
};

struct Files {
  std::uint32_t open = 0;  // bit n: descriptor n is in use
  std::uint32_t cloexec = 0;
  std::uint32_t users = 0;
  Index file[kDescriptors] = {};

  bool has(Descriptor fd) const {
    return static_cast<std::uint32_t>(fd) < kDescriptors && (open >> fd & 1) != 0;
  }
  friend bool operator==(const Files&, const Files&) = default;
  /// The lowest free descriptor, kDescriptors if there is none.
  std::uint32_t lowest_free() const { return static_cast<std::uint32_t>(std::countr_one(open)); }
};

struct FsInfo {
  std::int32_t umask = kUmaskAtFirst;
  Directory directory = 0;  // the current one
  Index root = kNobody;     // the namespace of mounts that its root is of, which it keeps
  std::uint32_t users = 0;
  /// As tasks have it without a record that are in those mounts, whoever else uses it.
  bool is_usual(Index mounts) const {
    return umask == kUmaskAtFirst && directory == 0 && root == mounts;
  }
  friend bool operator==(const FsInfo&, const FsInfo&) = default;
};

}  // namespace forkproof::impl
