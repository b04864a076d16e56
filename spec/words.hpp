/// The words of the domain: numbers, signals, flags and their names. impl/ knows these, the ops and
/// the outcomes, and nothing else of spec/.
///
/// Every table here is the one list of its kind: parsers, printers, generators and documents are
/// derived from it.
///
/// Sources: include/uapi/linux/{sched,wait,signal}.h, include/uapi/asm-generic/{errno-base,mman}.h.
#pragma once
#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace forkproof {

/// The dialect of the spec. `linux_4_12` is what the books describe, `linux_6` what runs today.
enum class Profile : std::uint8_t { linux_6, linux_4_12 };

/// A process, thread, group or session number. 0 is nobody's. Where nothing else is said it is the
/// number that the world's own pid namespace has for it; a task in a namespace below knows another.
struct Pid {
  std::int32_t n = 0;
  friend constexpr auto operator<=>(Pid, Pid) = default;
};

inline constexpr Pid kInit{1};
inline constexpr Pid kKthreadd{2};  // in worlds that have kernel threads
inline constexpr std::int32_t kReservedPids = 300;  // the floor after the numbers wrap
inline constexpr std::int32_t kPidMaxMin = 301;     // the least that may be written
inline constexpr std::int32_t kPidMaxDefault = 32768;
inline constexpr std::int32_t kPidMaxLimit = 4 * 1024 * 1024;
inline constexpr Pid kNeverAPid{kPidMaxLimit};  // what an unbound name stands for
inline constexpr std::int32_t kNamespaceDepth = 31;  // of pids, below the world's own
inline constexpr std::int32_t kUserNamespaceDepth = 33;  // below the machine's own

/// A page of an address space, and how many each address space has room for.
using PageNo = std::uint32_t;
inline constexpr PageNo kPages = 4096;
using PageValue = std::uint32_t;

/// A number by which a task names an open file, and how many each table has room for. Calls are
/// given any number.
using Descriptor = std::int32_t;
inline constexpr Descriptor kDescriptors = 8;

/// The permission bits that a umask has, and those of a new world's.
inline constexpr std::int32_t kUmaskBits = 0777;
inline constexpr std::int32_t kUmaskAtFirst = 022;

/// A directory, by a number: there are these, and a new world's init is in the first.
using Directory = std::int32_t;
inline constexpr Directory kDirectories = 4;
/// A number by which a trace calls a control group, and the highest limit of tasks that one takes.
using CgroupNo = std::int32_t;
inline constexpr std::int32_t kPidsLimitMax = kPidMaxLimit;

/// A name and the number that Linux gives it.
struct Word {
  std::string_view name;
  std::uint64_t value;
};

/// The name of `value` in `table`, if it has one.
constexpr std::optional<std::string_view> name_of(std::span<const Word> table,
                                                  std::uint64_t value) {
  for (const Word& w : table)
    if (w.value == value) return w.name;
  return std::nullopt;
}

/// The value of `name` in `table`, if it is there.
constexpr std::optional<std::uint64_t> value_of(std::span<const Word> table,
                                                std::string_view name) {
  for (const Word& w : table)
    if (w.name == name) return w.value;
  return std::nullopt;
}

inline constexpr std::array kProfiles{Word{"linux-6", 0}, Word{"linux-4.12", 1}};

// --- errno ---------------------------------------------------------------------------------------

enum class Errno : std::uint8_t {
  ok = 0,
  perm = 1,
  noent = 2,
  srch = 3,
  intr = 4,
  io = 5,
  toobig = 7,
  badf = 9,
  child = 10,
  again = 11,
  nomem = 12,
  acces = 13,
  fault = 14,
  busy = 16,
  exist = 17,
  nodev = 19,
  inval = 22,
  mfile = 24,
  nospc = 28,
  spipe = 29,
  nosys = 38,
  users = 87,
  opnotsupp = 95,
};

