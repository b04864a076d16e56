/// The ops about open files and what a file system asks of a task. Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

struct Open {
  static constexpr auto name = "open";
  static constexpr auto says =
      "Opens a fresh file, at offset 0, by the lowest free descriptor; answers the descriptor.";
  static constexpr auto source = "open(2)";
  FdFlags flags;
  static constexpr std::tuple args{Arg{"flags", &Open::flags, Form::optional}};
  friend bool operator==(const Open&, const Open&) = default;
};

struct Close {
  static constexpr auto name = "close";
  static constexpr auto says = "Frees a descriptor; the last one of an open file closes it.";
  static constexpr auto source = "close(2)";
  Descriptor fd = 0;
  static constexpr std::tuple args{Arg{"fd", &Close::fd}};
  friend bool operator==(const Close&, const Close&) = default;
};

struct Dup {
  static constexpr auto name = "dup";
  static constexpr auto says =
      "Makes the lowest free descriptor stand for the same open file; answers it.";
  static constexpr auto source = "dup(2)";
  Descriptor fd = 0;
  static constexpr std::tuple args{Arg{"fd", &Dup::fd}};
  friend bool operator==(const Dup&, const Dup&) = default;
};

struct FcntlSetfd {
  static constexpr auto name = "fcntl_setfd";
  static constexpr auto says = "Says whether an exec closes the descriptor.";
  static constexpr auto source = "fcntl(2) F_SETFD";
  Descriptor fd = 0;
  FdFlags flags;
  static constexpr std::tuple args{Arg{"fd", &FcntlSetfd::fd},
                                   Arg{"flags", &FcntlSetfd::flags, Form::optional}};
  friend bool operator==(const FcntlSetfd&, const FcntlSetfd&) = default;
};

struct Lseek {
  static constexpr auto name = "lseek";
  static constexpr auto says = "Moves the offset of an open file on or back; answers where it is.";
  static constexpr auto source = "lseek(2) SEEK_CUR";
  Descriptor fd = 0;
  std::int32_t by = 0;
  static constexpr std::tuple args{Arg{"fd", &Lseek::fd}, Arg{"by", &Lseek::by}};
  friend bool operator==(const Lseek&, const Lseek&) = default;
};

struct Umask {
  static constexpr auto name = "umask";
  static constexpr auto says =
      "Sets the mask for the permissions of files that are made; answers the mask before.";
  static constexpr auto source = "umask(2)";
  std::int32_t mask = 0;
  static constexpr std::tuple args{Arg{"mask", &Umask::mask}};
  friend bool operator==(const Umask&, const Umask&) = default;
};

struct Chdir {
  static constexpr auto name = "chdir";
  static constexpr auto says = "Goes to a directory, by its number: 0..3, else ENOENT.";
  static constexpr auto source = "chdir(2)";
  Directory directory = 0;
  static constexpr std::tuple args{Arg{"directory", &Chdir::directory}};
  friend bool operator==(const Chdir&, const Chdir&) = default;
};

struct Getcwd {
  static constexpr auto name = "getcwd";
  static constexpr auto says = "Answers the directory that the caller is in, by its number.";
  static constexpr auto source = "getcwd(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Getcwd&, const Getcwd&) = default;
};

struct Unshare {
  static constexpr auto name = "unshare";
  static constexpr auto says = "Gives the caller copies of its own of what it shares.";
  static constexpr auto source = "unshare(2)";
  CloneFlags flags;
  static constexpr std::tuple args{Arg{"flags", &Unshare::flags, Form::optional}};
  friend bool operator==(const Unshare&, const Unshare&) = default;
};

}  // namespace forkproof
