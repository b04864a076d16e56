/// The ops about what a thread is called, how it is scheduled, and where its handlers run.
/// Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

struct PrctlName {
  static constexpr auto name = "prctl_name";
  static constexpr auto says = "Names the calling thread.";
  static constexpr auto source = "prctl(2) PR_SET_NAME";
  Comm comm = Comm::worker;
  static constexpr std::tuple args{Arg{"comm", &PrctlName::comm}};
  friend bool operator==(const PrctlName&, const PrctlName&) = default;
};

struct Setpriority {
  static constexpr auto name = "setpriority";
  static constexpr auto says = "Sets the nice value of a thread; 0 is the caller.";
  static constexpr auto source = "setpriority(2) PRIO_PROCESS";
  TaskRef task;
  std::int32_t nice = 0;
  static constexpr std::tuple args{Arg{"task", &Setpriority::task},
                                   Arg{"nice", &Setpriority::nice}};
  friend bool operator==(const Setpriority&, const Setpriority&) = default;
};

struct Getpriority {
  static constexpr auto name = "getpriority";
  static constexpr auto says = "Answers the nice value of a thread; 0 is the caller.";
  static constexpr auto source = "getpriority(2) PRIO_PROCESS";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &Getpriority::task}};
  friend bool operator==(const Getpriority&, const Getpriority&) = default;
};

struct SchedSetscheduler {
  static constexpr auto name = "sched_setscheduler";
  static constexpr auto says =
      "Sets the policy and the real-time priority of a thread, and whether its children begin "
      "anew; 0 is the caller.";
  static constexpr auto source = "sched_setscheduler(2)";
  TaskRef task;
  Policy policy = Policy::other;
  SchedFlags flags;
  std::int32_t priority = 0;
  static constexpr std::tuple args{Arg{"task", &SchedSetscheduler::task},
                                   Arg{"policy", &SchedSetscheduler::policy},
                                   Arg{"flags", &SchedSetscheduler::flags, Form::optional},
                                   Arg{"priority", &SchedSetscheduler::priority, Form::key}};
  friend bool operator==(const SchedSetscheduler&, const SchedSetscheduler&) = default;
};

struct SchedGetscheduler {
  static constexpr auto name = "sched_getscheduler";
  static constexpr auto says =
      "Answers the policy of a thread by its number, with the bit of RESET_ON_FORK; 0 is the "
      "caller.";
  static constexpr auto source = "sched_getscheduler(2)";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &SchedGetscheduler::task}};
  friend bool operator==(const SchedGetscheduler&, const SchedGetscheduler&) = default;
};

struct SchedSetattr {
  static constexpr auto name = "sched_setattr";
  static constexpr auto says =
      "Makes a thread one with a deadline, of 1 ms in 10; 0 is the caller.";
  static constexpr auto source = "sched_setattr(2) SCHED_DEADLINE";
  TaskRef task;
  SchedFlags flags;
  static constexpr std::tuple args{Arg{"task", &SchedSetattr::task},
                                   Arg{"flags", &SchedSetattr::flags, Form::optional}};
  friend bool operator==(const SchedSetattr&, const SchedSetattr&) = default;
};

struct SchedSetaffinity {
  static constexpr auto name = "sched_setaffinity";
  static constexpr auto says =
      "Says on which processors a thread may run; 0 is the caller. There are four, 0 to 3.";
  static constexpr auto source = "sched_setaffinity(2)";
  TaskRef task;
  std::int32_t mask = 1;
  static constexpr std::tuple args{Arg{"task", &SchedSetaffinity::task},
                                   Arg{"mask", &SchedSetaffinity::mask}};
  friend bool operator==(const SchedSetaffinity&, const SchedSetaffinity&) = default;
};

struct SchedGetaffinity {
  static constexpr auto name = "sched_getaffinity";
  static constexpr auto says =
      "Answers the processors that a thread may run on, bit n for n; 0 is the caller.";
  static constexpr auto source = "sched_getaffinity(2)";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &SchedGetaffinity::task}};
  friend bool operator==(const SchedGetaffinity&, const SchedGetaffinity&) = default;
};

struct Sigaltstack {
  static constexpr auto name = "sigaltstack";
  static constexpr auto says =
      "Gives the calling thread a stack of so many bytes for its handlers, or, with 0, none; "
      "answers the size before.";
  static constexpr auto source = "sigaltstack(2)";
  std::int32_t size = 0;
  static constexpr std::tuple args{Arg{"size", &Sigaltstack::size}};
  friend bool operator==(const Sigaltstack&, const Sigaltstack&) = default;
};

}  // namespace forkproof
