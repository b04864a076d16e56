/// The ops, each declared once: name, meaning, source, arguments. The trace parser and printer, the
/// byte form, the generators, the documents and the dispatch to systems follow from here; the model
/// and each system owe one function an op, and the compiler asks for it.
///
/// Ops are total: every op on every argument is answered, by an errno if need be.
#pragma once
#include <array>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "spec/account_ops.hpp"
#include "spec/attribute_ops.hpp"
#include "spec/cgroup_ops.hpp"
#include "spec/exec_ops.hpp"
#include "spec/file_ops.hpp"
#include "spec/limit_ops.hpp"
#include "spec/kthread_ops.hpp"
#include "spec/namespace_limit_ops.hpp"
#include "spec/namespace_ops.hpp"
#include "spec/op.hpp"
#include "spec/pidfd_ops.hpp"
#include "spec/ptrace_ops.hpp"
#include "spec/stack_ops.hpp"
#include "spec/user_namespace_ops.hpp"

namespace forkproof {

// --- creation --------------------------------------------------------------------------------

struct Fork : CreatesTask {
  static constexpr auto name = "fork";
  static constexpr auto says =
      "Makes a child process: a copy of the caller with memory of its own.";
  static constexpr auto source = "fork(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Fork&, const Fork&) = default;
};

struct Vfork : CreatesTask {
  static constexpr auto name = "vfork";
  static constexpr auto says =
      "Makes a child process that borrows the caller's memory; the caller sleeps until the child "
      "execs or dies.";
  static constexpr auto source = "vfork(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Vfork&, const Vfork&) = default;
};

struct Clone : CreatesTask {
  static constexpr auto name = "clone";
  static constexpr auto says =
      "Makes a child process or a thread that shares with the caller what the flags say.";
  static constexpr auto source = "clone(2)";
  CloneFlags flags;
  ExitSignal exit_signal;
  static constexpr std::tuple args{Arg{"flags", &Clone::flags, Form::optional},
                                   Arg{"exit_signal", &Clone::exit_signal, Form::key}};
  friend bool operator==(const Clone&, const Clone&) = default;
};

// --- end -------------------------------------------------------------------------------------

struct Exit : NoOutcome {
  static constexpr auto name = "exit";
  static constexpr auto says = "Ends the calling thread.";
  static constexpr auto source = "_exit(2)";
  std::int32_t code = 0;
  static constexpr std::tuple args{Arg{"code", &Exit::code}};
  friend bool operator==(const Exit&, const Exit&) = default;
};

struct ExitGroup : NoOutcome {
  static constexpr auto name = "exit_group";
  static constexpr auto says = "Ends all threads of the caller's process.";
  static constexpr auto source = "exit_group(2)";
  std::int32_t code = 0;
  static constexpr std::tuple args{Arg{"code", &ExitGroup::code}};
  friend bool operator==(const ExitGroup&, const ExitGroup&) = default;
};

// --- waiting ---------------------------------------------------------------------------------

struct Wait4 {
  static constexpr auto name = "wait4";
  static constexpr auto says =
      "Waits for a child to die, and for other changes that the options ask for.";
  static constexpr auto source = "wait4(2)";
  Selector selector;
  WaitOptions options;
  static constexpr std::tuple args{Arg{"selector", &Wait4::selector},
                                   Arg{"options", &Wait4::options, Form::optional}};
  friend bool operator==(const Wait4&, const Wait4&) = default;
};

struct Waitid {
  static constexpr auto name = "waitid";
  static constexpr auto says =
      "Waits for the changes of children that the options ask for; WNOWAIT leaves them waitable.";
  static constexpr auto source = "waitid(2)";
  IdSelector selector;
  WaitOptions options;
  static constexpr std::tuple args{Arg{"selector", &Waitid::selector},
                                   Arg{"options", &Waitid::options, Form::optional}};
  friend bool operator==(const Waitid&, const Waitid&) = default;
};

// --- signals ---------------------------------------------------------------------------------

struct Kill {
  static constexpr auto name = "kill";
  static constexpr auto says =
      "Sends a signal to a process, a group or everybody; signal 0 only asks who is there.";
  static constexpr auto source = "kill(2)";
  Target target;
  Signal signal;
  static constexpr std::tuple args{Arg{"target", &Kill::target}, Arg{"signal", &Kill::signal}};
  friend bool operator==(const Kill&, const Kill&) = default;
};

struct Tgkill {
  static constexpr auto name = "tgkill";
  static constexpr auto says = "Sends a signal to one thread of the process named.";
  static constexpr auto source = "tgkill(2)";
  TaskRef process, thread;
  Signal signal;
  static constexpr std::tuple args{Arg{"process", &Tgkill::process}, Arg{"thread", &Tgkill::thread},
                                   Arg{"signal", &Tgkill::signal}};
  friend bool operator==(const Tgkill&, const Tgkill&) = default;
};

struct Sigaction {
  static constexpr auto name = "sigaction";
  static constexpr auto says =
      "Says what the process does with a signal; a handler that is caught does nothing.";
  static constexpr auto source = "sigaction(2)";
  Signal signal;
  Disposition disposition = Disposition::default_;
  SaFlags flags;
  static constexpr std::tuple args{Arg{"signal", &Sigaction::signal},
                                   Arg{"disposition", &Sigaction::disposition},
                                   Arg{"flags", &Sigaction::flags, Form::optional}};
  friend bool operator==(const Sigaction&, const Sigaction&) = default;
};

struct Sigprocmask {
  static constexpr auto name = "sigprocmask";
  static constexpr auto says = "Changes the calling thread's set of blocked signals.";
  static constexpr auto source = "sigprocmask(2)";
  MaskHow how = MaskHow::block;
  SigSet set;
  static constexpr std::tuple args{Arg{"how", &Sigprocmask::how}, Arg{"set", &Sigprocmask::set}};
  friend bool operator==(const Sigprocmask&, const Sigprocmask&) = default;
};

struct Pause {
  static constexpr auto name = "pause";
  static constexpr auto says = "Sleeps until a signal handler has run.";
  static constexpr auto source = "pause(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Pause&, const Pause&) = default;
};

// --- identity and groups ---------------------------------------------------------------------

struct Getpid {
  static constexpr auto name = "getpid";
  static constexpr auto says = "Answers the number of the caller's process.";
  static constexpr auto source = "getpid(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Getpid&, const Getpid&) = default;
};

struct Gettid {
  static constexpr auto name = "gettid";
  static constexpr auto says = "Answers the number of the calling thread.";
  static constexpr auto source = "gettid(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Gettid&, const Gettid&) = default;
};

struct Getppid {
  static constexpr auto name = "getppid";
  static constexpr auto says = "Answers the number of the parent process, 0 for init.";
  static constexpr auto source = "getpid(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Getppid&, const Getppid&) = default;
};

struct Getpgid {
  static constexpr auto name = "getpgid";
  static constexpr auto says = "Answers the process group of a task; 0 is the caller.";
  static constexpr auto source = "getpgid(2)";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &Getpgid::task}};
  friend bool operator==(const Getpgid&, const Getpgid&) = default;
};

