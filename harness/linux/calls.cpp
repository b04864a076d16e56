/// The ops as system calls: what a puppet is told to do, and what its answer means.
#include "harness/linux/calls.hpp"

#include <fcntl.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <initializer_list>

#include "harness/linux/clone3_args.hpp"
#include "harness/linux/limits.hpp"
#include "harness/linux/op_kinds.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness::kernel {

namespace {

constexpr std::uint64_t kRestorer = 0x04000000, kNoDefer = 0x40000000;  // SA_RESTORER, SA_NODEFER

std::uint64_t word(std::int64_t n) { return static_cast<std::uint64_t>(n); }

void put(Slot& slot, Action action, std::uint64_t number,
         std::initializer_list<std::uint64_t> args) {
  slot.action = action;
  slot.number = number;
  std::ranges::fill(slot.args, 0);
  std::ranges::copy(args, slot.args);
}

template <class T>
void put_area(Slot& slot, const T& value) {
  std::memcpy(slot.area, &value, sizeof value);
}

template <class T>
T area_of(const Slot& slot) {
  T value;
  std::memcpy(&value, slot.area, sizeof value);
  return value;
}

/// The pid argument of wait4 and of kill: a group is a negative number, whatever the number.
template <class S>
std::int32_t raw_pid(const S& s) {
  switch (s.kind) {
    case S::Kind::task:
      return s.who.n;
    case S::Kind::group:
      return static_cast<std::int32_t>(-static_cast<std::uint32_t>(s.who.n));
    case S::Kind::own_group:
      return 0;
    default:
      return -1;
  }
}

/// A page that does not exist is one behind the window.
std::uint64_t page(PageNo no) { return std::min<std::uint64_t>(no, kWindowPages); }

std::uint64_t page_address(PageNo no) { return kWindowAt + page(no) * kPageSize; }

/// A descriptor of a trace as a puppet's. One that cannot be open is one that no puppet has.
std::uint64_t raw_fd(Descriptor fd) {
  return word(fd < 0 ? -1 : fd < kDescriptors ? kFilesAt + fd : kFilesEnd);
}
static_assert(kFilesAt + kDescriptors == kFilesEnd);

/// The directories of a trace: what every Linux has. One that does not exist has no name.
constexpr std::array<std::string_view, kDirectories> kDirectoryNames{"/", "/proc", "/proc/sys",
                                                                     "/proc/sys/kernel"};

std::string_view directory(Directory n) {
  return n >= 0 && n < kDirectories ? kDirectoryNames[static_cast<std::size_t>(n)] : "";
}

/// Where signal stacks are said to be: no handler of a trace runs on one. What a processor asks for
/// beyond the least size that a trace knows is added to each.
constexpr std::uint64_t kSignalStacksAt = 0x10000, kForProcessor = 65536;
constexpr std::size_t kStackBefore = 64;  // in the area
static_assert(kSignalStackMin >= 2048 && kSharedAt > kSignalStacksAt + kForProcessor + INT32_MAX);

/// Fills in slots. One overload an op, so that the compiler asks for a new one.
struct Writer {
  Slot& slot;
  std::uint32_t index, child;

  void call(std::uint64_t number, std::initializer_list<std::uint64_t> args) const {
    put(slot, Action::call, number, args);
  }
  /// The words for the kernel to write a number to are in the slots: the maker's, the child's.
  void create(std::uint64_t flags) const {
    put(slot, Action::create, SYS_clone,
        {flags, child, area_at(index), area_at(child), std::uint64_t{0}});
  }