inline constexpr std::array kErrnos{
    Word{"EPERM", 1},   Word{"ENOENT", 2},  Word{"ESRCH", 3},   Word{"EINTR", 4},
    Word{"ECHILD", 10}, Word{"EAGAIN", 11}, Word{"ENOMEM", 12}, Word{"EACCES", 13},
    Word{"EFAULT", 14}, Word{"EINVAL", 22}, Word{"EBADF", 9},   Word{"EMFILE", 24},
    Word{"EBUSY", 16},  Word{"EEXIST", 17}, Word{"ENOSPC", 28}, Word{"ESPIPE", 29},
    Word{"ENOSYS", 38}, Word{"EUSERS", 87}, Word{"ENODEV", 19}, Word{"EIO", 5},
    Word{"EOPNOTSUPP", 95}, Word{"E2BIG", 7},
};

// --- signals -------------------------------------------------------------------------------------

/// A signal number as a call is given it: 0 and numbers out of range are allowed, and answered.
struct Signal {
  std::int32_t n = 0;
  friend constexpr auto operator<=>(Signal, Signal) = default;
};

inline constexpr std::int32_t kSignalMax = 64;

inline constexpr std::array kSignals{
    Word{"SIGHUP", 1},   Word{"SIGINT", 2},     Word{"SIGQUIT", 3},  Word{"SIGILL", 4},
    Word{"SIGTRAP", 5},  Word{"SIGABRT", 6},    Word{"SIGBUS", 7},   Word{"SIGFPE", 8},
    Word{"SIGKILL", 9},  Word{"SIGUSR1", 10},   Word{"SIGSEGV", 11}, Word{"SIGUSR2", 12},
    Word{"SIGPIPE", 13}, Word{"SIGALRM", 14},   Word{"SIGTERM", 15}, Word{"SIGSTKFLT", 16},
    Word{"SIGCHLD", 17}, Word{"SIGCONT", 18},   Word{"SIGSTOP", 19}, Word{"SIGTSTP", 20},
    Word{"SIGTTIN", 21}, Word{"SIGTTOU", 22},   Word{"SIGURG", 23},  Word{"SIGXCPU", 24},
    Word{"SIGXFSZ", 25}, Word{"SIGVTALRM", 26}, Word{"SIGPROF", 27}, Word{"SIGWINCH", 28},
    Word{"SIGIO", 29},   Word{"SIGPWR", 30},    Word{"SIGSYS", 31},
};

namespace sig {
inline constexpr Signal none{0}, hup{1}, int_{2}, quit{3}, trap{5}, kill{9}, usr1{10}, segv{11},
    term{15}, chld{17}, cont{18}, stop{19}, tstp{20}, ttin{21}, ttou{22};
}

constexpr bool valid(Signal s) { return s.n >= 1 && s.n <= kSignalMax; }

/// A set of signals 1..64: bit n-1 is signal n, as in /proc/PID/status.
struct SigSet {
  std::uint64_t bits = 0;

  static constexpr SigSet of(Signal s) { return {valid(s) ? std::uint64_t{1} << (s.n - 1) : 0}; }
  constexpr bool has(Signal s) const { return (bits & of(s).bits) != 0; }
  constexpr bool empty() const { return bits == 0; }
  constexpr void add(Signal s) { bits |= of(s).bits; }
  constexpr void remove(Signal s) { bits &= ~of(s).bits; }
  /// The lowest signal of the set, which must not be empty.
  constexpr Signal lowest() const { return {std::countr_zero(bits) + 1}; }

  friend constexpr SigSet operator|(SigSet a, SigSet b) { return {a.bits | b.bits}; }
  friend constexpr SigSet operator&(SigSet a, SigSet b) { return {a.bits & b.bits}; }
  friend constexpr SigSet operator-(SigSet a, SigSet b) { return {a.bits & ~b.bits}; }
  friend constexpr bool operator==(SigSet, SigSet) = default;
};

constexpr SigSet sigset(auto... numbers) { return {((std::uint64_t{1} << (numbers - 1)) | ...)}; }

inline constexpr SigSet kStopSignals = sigset(19, 20, 21, 22);     // STOP TSTP TTIN TTOU
inline constexpr SigSet kDefaultIgnored = sigset(17, 18, 23, 28);  // CHLD CONT URG WINCH
inline constexpr SigSet kCoreSignals = sigset(3, 4, 5, 6, 7, 8, 11, 24, 25, 31);
inline constexpr SigSet kSynchronous = sigset(4, 5, 7, 8, 11, 31);  // delivered before others
inline constexpr SigSet kUnblockable = sigset(9, 19);               // KILL STOP