struct Getsid {
  static constexpr auto name = "getsid";
  static constexpr auto says = "Answers the session of a task; 0 is the caller.";
  static constexpr auto source = "getsid(2)";
  TaskRef task;
  static constexpr std::tuple args{Arg{"task", &Getsid::task}};
  friend bool operator==(const Getsid&, const Getsid&) = default;
};

struct Setpgid {
  static constexpr auto name = "setpgid";
  static constexpr auto says =
      "Moves the caller or a child into a process group; 0 is the caller, and the task itself.";
  static constexpr auto source = "setpgid(2)";
  TaskRef task, group;
  static constexpr std::tuple args{Arg{"task", &Setpgid::task}, Arg{"group", &Setpgid::group}};
  friend bool operator==(const Setpgid&, const Setpgid&) = default;
};

struct Setsid {
  static constexpr auto name = "setsid";
  static constexpr auto says =
      "Makes the caller the leader of a new session and of a new group in it.";
  static constexpr auto source = "setsid(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Setsid&, const Setsid&) = default;
};

// --- prctl -----------------------------------------------------------------------------------

struct PrctlSubreaper {
  static constexpr auto name = "prctl_subreaper";
  static constexpr auto says =
      "Makes the process adopt the orphans among its descendants, or stop doing so.";
  static constexpr auto source = "prctl(2) PR_SET_CHILD_SUBREAPER";
  std::int32_t on = 1;
  static constexpr std::tuple args{Arg{"on", &PrctlSubreaper::on}};
  friend bool operator==(const PrctlSubreaper&, const PrctlSubreaper&) = default;
};