  /// What the struct points at comes after it in the area.
  void create3(const Clone3& op) const {
    constexpr std::size_t kTidsAt = 256, kParentTidAt = 512, kPidfdAt = 520;
    static_assert(kPidfdAt + sizeof(std::uint64_t) <= kFolderAt);
    clone_args args{};
    args.flags = op.flags.bits;
    args.pidfd = area_at(index) + kPidfdAt;
    args.child_tid = area_at(child);
    args.parent_tid = area_at(index) + kParentTidAt;
    args.exit_signal = word(op.exit_signal.n);
    args.stack = stack_top(child) - kStackSize;
    args.stack_size = kStackSize;
    args.set_tid = op.set_tid.size == 0 ? 0 : area_at(index) + kTidsAt;
    args.set_tid_size = op.set_tid.size;
    args.cgroup = kFilesEnd;  // which nobody has, unless the folder is named
    const std::size_t size = spoil(args, op.args_as, area_at(index) + kTidsAt);
    std::memset(slot.area, 0, kTidsAt);
    put_area(slot, args);
    if (op.args_as == Clone3Args::tail_set) slot.area[sizeof args] = 1;
    std::memcpy(slot.area + kTidsAt, op.set_tid.n.data(), sizeof op.set_tid.n);
    const std::uint64_t at = op.args_as == Clone3Args::unreadable ? kNowhere : 0;
    put(slot, Action::create, SYS_clone3, {size, child, 0, at});
  }