/// What a process does with a signal: `sigaction`'s three choices. A handler does nothing.
enum class Disposition : std::uint8_t { default_, ignore, catch_ };
inline constexpr std::array kDispositions{Word{"default", 0}, Word{"ignore", 1}, Word{"catch", 2}};

/// How `sigprocmask` changes the blocked set.
enum class MaskHow : std::uint8_t { block, unblock, set };
inline constexpr std::array kMaskHows{Word{"block", 0}, Word{"unblock", 1}, Word{"set", 2}};

// --- flag words ----------------------------------------------------------------------------------

/// A set of flag bits of one kind. `Kind` names the table, so that kinds do not mix.
template <class Kind>
struct Flags {
  std::uint64_t bits = 0;

  constexpr bool has(Flags f) const { return (bits & f.bits) == f.bits; }
  constexpr bool any(Flags f) const { return (bits & f.bits) != 0; }
  friend constexpr Flags operator|(Flags a, Flags b) { return {a.bits | b.bits}; }
  friend constexpr Flags operator&(Flags a, Flags b) { return {a.bits & b.bits}; }
  friend constexpr Flags operator-(Flags a, Flags b) { return {a.bits & ~b.bits}; }
  friend constexpr bool operator==(Flags, Flags) = default;
};

/// clone(2), without the low byte, which is the exit signal.
struct CloneKind {
  static constexpr std::array words{
      Word{"VM", 0x100},
      Word{"FS", 0x200},
      Word{"FILES", 0x400},
      Word{"SIGHAND", 0x800},
      Word{"PIDFD", 0x1000},
      Word{"PTRACE", 0x2000},
      Word{"VFORK", 0x4000},
      Word{"PARENT", 0x8000},
      Word{"THREAD", 0x10000},
      Word{"SYSVSEM", 0x40000},
      Word{"SETTLS", 0x80000},
      Word{"PARENT_SETTID", 0x100000},
      Word{"CHILD_CLEARTID", 0x200000},
      Word{"DETACHED", 0x400000},
      Word{"UNTRACED", 0x800000},
      Word{"CHILD_SETTID", 0x1000000},
      Word{"IO", 0x80000000},
      Word{"NEWPID", 0x20000000},
      Word{"NEWNS", 0x20000},
      Word{"NEWCGROUP", 0x2000000},
      Word{"NEWUTS", 0x4000000},
      Word{"NEWIPC", 0x8000000},
      Word{"NEWNET", 0x40000000},
      Word{"NEWTIME", 0x80},
      Word{"NEWUSER", 0x10000000},
  };
};
using CloneFlags = Flags<CloneKind>;
namespace clone_flag {
inline constexpr CloneFlags vm{0x100}, fs{0x200}, files{0x400}, sighand{0x800}, pidfd{0x1000},
    ptrace{0x2000}, vfork{0x4000}, parent{0x8000}, thread{0x10000}, sysvsem{0x40000},
    parent_settid{0x100000}, detached{0x400000}, newpid{0x20000000}, newns{0x20000},
    newcgroup{0x2000000}, newuts{0x4000000}, newipc{0x8000000}, newnet{0x40000000},
    newtime{0x80}, newuser{0x10000000};
/// Of these each is for a kind of namespace that a task alone is in; NEWPID is not.
inline constexpr CloneFlags new_proxy = newns | newcgroup | newuts | newipc | newnet;
inline constexpr CloneFlags new_any = new_proxy | newtime | newpid;
/// Of clone3 alone.
inline constexpr CloneFlags clear_sighand{std::uint64_t{1} << 32},
    into_cgroup{std::uint64_t{1} << 33};
}

/// clone3(2), which has its exit signal elsewhere.
struct Clone3Kind {
  static constexpr auto words = [] {
    constexpr std::size_t kBoth = CloneKind::words.size();
    std::array<Word, kBoth + 2> all{};
    for (std::size_t i = 0; i < kBoth; ++i) all[i] = CloneKind::words[i];
    all[kBoth] = Word{"CLEAR_SIGHAND", clone_flag::clear_sighand.bits};
    all[kBoth + 1] = Word{"INTO_CGROUP", clone_flag::into_cgroup.bits};
    return all;
  }();
};
using Clone3Flags = Flags<Clone3Kind>;