struct PrctlPdeathsig {
  static constexpr auto name = "prctl_pdeathsig";
  static constexpr auto says =
      "Asks for a signal when the thread that made the caller ends; 0 asks for none.";
  static constexpr auto source = "prctl(2) PR_SET_PDEATHSIG";
  Signal signal;
  static constexpr std::tuple args{Arg{"signal", &PrctlPdeathsig::signal}};
  friend bool operator==(const PrctlPdeathsig&, const PrctlPdeathsig&) = default;
};

// --- memory ----------------------------------------------------------------------------------

struct Mmap {
  static constexpr auto name = "mmap";
  static constexpr auto says =
      "Maps fresh pages of zeroes, lowest free run first; answers the first page's number.";
  static constexpr auto source = "mmap(2) MAP_ANONYMOUS";
  Mapping mapping = Mapping::private_;
  PageNo pages = 1;
  static constexpr std::tuple args{Arg{"mapping", &Mmap::mapping},
                                   Arg{"pages", &Mmap::pages, Form::key}};
  friend bool operator==(const Mmap&, const Mmap&) = default;
};

struct Munmap {
  static constexpr auto name = "munmap";
  static constexpr auto says = "Unmaps pages; where nothing is mapped it is content.";
  static constexpr auto source = "munmap(2)";
  PageNo page = 0;
  PageNo pages = 1;
  static constexpr std::tuple args{Arg{"page", &Munmap::page},
                                   Arg{"pages", &Munmap::pages, Form::key}};
  friend bool operator==(const Munmap&, const Munmap&) = default;
};

struct Madvise {
  static constexpr auto name = "madvise";
  static constexpr auto says =
      "Says what fork does with a page: leave it out, wipe it, or the usual.";
  static constexpr auto source = "madvise(2)";
  PageNo page = 0;
  Advice advice = Advice::dontfork;
  static constexpr std::tuple args{Arg{"page", &Madvise::page}, Arg{"advice", &Madvise::advice}};
  friend bool operator==(const Madvise&, const Madvise&) = default;
};

struct Read {
  static constexpr auto name = "read";
  static constexpr auto says = "Reads a page of the caller's memory; EFAULT where none is mapped.";
  static constexpr auto source = "write(2) EFAULT: the page is handed to a call as its buffer";
  PageNo page = 0;
  static constexpr std::tuple args{Arg{"page", &Read::page}};
  friend bool operator==(const Read&, const Read&) = default;
};

struct Write {
  static constexpr auto name = "write";
  static constexpr auto says = "Writes a page of the caller's memory; EFAULT where none is mapped.";
  static constexpr auto source = "read(2) EFAULT: the page is handed to a call as its buffer";
  PageNo page = 0;
  PageValue value = 0;
  static constexpr std::tuple args{Arg{"page", &Write::page}, Arg{"value", &Write::value}};
  friend bool operator==(const Write&, const Write&) = default;
};

// --- world -----------------------------------------------------------------------------------

struct SetPidMax : ByWorld {
  static constexpr auto name = "pid_max";
  static constexpr auto says =
      "Sets the bound below which pids are given out: 301..4194304, else EINVAL.";
  static constexpr auto source = "proc(5) /proc/sys/kernel/pid_max";
  std::int32_t value = kPidMaxDefault;
  static constexpr std::tuple args{Arg{"value", &SetPidMax::value}};
  friend bool operator==(const SetPidMax&, const SetPidMax&) = default;
};

struct SetPidCursor : ByWorld {
  static constexpr auto name = "pid_cursor";
  static constexpr auto says =
      "Sets the number that the search for a free pid starts at: 1..pid_max+1, else EINVAL.";
  static constexpr auto source = "proc(5) /proc/sys/kernel/ns_last_pid, which is one less";
  std::int32_t value = 2;
  static constexpr std::tuple args{Arg{"value", &SetPidCursor::value}};
  friend bool operator==(const SetPidCursor&, const SetPidCursor&) = default;
};

// --- the register ----------------------------------------------------------------------------

