/// The ops about namespaces. Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

struct NsPidMax {
  static constexpr auto name = "ns_pid_max";
  static constexpr auto says =
      "Sets the bound of the numbers in the caller's pid namespace: 301..4194304, else EINVAL.";
  static constexpr auto source = "proc(5) /proc/sys/kernel/pid_max, of a pid namespace since 6.14";
  std::int32_t value = kPidMaxDefault;
  static constexpr std::tuple args{Arg{"value", &NsPidMax::value}};
  friend bool operator==(const NsPidMax&, const NsPidMax&) = default;
};

struct NsPidCursor {
  static constexpr auto name = "ns_pid_cursor";
  static constexpr auto says =
      "Sets the number that the search in the caller's pid namespace starts at: 1..pid_max+1, else "
      "EINVAL.";
  static constexpr auto source = "pid_namespaces(7) ns_last_pid, which is one less";
  std::int32_t value = 2;
  static constexpr std::tuple args{Arg{"value", &NsPidCursor::value}};
  friend bool operator==(const NsPidCursor&, const NsPidCursor&) = default;
};

struct Setns {
  static constexpr auto name = "setns";
  static constexpr auto says =
      "Moves the calling thread, or, of pids and with NEWPID, its later children, into namespaces "
      "of a task.";
  static constexpr auto source = "setns(2), by a descriptor of the task (pidfd_open(2)), since 5.8";
  TaskRef task;
  CloneFlags flags;
  static constexpr std::tuple args{Arg{"task", &Setns::task},
                                   Arg{"flags", &Setns::flags, Form::optional}};
  friend bool operator==(const Setns&, const Setns&) = default;
};

struct SameNs {
  static constexpr auto name = "same_ns";
  static constexpr auto says =
      "Answers 1 if the caller and a task are in the same namespaces of these kinds, else 0.";
  static constexpr auto source = "namespaces(7) The /proc/pid/ns/ directory";
  TaskRef task;
  CloneFlags flags;
  static constexpr std::tuple args{Arg{"task", &SameNs::task},
                                   Arg{"flags", &SameNs::flags, Form::optional}};
  friend bool operator==(const SameNs&, const SameNs&) = default;
};

struct Sethostname {
  static constexpr auto name = "sethostname";
  static constexpr auto says = "Names the caller's UTS namespace; in a trace names are numbers.";
  static constexpr auto source = "sethostname(2)";
  std::int32_t host = 0;
  static constexpr std::tuple args{Arg{"host", &Sethostname::host}};
  friend bool operator==(const Sethostname&, const Sethostname&) = default;
};

struct Gethostname {
  static constexpr auto name = "gethostname";
  static constexpr auto says = "Answers the name of the caller's UTS namespace.";
  static constexpr auto source = "uname(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Gethostname&, const Gethostname&) = default;
};

struct Reboot {
  static constexpr auto name = "reboot";
  static constexpr auto says =
      "Ends the init of the caller's pid namespace, and the caller; says what that init dies of.";
  static constexpr auto source = "reboot(2), in a pid namespace below the machine's";
  RebootCommand command = RebootCommand::restart;
  static constexpr std::tuple args{Arg{"command", &Reboot::command}};
  friend bool operator==(const Reboot&, const Reboot&) = default;
};

}  // namespace forkproof
