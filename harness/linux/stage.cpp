/// The stage that puppets play on: the shared slots, the zygote outside, one namespace at a time.
#include "harness/linux/stage.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <utility>

#include "harness/linux/broken_program.hpp"
#include "harness/linux/proc.hpp"
#include "harness/linux/program.hpp"
#include "harness/linux/rights.hpp"
#include "harness/linux/schedule.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

namespace {

constexpr std::chrono::seconds kPatience{60};  // ordinary tasks may wait long on a busy machine
constexpr unsigned kRoundsOfTrust = 256;  // before the clock is looked at
constexpr int kAboveInherited = 200;      // descriptors from here on are not a puppet's

/// The descriptor out of the way of the numbers that puppets inherit.
Descriptor raised(int fd, std::string_view what) {
  if (fd < 0) give_up(what, errno);
  const Descriptor low(fd);
  const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, kAboveInherited);
  if (high < 0) give_up(what, errno);
  return Descriptor(high);
}

Descriptor memory_file(const char* name, bool executable) {
  const unsigned flag = executable ? 0x10U : 0x8U;  // MFD_EXEC, MFD_NOEXEC_SEAL, since 6.3
  int fd = ::memfd_create(name, MFD_CLOEXEC | flag);
  if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name, MFD_CLOEXEC);
  return raised(fd, "memfd_create");
}

void write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) give_up("the puppets' program cannot be stored", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

constexpr const char* kMachinesPidMax = "/proc/sys/kernel/pid_max";
constexpr const char* kMachinesLastPid = "/proc/sys/kernel/ns_last_pid";

void write_text(const char* path, std::string_view text) {
  const Descriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0) give_up(path, errno);
}

/// What a spawned process begins with: these descriptors, a session of its own so that no terminal
/// signals it, all signals at their defaults.
struct SpawnPlan {
  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    sigset_t all, none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(
        &attributes,
        static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK));
  }
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  void pass(int fd, int as) { ::posix_spawn_file_actions_adddup2(&files, fd, as); }
};

}  // namespace

void give_up(std::string_view what, int error) {
  throw SystemFault(fmt::format("{}: {}", what, std::strerror(error)));
}

bool Watchdog::is_late() {
  ::sched_yield();
  if (++rounds_ % kRoundsOfTrust != 0) return false;
  const auto now = std::chrono::steady_clock::now();
  if (rounds_ == kRoundsOfTrust) began_ = now;
  return now - began_ > kPatience;
}

void Watchdog::bark(const std::string& waited_for) {
  throw SystemFault(fmt::format("not within {} s: {}", kPatience.count(), waited_for));
}

Stage::Stage(const Safeguards& safeguards) : safeguards_(safeguards) {
  abilities_ = probe_abilities();
  gain_rights();
  if (abilities_.pid_max == PidMax::of_machine) {
    lock_ = Descriptor(::open(kMachinesPidMax, O_RDONLY | O_CLOEXEC));
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0)
      give_up("pid_max is the whole machine's, and in use", errno);
    pid_max_before_ = text_of(kMachinesPidMax);
  }
  allow_many_files();
  pin();
  try {
    share();
    load_program();
    spawn_zygote();
    isolate_zygote();
    open();
    probe_proc();
    close();
  } catch (...) {
    end_zygote();
    throw;
  }
}

Stage::~Stage() { end_zygote(); }

/// A puppet takes up to three descriptors.
void Stage::allow_many_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) give_up("getrlimit", errno);
  files.rlim_cur = files.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) give_up("setrlimit", errno);
}

/// Without it puppets on another processor could act while this one looks.
void Stage::pin() {
  if (::sched_getaffinity(0, sizeof cpus_, &cpus_) != 0) give_up("sched_getaffinity", errno);
  if (!safeguards_.one_processor) return;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
  if (::sched_setaffinity(0, sizeof one, &one) != 0) give_up("sched_setaffinity", errno);
}

void Stage::share() {
  shared_ = memory_file("forkproof-slots", false);
  scratch_ = memory_file("forkproof-page", false);
  if (::ftruncate(shared_.get(), kSharedSize) != 0) give_up("memory for the puppets", errno);
  void* const at =
      ::mmap(nullptr, kSharedSize, PROT_READ | PROT_WRITE, MAP_SHARED, shared_.get(), 0);
  if (at == MAP_FAILED) give_up("memory for the puppets", errno);
  base_ = static_cast<unsigned char*>(at);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) give_up("pipe", errno);
  life_end_ = raised(ends[1], "pipe");
  life_ = raised(ends[0], "pipe");
}