using Op = std::variant<Fork, Vfork, Clone, Exec, Exit, ExitGroup, Wait4, Waitid, Kill, Tgkill,
                        Sigaction, Sigprocmask, Pause, Getpid, Gettid, Getppid, Getpgid, Getsid,
                        Setpgid, Setsid, PrctlSubreaper, PrctlPdeathsig, Mmap, Munmap, Madvise,
                        Read, Write, SetPidMax, SetPidCursor, Open, Close, Dup, FcntlSetfd, Lseek,
                        Umask, Unshare, PrctlName, Setpriority, Getpriority, SchedSetscheduler,
                        SchedGetscheduler, SchedSetattr, SchedSetaffinity, SchedGetaffinity,
                        Sigaltstack, Chdir, Getcwd, Setrlimit, Getrlimit, Setresuid, Capset,
                        Getrusage, Fault, KthreadCreate, KthreadRun, KthreadStop, KthreadPark,
                        KthreadUnpark, WakeUpProcess, WakeUpState, KthreadShouldStop,
                        KthreadShouldPark, KthreadParkme, SetCurrentState, Schedule, HoldKthreadd,
                        NrUninterruptible, Setns, SameNs, Sethostname, Gethostname, Reboot,
                        Clone3, PidfdOpen, PidfdSendSignal, Poll, CgroupMake, CgroupRemove,
                        CgroupMove, CgroupOf, PidsMax, PidsCurrent, CgroupFreeze, CgroupThaw,
                        NsPidMax, NsPidCursor, PtraceTraceme, PtraceAttach, PtraceSeize,
                        PtraceInterrupt, PtraceCont, PtraceDetach, PtraceSetoptions, MapIds,
                        Getuid, ActiveMm, MmUsers, MmCount, TaskStateMatch, CopyProcess, Sigq,
                        Caught, Spend, Times, ExecFails, Personality, MaxNamespaces,
                        GetMaxNamespaces, Recurse>;

inline constexpr std::size_t kOps = std::variant_size_v<Op>;

template <class O>
inline constexpr bool creates_task = std::is_base_of_v<CreatesTask, O>;
/// Whether success is the number of a task, a group or a session, and not a plain value.
template <class O>
inline constexpr bool answers_task =
    creates_task<O> || std::is_same_v<O, Getpid> || std::is_same_v<O, Gettid> ||
    std::is_same_v<O, Getppid> || std::is_same_v<O, Getpgid> || std::is_same_v<O, Getsid> ||
    std::is_same_v<O, Setsid> || std::is_same_v<O, ActiveMm> || std::is_same_v<O, CopyProcess>;
template <class O>
inline constexpr bool by_world = std::is_base_of_v<ByWorld, O>;
template <class O>
inline constexpr bool in_kernel = std::is_base_of_v<InKernel, O>;
template <class O>
inline constexpr bool by_kthread = std::is_base_of_v<ByKthread, O>;
template <class O>
inline constexpr bool no_outcome = std::is_base_of_v<NoOutcome, O>;

/// Calls `f.operator()<O>()` for each op type, in the order of the register.
constexpr void for_each_op(auto&& f) {
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    (f.template operator()<std::variant_alternative_t<I, Op>>(), ...);
  }
  (std::make_index_sequence<kOps>{});
}

/// For each op whether its type has a trait, by the places of the register: one table, and no visit
/// that every file would have to compile.
template <template <class> class Trait>
inline constexpr auto kOpsThat = []<std::size_t... I>(std::index_sequence<I...>) {
  return std::array<bool, kOps>{Trait<std::variant_alternative_t<I, Op>>::value...};
}(std::make_index_sequence<kOps>{});

template <class O>
using CreatesTaskTrait = std::bool_constant<creates_task<O>>;
template <class O>
using AnswersTaskTrait = std::bool_constant<answers_task<O>>;
template <class O>
using ByWorldTrait = std::bool_constant<by_world<O>>;
template <class O>
using NoOutcomeTrait = std::bool_constant<no_outcome<O>>;

template <class O>
using InKernelTrait = std::bool_constant<in_kernel<O>>;
template <class O>
using ByKthreadTrait = std::bool_constant<by_kthread<O>>;

inline bool creates(const Op& op) { return kOpsThat<CreatesTaskTrait>[op.index()]; }
inline bool answers_with_task(const Op& op) { return kOpsThat<AnswersTaskTrait>[op.index()]; }
inline bool is_by_world(const Op& op) { return kOpsThat<ByWorldTrait>[op.index()]; }
inline bool is_in_kernel(const Op& op) { return kOpsThat<InKernelTrait>[op.index()]; }
inline bool has_no_outcome(const Op& op) { return kOpsThat<NoOutcomeTrait>[op.index()]; }

}  // namespace forkproof