  void operator()(const Fork&) const { create(SIGCHLD); }
  void operator()(const Vfork&) const { create(CLONE_VM | CLONE_VFORK | SIGCHLD); }
  void operator()(const Clone& op) const { create(op.flags.bits | op.exit_signal.n); }
  void operator()(const Exec&) const { put(slot, Action::exec, SYS_execveat, {0}); }
  void operator()(const Personality& op) const { call(SYS_personality, {op.persona.bits}); }
  void operator()(const ExecFails&) const { put(slot, Action::exec, SYS_execveat, {1}); }
  void operator()(const Exit& op) const { call(SYS_exit, {word(op.code)}); }
  void operator()(const ExitGroup& op) const { call(SYS_exit_group, {word(op.code)}); }
  void operator()(const Wait4& op) const {
    put_area(slot, int{0});
    call(SYS_wait4, {word(raw_pid(op.selector)), area_at(index), op.options.bits, 0});
  }
  void operator()(const Waitid& op) const {
    using Kind = IdSelector::Kind;
    const Kind kind = op.selector.kind;
    const std::uint64_t type = kind == Kind::any     ? P_ALL
                               : kind == Kind::task  ? P_PID
                               : kind == Kind::pidfd ? P_PIDFD
                                                     : P_PGID;
    const std::int32_t id = has_who(op.selector) ? op.selector.who.n : 0;
    const std::uint64_t fd = raw_fd(op.selector.fd);
    put_area(slot, siginfo_t{});
    call(SYS_waitid,
         {type, kind == Kind::pidfd ? fd : word(id), area_at(index), op.options.bits, 0});
  }
  void operator()(const Kill& op) const {
    call(SYS_kill, {word(raw_pid(op.target)), word(op.signal.n)});
  }
  void operator()(const Tgkill& op) const {
    call(SYS_tgkill, {word(op.process.n), word(op.thread.n), word(op.signal.n)});
  }
  /// Nothing is masked while a handler runs: it does nothing that could be interrupted, and the
  /// mask that a stopped task shows is then its own.
  void operator()(const Sigaction& op) const {
    constexpr std::uint64_t kHandlers[] = {0, 1, kCatch};  // SIG_DFL, SIG_IGN
    put_area(slot, KernelAction{.handler = kHandlers[static_cast<std::size_t>(op.disposition)],
                                .flags = op.flags.bits | kRestorer | kNoDefer,
                                .restorer = 0,
                                .mask = 0});
    put(slot, Action::handle, SYS_rt_sigaction, {word(op.signal.n)});
  }
  void operator()(const Sigprocmask& op) const {
    put_area(slot, op.set.bits);
    call(SYS_rt_sigprocmask, {static_cast<std::uint64_t>(op.how), area_at(index), 0, 8});
  }
  void operator()(const Pause&) const { call(SYS_pause, {}); }
  void operator()(const Getpid&) const { call(SYS_getpid, {}); }
  void operator()(const Gettid&) const { call(SYS_gettid, {}); }
  void operator()(const Getppid&) const { call(SYS_getppid, {}); }
  void operator()(const Getpgid& op) const { call(SYS_getpgid, {word(op.task.n)}); }
  void operator()(const Getsid& op) const { call(SYS_getsid, {word(op.task.n)}); }
  void operator()(const Setpgid& op) const {
    call(SYS_setpgid, {word(op.task.n), word(op.group.n)});
  }
  void operator()(const Setsid&) const { call(SYS_setsid, {}); }
  void operator()(const PrctlSubreaper& op) const {
    call(SYS_prctl, {PR_SET_CHILD_SUBREAPER, word(op.on), 0, 0, 0});
  }
  void operator()(const PrctlPdeathsig& op) const {
    call(SYS_prctl, {PR_SET_PDEATHSIG, word(op.signal.n), 0, 0, 0});
  }
  void operator()(const Mmap& op) const {
    put(slot, Action::map_pages, SYS_mmap,
        {op.pages, op.mapping == Mapping::shared ? word(MAP_SHARED) : word(MAP_PRIVATE)});
  }
  void operator()(const Munmap& op) const {
    call(SYS_munmap, {page_address(op.page), op.pages * kPageSize});
  }
  void operator()(const Madvise& op) const {
    call(SYS_madvise, {page_address(op.page), kPageSize, static_cast<std::uint64_t>(op.advice)});
  }
  void operator()(const Read& op) const {
    put(slot, Action::read_page, SYS_pwrite64, {page(op.page)});
  }
  void operator()(const Write& op) const {
    slot.value = op.value;
    put(slot, Action::write_page, SYS_pread64, {page(op.page)});
  }
  void operator()(const Open& op) const {
    put(slot, Action::open_file, SYS_memfd_create, {op.flags.has(fd_flag::cloexec)});
  }
  void operator()(const Close& op) const { call(SYS_close, {raw_fd(op.fd)}); }
  void operator()(const Dup& op) const {
    call(SYS_fcntl, {raw_fd(op.fd), F_DUPFD, word(kFilesAt)});
  }
  void operator()(const FcntlSetfd& op) const {
    call(SYS_fcntl, {raw_fd(op.fd), F_SETFD, op.flags.bits});
  }
  void operator()(const Lseek& op) const {
    call(SYS_lseek, {raw_fd(op.fd), word(op.by), SEEK_CUR});
  }
  void operator()(const Umask& op) const { call(SYS_umask, {word(op.mask)}); }
  void operator()(const Chdir& op) const {
    const std::string_view name = directory(op.directory);
    std::memcpy(slot.area, name.data(), name.size() + 1);
    call(SYS_chdir, {area_at(index)});
  }
  void operator()(const Getcwd&) const { call(SYS_getcwd, {area_at(index), sizeof slot.area}); }
  void operator()(const Unshare& op) const { call(SYS_unshare, {op.flags.bits}); }
  void operator()(const PrctlName& op) const {
    const std::string_view name = *name_of(kComms, static_cast<std::uint64_t>(op.comm));
    std::memcpy(slot.area, name.data(), name.size());
    slot.area[name.size()] = 0;
    call(SYS_prctl, {PR_SET_NAME, area_at(index), 0, 0, 0});
  }
  void operator()(const Setpriority& op) const {
    call(SYS_setpriority, {PRIO_PROCESS, word(op.task.n), word(op.nice)});
  }
  void operator()(const Getpriority& op) const {
    call(SYS_getpriority, {PRIO_PROCESS, word(op.task.n)});
  }
  void operator()(const SchedSetscheduler& op) const {
    put_area(slot, op.priority);
    call(SYS_sched_setscheduler,
         {word(op.task.n), static_cast<std::uint64_t>(op.policy) | op.flags.bits, area_at(index)});
  }
  void operator()(const SchedGetscheduler& op) const {
    call(SYS_sched_getscheduler, {word(op.task.n)});
  }
  void operator()(const SchedSetattr&) const {}
  void operator()(const SchedSetaffinity&) const {}
  void operator()(const SchedGetaffinity&) const {}
  void operator()(const Sigaltstack& op) const {
    const bool good = op.size >= kSignalStackMin;
    stack_t stack{};
    stack.ss_sp = reinterpret_cast<void*>(kSignalStacksAt);
    stack.ss_flags = op.size == 0 ? SS_DISABLE : 0;
    stack.ss_size = good ? static_cast<std::size_t>(op.size) + kForProcessor : 1;
    put_area(slot, stack);
    call(SYS_sigaltstack, {area_at(index), area_at(index) + kStackBefore});
  }
  // These are written by write_limit_call.
  void operator()(const Setrlimit&) const {}
  void operator()(const Getrlimit&) const {}
  void operator()(const Setresuid&) const {}
  void operator()(const Capset&) const {}
  void operator()(const Getrusage& op) const {
    constexpr std::int64_t kWho[] = {RUSAGE_SELF, RUSAGE_CHILDREN, 1};  // RUSAGE_THREAD
    call(SYS_getrusage, {word(kWho[static_cast<std::size_t>(op.whose)]), area_at(index)});
  }
  void operator()(const Fault& op) const { put(slot, Action::fault, 0, {op.batches}); }
  template <class O>
  requires in_kernel<O> void operator()(const O&) const {}
  void operator()(const Setns& op) const {
    put(slot, Action::enter, SYS_setns, {word(op.task.n), op.flags.bits});
  }
  void operator()(const SameNs&) const {}
  void operator()(const NsPidMax&) const {}
  void operator()(const NsPidCursor&) const {}
  void operator()(const MaxNamespaces&) const {}
  void operator()(const GetMaxNamespaces&) const {}
  void operator()(const Sethostname& op) const {
    const std::string name = std::to_string(op.host);
    std::memcpy(slot.area, name.data(), name.size());
    call(SYS_sethostname, {area_at(index), name.size()});
  }
  void operator()(const Gethostname&) const { call(SYS_uname, {area_at(index)}); }
  void operator()(const Reboot& op) const {
    constexpr std::uint64_t kCommands[] = {
        LINUX_REBOOT_CMD_RESTART,   LINUX_REBOOT_CMD_RESTART2, LINUX_REBOOT_CMD_HALT,
        LINUX_REBOOT_CMD_POWER_OFF, LINUX_REBOOT_CMD_CAD_ON,   LINUX_REBOOT_CMD_SW_SUSPEND};
    call(SYS_reboot, {LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
                      kCommands[static_cast<std::size_t>(op.command)], 0});
  }
  void operator()(const Clone3& op) const { create3(op); }
  void operator()(const PidfdOpen& op) const {
    call(SYS_pidfd_open, {word(op.task.n), op.flags.bits});
  }
  void operator()(const PidfdSendSignal& op) const {
    call(SYS_pidfd_send_signal, {raw_fd(op.fd), word(op.signal.n), 0, op.flags.bits});
  }
  void operator()(const Poll& op) const {
    const auto fd = static_cast<int>(raw_fd(op.fd));
    put_area(slot, pollfd{.fd = fd, .events = POLLIN, .revents = 0});
    call(SYS_poll, {area_at(index), 1, word(op.timeout == Timeout::infinite ? -1 : 0)});
  }
  void trace(int request, TaskRef task, std::uint64_t data = 0) const {
    call(SYS_ptrace, {word(request), word(task.n), 0, data});
  }
  void operator()(const PtraceTraceme&) const { trace(PTRACE_TRACEME, {}); }
  void operator()(const PtraceAttach& op) const { trace(PTRACE_ATTACH, op.task); }
  void operator()(const PtraceSeize& op) const { trace(PTRACE_SEIZE, op.task, op.options.bits); }
  void operator()(const PtraceInterrupt& op) const { trace(PTRACE_INTERRUPT, op.task); }
  void operator()(const PtraceCont& op) const { trace(PTRACE_CONT, op.task, word(op.signal.n)); }
  void operator()(const PtraceDetach& op) const {
    trace(PTRACE_DETACH, op.task, word(op.signal.n));
  }
  void operator()(const PtraceSetoptions& op) const {
    trace(PTRACE_SETOPTIONS, op.task, op.options.bits);
  }
  void operator()(const MapIds&) const {}
  void operator()(const Getuid&) const { call(SYS_getuid, {}); }
  void operator()(const Sigq&) const {}
  void operator()(const Caught&) const { put(slot, Action::caught, 0, {}); }
  void operator()(const Spend&) const {}
  void operator()(const Recurse&) const {}
  void operator()(const Times&) const {}
  void operator()(const SetPidMax&) const {}
  void operator()(const SetPidCursor&) const {}
  template <class O>
  requires is_about_cgroups<O> void operator()(const O&) const {}
};

Outcome change_of(std::int32_t pid, std::int32_t status) {
  const Pid p{pid};
  if (WIFEXITED(status)) return Outcome::news(p, Change::exited, WEXITSTATUS(status));
  if (WIFSTOPPED(status)) return Outcome::news(p, Change::stopped, WSTOPSIG(status));
  if (WIFCONTINUED(status)) return Outcome::news(p, Change::continued, 0);
  return Outcome::news(p, WCOREDUMP(status) ? Change::dumped : Change::killed, WTERMSIG(status));
}

Outcome change_of(const siginfo_t& info) {
  constexpr Change kByCode[] = {Change::exited,  Change::killed,  Change::dumped,
                                Change::stopped, Change::stopped, Change::continued};
  const int index = std::clamp(info.si_code, int{CLD_EXITED}, int{CLD_CONTINUED}) - CLD_EXITED;
  constexpr int kSignal = 0xff;  // what is above it says why a tracee stopped
  return Outcome::news(Pid{info.si_pid}, kByCode[index], info.si_status & kSignal);
}

}  // namespace