/// How many numbers a trace may ask clone3 for: more namespaces in one another have none.
inline constexpr std::size_t kTidsMax = 4;

/// pidfd_open(2).
struct PidfdKind {
  static constexpr std::array words{Word{"THREAD", 0x80}, Word{"NONBLOCK", 0x800}};
};
using PidfdFlags = Flags<PidfdKind>;
namespace pidfd_flag {
inline constexpr PidfdFlags thread{0x80}, nonblock{0x800};
}

/// pidfd_send_signal(2): whom a signal is for, if not whom the descriptor says.
struct PidfdSignalKind {
  static constexpr std::array words{Word{"THREAD", 1}, Word{"THREAD_GROUP", 2},
                                    Word{"PROCESS_GROUP", 4}};
};
using PidfdSignalFlags = Flags<PidfdSignalKind>;
namespace pidfd_signal {
inline constexpr PidfdSignalFlags thread{1}, thread_group{2}, process_group{4};
}

/// What poll(2) says of a descriptor.
namespace poll_event {
inline constexpr std::int64_t in = 1, hup = 16, nval = 32;
}

/// wait4(2) and waitid(2). WSTOPPED and WUNTRACED are one bit; each call prints its own word.
struct WaitKind {
  static constexpr std::array words{
      Word{"WNOHANG", 1},
      Word{"WUNTRACED", 2},
      Word{"WSTOPPED", 2},
      Word{"WEXITED", 4},
      Word{"WCONTINUED", 8},
      Word{"WNOWAIT", 0x1000000},
      Word{"__WNOTHREAD", 0x20000000},
      Word{"__WALL", 0x40000000},
      Word{"__WCLONE", 0x80000000},
  };
};
using WaitOptions = Flags<WaitKind>;
namespace wait_option {
inline constexpr WaitOptions nohang{1}, stopped{2}, exited{4}, continued{8}, nowait{0x1000000},
    nothread{0x20000000}, all{0x40000000}, clone{0x80000000};
}

/// sigaction(2).
struct SaKind {
  static constexpr std::array words{Word{"SA_NOCLDSTOP", 1}, Word{"SA_NOCLDWAIT", 2},
                                    Word{"SA_RESTART", 0x10000000}};
};
using SaFlags = Flags<SaKind>;
namespace sa_flag {
inline constexpr SaFlags nocldstop{1}, nocldwait{2}, restart{0x10000000};
}

/// The flags of a descriptor, as fcntl(2) F_SETFD takes them.
struct FdKind {
  static constexpr std::array words{Word{"CLOEXEC", 1}};
};
using FdFlags = Flags<FdKind>;
namespace fd_flag {
inline constexpr FdFlags cloexec{1};
}

/// The task flags (PF_*) that the lifecycle sets, clears or copies; other_task_flags.hpp has the
/// others, but for RANDOMIZE (0x400000), which is shown as a field of its own.
/// Both profiles have the same numbers for these (4.12 calls POSTCOREDUMP EXITPIDONE). NOFREEZE and
/// KTHREAD are seen on systems that have kernel threads: a kernel gives NOFREEZE to the dead, too.
struct TaskFlagKind {
  static constexpr std::array words{Word{"EXITING", 0x4}, Word{"POSTCOREDUMP", 0x8},
                                    Word{"FORKNOEXEC", 0x40}, Word{"SUPERPRIV", 0x100},
                                    Word{"SIGNALED", 0x400}, Word{"NPROC_EXCEEDED", 0x1000},
                                    Word{"NOFREEZE", 0x8000}, Word{"KTHREAD", 0x200000}};
};
using TaskFlags = Flags<TaskFlagKind>;
namespace task_flag {
inline constexpr TaskFlags exiting{0x4}, postcoredump{0x8}, forknoexec{0x40}, superpriv{0x100},
    signaled{0x400}, nproc_exceeded{0x1000}, nofreeze{0x8000}, kthread{0x200000};
}

// --- attributes ----------------------------------------------------------------------------------

