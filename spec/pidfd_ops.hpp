/// The ops about clone3 and pidfds. Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"
#include "spec/pidfd_words.hpp"

namespace forkproof {

struct Clone3 : CreatesTask {
  static constexpr auto name = "clone3";
  static constexpr auto says =
      "Makes a child process or a thread as clone does, under numbers and with INTO_CGROUP in the "
      "control group of the caller's choice; checks more of its arguments.";
  static constexpr auto source = "clone(2) clone3()";
  Clone3Flags flags;
  Signal exit_signal;
  TidList set_tid;
  CgroupNo cgroup = 0;
  Clone3Args args_as = Clone3Args::plain;
  static constexpr std::tuple args{Arg{"flags", &Clone3::flags, Form::optional},
                                   Arg{"exit_signal", &Clone3::exit_signal, Form::key},
                                   Arg{"set_tid", &Clone3::set_tid, Form::key},
                                   Arg{"cgroup", &Clone3::cgroup, Form::key},
                                   Arg{"args", &Clone3::args_as, Form::key}};
  friend bool operator==(const Clone3&, const Clone3&) = default;
};

struct PidfdOpen {
  static constexpr auto name = "pidfd_open";
  static constexpr auto says =
      "Opens a descriptor that stands for a process, or with THREAD for a thread; answers it.";
  static constexpr auto source = "pidfd_open(2)";
  TaskRef task;
  PidfdFlags flags;
  static constexpr std::tuple args{Arg{"task", &PidfdOpen::task},
                                   Arg{"flags", &PidfdOpen::flags, Form::optional}};
  friend bool operator==(const PidfdOpen&, const PidfdOpen&) = default;
};

struct PidfdSendSignal {
  static constexpr auto name = "pidfd_send_signal";
  static constexpr auto says =
      "Sends a signal to whom a descriptor stands for, or with a flag to that thread, process or "
      "process group.";
  static constexpr auto source = "pidfd_send_signal(2)";
  Descriptor fd = 0;
  Signal signal;
  PidfdSignalFlags flags;
  static constexpr std::tuple args{Arg{"fd", &PidfdSendSignal::fd},
                                   Arg{"signal", &PidfdSendSignal::signal},
                                   Arg{"flags", &PidfdSendSignal::flags, Form::optional}};
  friend bool operator==(const PidfdSendSignal&, const PidfdSendSignal&) = default;
};

struct Poll {
  static constexpr auto name = "poll";
  static constexpr auto says =
      "Asks whether a descriptor can be read, or with an infinite timeout sleeps until it can; "
      "answers POLLIN 1, POLLHUP 16 and POLLNVAL 32 as a sum, 0 for not yet.";
  static constexpr auto source = "poll(2)";
  Descriptor fd = 0;
  Timeout timeout = Timeout::zero;
  static constexpr std::tuple args{Arg{"fd", &Poll::fd},
                                   Arg{"timeout", &Poll::timeout, Form::key}};
  friend bool operator==(const Poll&, const Poll&) = default;
};

}  // namespace forkproof