namespace {

/// A file that is open for writing cannot be executed, so it is opened once more.
Descriptor executable(std::string_view bytes) {
  const Descriptor writable = memory_file("puppet", true);
  write_all(writable.get(), bytes);
  const std::string path = fmt::format("/proc/self/fd/{}", writable.get());
  return raised(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path);
}

}  // namespace

void Stage::load_program() {
  program_ = executable(kProgram);
  broken_ = executable(broken_program());
}

void Stage::spawn_zygote() {
  SpawnPlan plan;
  for (const int nothing : {0, 1, 2, kProcFd, kSpareFd})
    ::posix_spawn_file_actions_addopen(&plan.files, nothing, "/dev/null", O_RDWR, 0);
  plan.pass(shared_.get(), kSharedFd);
  plan.pass(program_.get(), kProgramFd);
  plan.pass(life_.get(), kLifeFd);
  plan.pass(scratch_.get(), kScratchFd);
  plan.pass(broken_.get(), kBrokenFd);
  ::posix_spawn_file_actions_addclosefrom_np(&plan.files, kFilesAt);
  const std::string path = fmt::format("/proc/self/fd/{}", kProgramFd);
  std::string name = "puppet", index = std::to_string(kZygoteSlot);
  char* const arguments[] = {name.data(), index.data(), nullptr};
  char* const environment[] = {nullptr};
  arm(kZygoteSlot);
  const int error =
      ::posix_spawn(&zygote_, path.c_str(), &plan.files, &plan.attributes, arguments, environment);
  if (error != 0) {
    zygote_ = -1;
    give_up("the puppets' program cannot be executed", error);
  }
  await(kZygoteSlot);
  // Once more, now as puppets do it: the kernel names them after the file, by whatever way.
  begin_randomized();
  slot(kZygoteSlot).action = Action::exec;
  slot(kZygoteSlot).args[0] = 0;
  post(kZygoteSlot);
  await(kZygoteSlot);
  program_name_ = text_of(fmt::format("/proc/{}/comm", zygote_));
  if (program_name_.ends_with('\n')) program_name_.pop_back();
  forget_dispositions();
}

/// Puppets are laid out at random, whatever the controller's personality is.
void Stage::begin_randomized() {
  constexpr std::uint64_t kNoRandomize = 0x40000, kUsual = 0;
  const bool varies = call(kZygoteSlot, SYS_personality, {kNoRandomize}) >= 0;
  const bool usual = call(kZygoteSlot, SYS_personality, {kUsual}) >= 0;
  abilities_.randomizes =
      varies && usual && text_of("/proc/sys/kernel/randomize_va_space") != "0\n";
}

/// The C library keeps two signals to itself, and passes on what somebody else did with them.
void Stage::forget_dispositions() {
  for (std::uint64_t signal = 1; signal <= 64; ++signal) {
    Slot& zygote = slot(kZygoteSlot);
    const KernelAction usual{};
    std::memcpy(zygote.area, &usual, sizeof usual);
    zygote.action = Action::handle;
    zygote.args[0] = signal;
    post(kZygoteSlot);
    await(kZygoteSlot);
  }
}

/// Limits and scheduling, which the puppets inherit.
void Stage::isolate_zygote() {
  const auto zygote = static_cast<id_t>(zygote_);
  abilities_.raises = ::setpriority(PRIO_PROCESS, zygote, -1) == 0;
  ::setpriority(PRIO_PROCESS, zygote, 0);  // or else nice values are not shown
  // A limit of 1 also keeps a pipe from being handed a core, which a limit of 0 would not.
  const rlimit core{1, 1};
  if (::prlimit(zygote_, RLIMIT_CORE, &core, nullptr) != 0) give_up("prlimit", errno);
  const rlimit files{kFilesEnd, kFilesEnd};
  if (::prlimit(zygote_, RLIMIT_NOFILE, &files, nullptr) != 0) give_up("prlimit", errno);
  rights_ = take_rights(zygote_, abilities_);
  name_host();
  if (!safeguards_.real_time) return;
  abilities_.real_time = make_real_time(zygote_);
  if (!abilities_.real_time) run_after(zygote_);
}