std::optional<Outcome> by_convention(const Op& op) {
  if (is_in_kernel(op)) return Outcome::failure(Errno::nosys);
  if (const auto* o = std::get_if<Munmap>(&op))
    if (o->pages == 0 || o->pages > kPages || o->page > kPages - o->pages)
      return Outcome::failure(Errno::inval);
  if (const auto* o = std::get_if<Fault>(&op))
    if (o->batches > kFaultsAtOnce) return Outcome::failure(Errno::inval);
  if (const auto* o = std::get_if<SameNs>(&op))
    if (o->flags.bits == 0 || (o->flags - clone_flag::new_any - clone_flag::newuser).bits != 0)
      return Outcome::failure(Errno::inval);
  return std::nullopt;
}

void write_call(const Op& op, Slot& slot, std::uint32_t index, std::uint32_t child) {
  std::visit(Writer{slot, index, child}, op);
}

Outcome outcome_of(const Op& op, const Slot& slot) {
  const std::int64_t result = slot.result;
  if (result < 0) return Outcome::failure(static_cast<Errno>(-result));
  if (answers_with_task(op)) return Outcome::task(Pid{static_cast<std::int32_t>(result)});
  if (std::holds_alternative<Wait4>(op)) {
    if (result == 0) return Outcome::of(Outcome::Kind::none);
    return change_of(static_cast<std::int32_t>(result), area_of<int>(slot));
  }
  if (std::holds_alternative<Waitid>(op)) {
    const auto info = area_of<siginfo_t>(slot);
    return info.si_pid == 0 ? Outcome::of(Outcome::Kind::none) : change_of(info);
  }
  if (std::holds_alternative<Read>(op)) return Outcome::number(slot.value);
  if (std::holds_alternative<Poll>(op)) return Outcome::number(area_of<pollfd>(slot).revents);
  if (std::holds_alternative<Open>(op) || std::holds_alternative<Dup>(op) ||
      std::holds_alternative<PidfdOpen>(op))
    return Outcome::number(result - kFilesAt);
  if (std::holds_alternative<Getcwd>(op)) {
    const std::string_view name(reinterpret_cast<const char*>(slot.area));
    return Outcome::number(std::ranges::find(kDirectoryNames, name) - kDirectoryNames.begin());
  }
  if (std::holds_alternative<Getrusage>(op))
    return Outcome::number(area_of<rusage>(slot).ru_minflt / std::int64_t{kFaultBatch});
  if (std::holds_alternative<Getpriority>(op)) return Outcome::number(20 - result);
  if (std::holds_alternative<Sigaltstack>(op)) {
    stack_t before;
    std::memcpy(&before, slot.area + kStackBefore, sizeof before);
    const auto size = static_cast<std::int64_t>(before.ss_size - kForProcessor);
    return Outcome::number((before.ss_flags & SS_DISABLE) != 0 ? 0 : size);
  }
  if (std::holds_alternative<Gethostname>(op)) {
    const auto names = area_of<utsname>(slot);
    std::int32_t host = -1;
    std::from_chars(names.nodename, names.nodename + std::strlen(names.nodename), host);
    return Outcome::number(host);
  }
  return Outcome::number(result);
}

}  // namespace forkproof::harness::kernel
