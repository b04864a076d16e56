/// The ops with which a task is traced by another. Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

struct PtraceTraceme {
  static constexpr auto name = "ptrace_traceme";
  static constexpr auto says = "Has the caller traced by its parent.";
  static constexpr auto source = "ptrace(2) PTRACE_TRACEME";
  static constexpr std::tuple args{};
  friend bool operator==(const PtraceTraceme&, const PtraceTraceme&) = default;
};

struct PtraceAttach {
  static constexpr auto name = "ptrace_attach";
  static constexpr auto says = "Traces a task, and sends it SIGSTOP.";
  static constexpr auto source = "ptrace(2) PTRACE_ATTACH";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &PtraceAttach::task}};
  friend bool operator==(const PtraceAttach&, const PtraceAttach&) = default;
};

struct PtraceSeize {
  static constexpr auto name = "ptrace_seize";
  static constexpr auto says = "Traces a task, which does not stop for it.";
  static constexpr auto source = "ptrace(2) PTRACE_SEIZE";
  TaskRef task;
  TraceFlags options;
  static constexpr std::tuple args{Arg{"task", &PtraceSeize::task},
                                   Arg{"options", &PtraceSeize::options, Form::optional}};
  friend bool operator==(const PtraceSeize&, const PtraceSeize&) = default;
};

struct PtraceInterrupt {
  static constexpr auto name = "ptrace_interrupt";
  static constexpr auto says = "Has a task that the caller seized stop.";
  static constexpr auto source = "ptrace(2) PTRACE_INTERRUPT";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &PtraceInterrupt::task}};
  friend bool operator==(const PtraceInterrupt&, const PtraceInterrupt&) = default;
};

struct PtraceCont {
  static constexpr auto name = "ptrace_cont";
  static constexpr auto says =
      "Lets a task that is stopped for the caller go on, with a signal if it stopped for one.";
  static constexpr auto source = "ptrace(2) PTRACE_CONT";
  TaskRef task;
  Signal signal;
  static constexpr std::tuple args{Arg{"task", &PtraceCont::task},
                                   Arg{"signal", &PtraceCont::signal, Form::optional}};
  friend bool operator==(const PtraceCont&, const PtraceCont&) = default;
};

struct PtraceDetach {
  static constexpr auto name = "ptrace_detach";
  static constexpr auto says =
      "Traces a task that is stopped for the caller no longer, and lets it go on as PTRACE_CONT "
      "does.";
  static constexpr auto source = "ptrace(2) PTRACE_DETACH";
  TaskRef task;
  Signal signal;
  static constexpr std::tuple args{Arg{"task", &PtraceDetach::task},
                                   Arg{"signal", &PtraceDetach::signal, Form::optional}};
  friend bool operator==(const PtraceDetach&, const PtraceDetach&) = default;
};

struct PtraceSetoptions {
  static constexpr auto name = "ptrace_setoptions";
  static constexpr auto says =
      "Says whether a task that is stopped for the caller is to be killed when the caller ends.";
  static constexpr auto source = "ptrace(2) PTRACE_SETOPTIONS";
  TaskRef task;
  TraceFlags options;
  static constexpr std::tuple args{Arg{"task", &PtraceSetoptions::task},
                                   Arg{"options", &PtraceSetoptions::options, Form::optional}};
  friend bool operator==(const PtraceSetoptions&, const PtraceSetoptions&) = default;
};

}  // namespace forkproof