/// The name of the host that a world begins with: of a UTS namespace that each world has a copy of.
void Stage::name_host() {
  slot(kZygoteSlot).area[0] = '0';
  abilities_.kinds = abilities_.kinds && call(kZygoteSlot, SYS_unshare, {CLONE_NEWUTS}) == 0 &&
                     call(kZygoteSlot, SYS_sethostname, {area_at(kZygoteSlot), 1}) == 0;
}

void Stage::end_zygote() {
  if (zygote_ > 0) {
    try {
      close();
    } catch (const SystemFault&) {  // then they end by themselves, when the zygote has
    }
    ::kill(zygote_, SIGKILL);
    while (::waitpid(zygote_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  if (!pid_max_before_.empty()) write_text(kMachinesPidMax, pid_max_before_);
  if (base_ != nullptr) ::munmap(base_, kSharedSize);
  ::sched_setaffinity(0, sizeof cpus_, &cpus_);
  schedule(scheduling_);
}

/// A task of a namespace has a number outside as well. Where pid_max counts for all of them, the
/// search outside begins low each time, so that it is never there that numbers run out.
void Stage::clear_numbers() const {
  if (abilities_.pid_max != PidMax::of_machine) return;
  write_text(kMachinesPidMax, pid_max_before_);
  write_text(kMachinesLastPid, "1");
}

/// Has the init make a child for this slot.
std::int64_t Stage::fork_init(std::uint32_t child) {
  Slot& s = slot(0);
  s.action = Action::create;
  s.number = SYS_clone;
  std::ranges::fill(s.args, 0);
  s.args[0] = SIGCHLD;
  s.args[1] = child;
  post(0);
  return await(0);
}

/// What /proc shows of a task that just was born, and of a zombie.
void Stage::probe_proc() {
  constexpr std::int32_t kProbe = 3;
  const auto status = parse_status(text_of("1/status"));
  const std::string init_text = text_of("1/stat");
  const auto init = parse_stat(init_text);
  if (!status || !init) throw SystemFault("/proc of a namespace cannot be read");
  abilities_.signals = status->signals;
  abilities_.namespaces = !status->numbers.empty();
  abilities_.wait_channels = text_of("1/wchan") > "0";  // which stands for none
  abilities_.flags = init->flags != 0;
  abilities_.names = !program_name_.empty() && init->comm == program_name_;
  const std::int32_t policy = abilities_.real_time ? SCHED_FIFO : SCHED_BATCH;
  abilities_.policies =
      init->policy == policy && init->nice == 0 && number_outside(1) == init_;
  arm(1);
  const std::int64_t child = fork_init(1);
  if (child < 0) give_up("no process can be made in a namespace", static_cast<int>(-child));
  await(1);
  Slot& s = slot(1);
  s.action = Action::call;
  s.number = SYS_exit_group;
  s.args[0] = kProbe;
  post(1);
  Watchdog watchdog;
  while (true) {
    const auto stat = parse_stat(text_of(fmt::format("{}/stat", child)));
    if (!stat) throw SystemFault("/proc does not show a zombie");
    abilities_.exit_codes = stat->exit_code == kProbe << 8;
    if (stat->state == 'Z') return;
    watchdog.wait([] { return "a zombie"; });
  }
}

/// The text of a short file, of the namespace's /proc if its path is relative.
std::string Stage::text_of(const std::string& path) const {
  const Descriptor file(::openat(proc_.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(8192, 0);
  const ssize_t n = file ? ::read(file.get(), text.data(), text.size()) : 0;
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return text;
}

/// What the machine is short of may come free: others work here, and a namespace ends late.
std::int64_t Stage::make_init() {
  constexpr timespec kBetween{.tv_sec = 0, .tv_nsec = 20'000'000};
  for (int tries_left = 100;; --tries_left) {
    const std::int64_t number = make_child(0, CLONE_NEWPID | (abilities_.kinds ? CLONE_NEWUTS : 0));
    if (tries_left == 0 || (number != -EAGAIN && number != -ENOMEM && number != -ENOSPC))
      return number;
    ::nanosleep(&kBetween, nullptr);
  }
}

void Stage::open() {
  clear_numbers();
  const std::int64_t number = make_init();
  if (number < 0) give_up("no pid namespace can be made here", static_cast<int>(-number));
  init_ = static_cast<pid_t>(number);
  await(0);
  namespace_ =
      Descriptor(::open(fmt::format("/proc/{}/ns/pid", init_).c_str(), O_RDONLY | O_CLOEXEC));
  const std::int64_t mount = show_proc();
  if (mount < 0) give_up("no /proc can be made for a namespace", static_cast<int>(-mount));
  const std::string path = fmt::format("/proc/{}/fd/{}", init_, mount);
  if (!proc_) proc_ = Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!proc_) give_up(path, errno);
}

void Stage::close() {
  const pid_t init = std::exchange(init_, -1);
  if (init <= 0) return;
  ::kill(init, SIGKILL);  // the zygote, its parent, has not waited for it: the number is its own
  const std::int64_t reaped =
      call(kZygoteSlot, SYS_wait4, {static_cast<std::uint64_t>(init), 0, __WALL, 0});
  if (reaped != init) give_up("the zygote lost its init", static_cast<int>(-reaped));
  proc_ = Descriptor();
  namespace_ = Descriptor();
}

int Stage::number_outside(std::int32_t number) const {
  constexpr auto kPidFromNamespace = _IOR(0xb7, 0x6, int);  // NS_GET_PID_FROM_PIDNS, since 6.11
  return ::ioctl(namespace_.get(), kPidFromNamespace, number);
}

void Stage::make_ordinary(std::int32_t number) const {
  const sched_param none{};
  const int here = number_outside(number);
  if (here <= 0 || ::sched_setscheduler(here, SCHED_OTHER, &none) != 0)
    give_up("a puppet cannot be scheduled as others are", here < 0 ? EINVAL : errno);
}

Descriptor Stage::open_pidfd(std::int32_t number) const {
  const int here = number_outside(number);
  if (here <= 0) return {};
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, here, 0));
  if (pidfd < 0 && (errno == EMFILE || errno == ENFILE)) give_up("a pidfd", errno);
  return Descriptor(pidfd);
}

void Stage::post(std::uint32_t index) {
  std::uint32_t& posted = slot(index).posted;
  store(posted, posted + 1);
  ::syscall(SYS_futex, &posted, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

void Stage::arm(std::uint32_t index, bool below) {
  Slot& s = slot(index);
  s.below = below ? 1 : 0;
  s.tid = 0;
  store(s.posted, s.answered + 1);
}

std::int64_t Stage::await(std::uint32_t index) {
  Watchdog watchdog;
  while (pending(slot(index))) {
    int status = 0;
    if (zygote_ <= 0) throw SystemFault("the zygote is dead");
    if (::waitpid(zygote_, &status, WNOHANG) == zygote_) {
      zygote_ = init_ = -1;
      throw SystemFault(fmt::format("the zygote died (status {:#x})", status));
    }
    watchdog.wait([&] {
      return fmt::format("the answer to call {} of {}", slot(index).number,
                         text_of(index == kZygoteSlot ? fmt::format("/proc/{}/stat", zygote_)
                                                      : fmt::format("{}/stat", slot(index).tid))
                             .substr(0, 40));
    });
  }
  return slot(index).result;
}

std::int64_t Stage::call(std::uint32_t index, std::uint64_t number,
                         std::initializer_list<std::uint64_t> args) {
  Slot& s = slot(index);
  s.action = Action::call;
  s.number = number;
  std::ranges::fill(s.args, 0);
  std::ranges::copy(args, s.args);
  post(index);
  return await(index);
}

std::int64_t Stage::write_file(std::uint32_t index, std::string_view path, std::string_view text) {
  Slot& s = slot(index);
  std::memcpy(s.area, path.data(), path.size());
  s.area[path.size()] = 0;
  std::memcpy(s.area + path.size() + 1, text.data(), text.size());
  s.action = Action::write_file;
  s.args[0] = path.size() + 1;
  s.args[1] = text.size();
  post(index);
  return await(index);
}

std::int64_t Stage::read_number(std::uint32_t index, std::string_view path) {
  constexpr std::uint64_t kMost = 32;
  Slot& s = slot(index);
  std::memcpy(s.area, path.data(), path.size());
  s.area[path.size()] = 0;
  s.action = Action::read_file;
  s.args[0] = path.size() + 1;
  s.args[1] = kMost;
  post(index);
  const std::int64_t length = await(index);
  if (length < 0) return length;
  const char* const text = reinterpret_cast<const char*>(s.area) + s.args[0];
  std::int64_t number = -EINVAL;
  std::from_chars(text, text + length, number);
  return number;
}

}  // namespace forkproof::harness::kernel