/// The names that threads have, for people to tell them apart. A trace has these; the kernel keeps
/// the first 15 bytes of any. `puppet` is what every program of a trace is called.
enum class Comm : std::uint8_t { puppet, worker, helper, just_fits, too_long };
inline constexpr std::array kComms{Word{"puppet", 0}, Word{"worker", 1}, Word{"helper", 2},
                                   Word{"exactly-fifteen", 3}, Word{"exactly-fifteen-and-more", 4}};

/// How a task is scheduled, with the numbers that sched_setscheduler(2) has.
enum class Policy : std::uint8_t { other, fifo, rr, batch, idle = 5, deadline };
inline constexpr std::array kPolicies{Word{"OTHER", 0}, Word{"FIFO", 1}, Word{"RR", 2},
                                      Word{"BATCH", 3}, Word{"IDLE", 5}, Word{"DEADLINE", 6}};
constexpr bool is_real_time(Policy p) { return p == Policy::fifo || p == Policy::rr; }

/// What sched_setscheduler(2) takes besides the policy.
struct SchedKind {
  static constexpr std::array words{Word{"RESET_ON_FORK", 0x40000000}};
};
using SchedFlags = Flags<SchedKind>;
namespace sched_flag {
inline constexpr SchedFlags reset_on_fork{0x40000000};
}

inline constexpr std::int32_t kNiceMin = -20, kNiceMax = 19;
inline constexpr std::int32_t kRealTimeMax = 99;  // the highest priority of a real-time task
inline constexpr std::int32_t kProcessors = 0xF;  // those that there are, as a mask
inline constexpr std::int32_t kSignalStackMin = 2048;  // bytes

// --- users, limits, usage ------------------------------------------------------------------------

/// The users of a trace's tasks. `root` is the one that limits do not bind.
enum class User : std::uint8_t { root, alice, bob };
inline constexpr std::array kUsers{Word{"root", 0}, Word{"alice", 1}, Word{"bob", 2}};

/// Whom the maps of a user namespace know: by one line, or by a line each.
enum class IdMap : std::uint8_t { root, everybody };
inline constexpr std::array kIdMaps{Word{"root", 0}, Word{"everybody", 1}};
inline constexpr std::int64_t kOverflowUser = 65534;  // what somebody is called whom no map knows

/// The capabilities that lift limits, and let a pid namespace be made.
struct CapabilityKind {
  static constexpr std::array words{Word{"SYS_ADMIN", 0x200000}, Word{"SYS_RESOURCE", 0x1000000}};
};
using Capabilities = Flags<CapabilityKind>;
namespace capability {
inline constexpr Capabilities sys_admin{0x200000}, sys_resource{0x1000000},
    all = sys_admin | sys_resource;
}

/// What setrlimit(2) limits, with its numbers.
enum class Resource : std::uint8_t {
  cpu, fsize, data, stack, core, rss, nproc, nofile, memlock, as, locks, sigpending, msgqueue, nice,
  rtprio, rttime,
};
inline constexpr std::array kResources{
    Word{"CPU", 0},       Word{"FSIZE", 1},  Word{"DATA", 2},    Word{"STACK", 3},
    Word{"CORE", 4},      Word{"RSS", 5},    Word{"NPROC", 6},   Word{"NOFILE", 7},
    Word{"MEMLOCK", 8},   Word{"AS", 9},     Word{"LOCKS", 10},  Word{"SIGPENDING", 11},
    Word{"MSGQUEUE", 12}, Word{"NICE", 13},  Word{"RTPRIO", 14}, Word{"RTTIME", 15}};

/// A limit: a number up to 2^32 - 1, or none.
struct Limit {
  std::uint64_t n = UINT64_MAX;
  constexpr bool unlimited() const { return n == UINT64_MAX; }
  friend constexpr auto operator<=>(Limit, Limit) = default;
};
inline constexpr Limit kUnlimited{};
inline constexpr Limit kSecureStack{8 << 20};  // no larger is the soft limit of a secure program
inline constexpr std::uint64_t kOpenFilesMost = 1 << 20;  // the machine's, of any process

/// The two limits of a resource: the one that binds, and the one up to which that may be raised.
struct Limits {
  Limit soft, hard;
  friend constexpr bool operator==(Limits, Limits) = default;
};
constexpr Limits limits_at_first(Resource r) {
  return r == Resource::nofile ? Limits{{kDescriptors}, {kDescriptors}} : Limits{};
}
enum class LimitKind : std::uint8_t { soft, hard };
inline constexpr std::array kLimitKinds{Word{"soft", 0}, Word{"hard", 1}};

/// Whose usage getrusage(2) answers.
enum class Whose : std::uint8_t { self, children, thread };
inline constexpr std::array kWhose{Word{"self", 0}, Word{"children", 1}, Word{"thread", 2}};
inline constexpr std::uint32_t kFaultsAtOnce = 4;  // batches of page faults in one op

inline constexpr std::int32_t kFirstRealTimeSignal = 32;  // from here on signals are queued
// --- namespaces ----------------------------------------------------------------------------------

/// What reboot(2) is asked for.
enum class RebootCommand : std::uint8_t { restart, restart2, halt, power_off, cad_on, sw_suspend };
inline constexpr std::array kReboots{Word{"RESTART", 0},   Word{"RESTART2", 1},
                                     Word{"HALT", 2},      Word{"POWER_OFF", 3},
                                     Word{"CAD_ON", 4},    Word{"SW_SUSPEND", 5}};

// --- tracing -------------------------------------------------------------------------------------

/// What ptrace(2) SEIZE and SETOPTIONS take.
struct TraceKind {
  static constexpr std::array words{Word{"EXITKILL", 0x100000}};
};
using TraceFlags = Flags<TraceKind>;
namespace trace_flag {
inline constexpr TraceFlags exitkill{0x100000};
}

// --- memory --------------------------------------------------------------------------------------

enum class Mapping : std::uint8_t { private_, shared };
inline constexpr std::array kMappings{Word{"private", 0}, Word{"shared", 1}};

/// madvise(2), what it says about fork.
enum class Advice : std::uint8_t { dontfork = 10, dofork = 11, wipeonfork = 18, keeponfork = 19 };
inline constexpr std::array kAdvices{Word{"DONTFORK", 10}, Word{"DOFORK", 11},
                                     Word{"WIPEONFORK", 18}, Word{"KEEPONFORK", 19}};

// --- states --------------------------------------------------------------------------------------

/// What a task is doing, as /proc tells it of a task that a controller drives: `running` is idle
/// in user mode, `sleeping` is inside a wait or a pause, `disk_sleep` is a vfork parent's sleep.
/// `dead` is a number that no task has (any more). `parked` and `idle` are sleeps of kernel
/// threads. `traced` is stopped for its tracer.
enum class State : std::uint8_t {
  running,
  sleeping,
  disk_sleep,
  stopped,
  zombie,
  dead,
  parked,
  idle,
  traced
};
inline constexpr std::array kStates{Word{"running", 0}, Word{"sleeping", 1}, Word{"disk-sleep", 2},
                                    Word{"stopped", 3}, Word{"zombie", 4},   Word{"dead", 5},
                                    Word{"parked", 6},  Word{"idle", 7},     Word{"traced", 8}};

/// What a kernel thread sleeps in, by the names of its states in the kernel. The numbers that these
/// have there differ between 4.12 and 6.x.
enum class Sleep : std::uint8_t { running, interruptible, uninterruptible, killable, idle };
inline constexpr std::array kSleeps{Word{"RUNNING", 0}, Word{"INTERRUPTIBLE", 1},
                                    Word{"UNINTERRUPTIBLE", 2}, Word{"KILLABLE", 3},
                                    Word{"IDLE", 4}};

/// The states that a wake is for. `fatal` is what a fatal signal wakes with, `stopped` and `traced`
/// have only the bit that says so.
enum class WakeMask : std::uint8_t {
  normal, interruptible, uninterruptible, wakekill, parked, stopped, traced, fatal
};
inline constexpr std::array kWakeMasks{Word{"NORMAL", 0}, Word{"INTERRUPTIBLE", 1},
                                       Word{"UNINTERRUPTIBLE", 2}, Word{"WAKEKILL", 3},
                                       Word{"PARKED", 4},        Word{"STOPPED", 5},
                                       Word{"TRACED", 6},        Word{"FATAL", 7}};

}  // namespace forkproof
