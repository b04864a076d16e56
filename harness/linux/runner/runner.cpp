/// A puppet: a program without a library, which does what its slot says and nothing else.
///
/// It has no state outside its slot and its registers: puppets share their memory with one another
/// as the trace says, and everything but the slots and stacks may be a copy or be shared at any
/// time. It execs itself, and finds its slot by its first argument.
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/poll.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "harness/linux/shared.hpp"

using namespace forkproof::harness::kernel;

namespace {

using Word = std::uint64_t;
using Answer = std::int64_t;

constexpr Answer kExists = -17, kNoMemory = -12, kInvalid = -22;
constexpr int kSigKill = 9;
constexpr Word kNoExecSeal = 8;  // of memfd_create, since 6.3

Answer call(Word number, Word a = 0, Word b = 0, Word c = 0, Word d = 0, Word e = 0, Word f = 0) {
  register Word r10 asm("r10") = d;
  register Word r8 asm("r8") = e;
  register Word r9 asm("r9") = f;
  Answer answer;
  asm volatile("syscall"
               : "=a"(answer)
               : "0"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return answer;
}

Word address(const void* p) { return reinterpret_cast<Word>(p); }
Slot& slot_of(Word index) { return *reinterpret_cast<Slot*>(slot_at(index)); }

}  // namespace

extern "C" {
/// Never returns; the asm below calls it with its slot in a register.
[[noreturn]] void live(Word index);
void give_back();
void catch_signal(int);
[[noreturn]] void enter(const Word* stack);
}

asm(".globl give_back\ngive_back:\n mov $15, %eax\n syscall\n");  // rt_sigreturn
asm(".globl _start\n_start:\n mov %rsp, %rdi\n and $-16, %rsp\n call enter\n");

namespace {

/// The child begins on the stack of its own slot. Its slot is in a register that the call keeps,
/// because nothing else of the child is known to be its own.
Answer make_child(const Slot& slot) {
  const Word* const args = slot.args;
  const bool by_struct = slot.number == __NR_clone3;
  const Word area = args[3] != 0 ? args[3] : address(slot.area);
  const Word first = by_struct ? area : args[0];
  const Word second = by_struct ? args[0] : stack_top(args[1]);
  register Word r10 asm("r10") = args[3];
  register Word r8 asm("r8") = args[4];
  register Word child asm("r12") = args[1];
  Answer answer;
  asm volatile(
      "syscall\n test %%rax, %%rax\n jnz 1f\n"
      " mov %%r12, %%rdi\n xor %%ebp, %%ebp\n call live\n1:"
      : "=a"(answer)
      : "0"(slot.number), "D"(first), "S"(second), "d"(args[2]), "r"(r10), "r"(r8), "r"(child)
      : "rcx", "r11", "memory");
  return answer;
}

Answer execute(Word program, Word index) {
  char digits[8];
  char* text = digits + sizeof digits;
  *--text = 0;
  do *--text = static_cast<char>('0' + index % 10);
  while (index /= 10);
  const char* const arguments[] = {"puppet", text, nullptr};
  const char* const environment[] = {nullptr};
  return call(__NR_execveat, program, address(""), address(arguments), address(environment),
              0x1000);  // AT_EMPTY_PATH
}

Answer handle(Slot& slot) {
  auto& action = *reinterpret_cast<KernelAction*>(slot.area);
  if (action.handler == kCatch) action.handler = reinterpret_cast<Word>(&catch_signal);
  action.restorer = reinterpret_cast<Word>(&give_back);
  return call(__NR_rt_sigaction, slot.args[0], address(&action), 0, sizeof action.mask);
}

Answer map_pages(Word pages, Word flags) {
  if (pages > kWindowPages) return kNoMemory;
  Word first = 0;
  do {
    const Answer answer =
        call(__NR_mmap, kWindowAt + first * kPageSize, pages * kPageSize, PROT_READ | PROT_WRITE,
             flags | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, ~Word{0}, 0);
    if (answer >= 0) return static_cast<Answer>(first);
    if (answer != kExists) return answer;
  } while (++first + pages <= kWindowPages);
  return kNoMemory;
}

/// The kernel itself touches the page, so that it answers where it is missing.
Answer copy(Word from, Word to) {
  const Answer out = call(__NR_pwrite64, kScratchFd, from, sizeof(Slot::value), 0);
  if (out < 0) return out;
  const Answer in = call(__NR_pread64, kScratchFd, to, sizeof(Slot::value), 0);
  return in < 0 ? in : 0;
}

/// The file has no name.
Answer open_file(Word cloexec) {
  const Word flags = cloexec != 0 ? 1 : 0;  // MFD_CLOEXEC
  const Answer fd = call(__NR_memfd_create, address("file"), flags | kNoExecSeal);
  if (fd != kInvalid) return fd;
  return call(__NR_memfd_create, address("file"), flags);  // before 6.3
}

/// Pages of nothing are read and forgotten, each time with a fault.
Answer fault(Word batches) {
  constexpr Word kSize = kFaultPages * kPageSize, kNoHugePage = 15, kDontNeed = 4;
  const Answer at = call(__NR_mmap, kFaultsAt, kSize, PROT_READ,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, ~Word{0}, 0);
  if (at != static_cast<Answer>(kFaultsAt)) return at;
  call(__NR_madvise, kFaultsAt, kSize, kNoHugePage);
  for (Word round = 0; round < batches * kFaultBatch / kFaultPages; ++round) {
    for (Word page = 0; page < kFaultPages; ++page)
      static_cast<void>(*reinterpret_cast<volatile char*>(kFaultsAt + page * kPageSize));
    call(__NR_madvise, kFaultsAt, kSize, kDontNeed);
  }
  call(__NR_munmap, kFaultsAt, kSize);
  return 0;
}
void fill(Word fd) { call(__NR_dup2, 0, fd); }

/// `flags` is how the file is opened, and `number` the call that uses it.
Answer use_file(const Slot& slot, Word flags, Word number) {
  call(__NR_close, kSpareFd);
  const Answer fd = call(__NR_open, address(slot.area), flags);
  const Answer answer = fd < 0 ? fd
                               : call(number, static_cast<Word>(fd),
                                      address(slot.area + slot.args[0]), slot.args[1]);
  fill(kSpareFd);
  return answer;
}

Answer write_file(const Slot& slot) {
  const Answer answer = use_file(slot, 1, __NR_write);  // O_WRONLY
  return answer < 0 ? answer : 0;
}

/// A descriptor of the task, a thread or not, is had for the call alone.
Answer enter(Word task, Word kinds) {
  constexpr Word kThread = 0200;  // PIDFD_THREAD
  call(__NR_close, kSpareFd);
  const Answer fd = call(__NR_pidfd_open, task, kThread);
  const Answer answer = fd < 0 ? fd : call(__NR_setns, static_cast<Word>(fd), kinds);
  fill(kSpareFd);
  return answer;
}

/// The child keeps the folder's descriptor as its spare one, which is as good as another.
Answer create(Slot& slot) {
  if (slot.number != __NR_clone3 || slot.args[2] == 0) return make_child(slot);
  call(__NR_close, kSpareFd);
  const Answer fd = call(__NR_open, address(slot.area + kFolderAt), O_PATH);
  reinterpret_cast<clone_args*>(slot.area)->cgroup = static_cast<Word>(fd);
  if (slot.args[2] == kFolderGoes) call(__NR_rmdir, address(slot.area + kFolderAt));
  const Answer answer = fd < 0 ? kNoFolder : make_child(slot);
  fill(kSpareFd);
  return answer;
}

/// Answers the descriptor of a /proc that is mounted nowhere, if it is asked for.
Answer begin(bool makes_proc) {
  if (const Answer session = call(__NR_setsid); session < 0) return session;
  call(__NR_umask, 022);
  call(__NR_chdir, address("/"));
  if (!makes_proc) return 0;
  call(__NR_close, kProcFd);
  call(__NR_close, kSpareFd);
  const Answer context = call(__NR_fsopen, address("proc"), 0);
  const auto fd = static_cast<Word>(context);
  const Answer created =
      context < 0 ? context : call(__NR_fsconfig, fd, FSCONFIG_CMD_CREATE, 0, 0, 0);
  const Answer mount = created < 0 ? created : call(__NR_fsmount, fd, 0, 0);
  const Answer as = mount < 0 ? mount : call(__NR_dup2, static_cast<Word>(mount), kProcFd);
  if (as < 0) fill(kProcFd);
  fill(kSpareFd);
  return as;
}

/// An init, its maker and its helpers end when the controller does, whatever it dies of. The pipe
/// tells of a death before the first call had its effect.
void depend_on_controller() {
  call(__NR_prctl, PR_SET_PDEATHSIG, kSigKill);
  pollfd life{.fd = kLifeFd, .events = 0, .revents = 0};
  if (call(__NR_poll, address(&life), 1, 0) != 0) call(__NR_exit_group, 1);
}

Answer act(Slot& slot, Word index) {
  const Word* const a = slot.args;
  switch (slot.action) {
    case Action::call:
      return call(slot.number, a[0], a[1], a[2], a[3], a[4], a[5]);
    case Action::dependent_call: {
      const Answer answer = call(slot.number, a[0], a[1], a[2], a[3], a[4], a[5]);
      depend_on_controller();
      return answer;
    }
    case Action::create:
      return create(slot);
    case Action::exec:
      return execute(a[0] != 0 ? kBrokenFd : kProgramFd, index);
    case Action::handle:
      return handle(slot);
    case Action::map_pages:
      return map_pages(a[0], a[1]);
    case Action::read_page:
      return copy(kWindowAt + a[0] * kPageSize, address(&slot.value));
    case Action::write_page:
      return copy(address(&slot.value), kWindowAt + a[0] * kPageSize);
    case Action::open_file:
      return open_file(a[0]);
    case Action::fault:
      return fault(a[0]);
    case Action::caught:
      return load(slot.caught);
    case Action::write_file:
      return write_file(slot);
    case Action::read_file:
      return use_file(slot, 0, __NR_read);
    case Action::enter:
      return enter(a[0], a[1]);
    case Action::begin:
      return begin(a[0] != 0);
  }
  return -38;  // ENOSYS
}

}  // namespace

void live(Word index) {
  Slot& slot = slot_of(index);
  slot.tid = static_cast<std::int32_t>(call(__NR_gettid));
  slot.tgid = static_cast<std::int32_t>(call(__NR_getpid));
  const bool is_init = slot.tid == 1 && slot.below == 0;
  if (is_init || index >= kZygoteSlot) depend_on_controller();
  slot.result = slot.caught = 0;
  std::uint32_t done = load(slot.posted);
  store(slot.answered, done);
  while (true) {
    std::uint32_t posted;
    while ((posted = load(slot.posted)) == done)
      call(__NR_futex, address(&slot.posted), FUTEX_WAIT, done, 0);
    store(slot.taken, posted);
    slot.result = act(slot, index);
    store(slot.answered, done = posted);
  }
}

/// Whose handler it is the stack says that it runs on.
void catch_signal(int) {
  const Word here = address(__builtin_frame_address(0));
  __atomic_fetch_add(&slot_of((here - kStacksAt) / kStackSize).caught, 1, __ATOMIC_RELAXED);
}

void enter(const Word* stack) {
  if (stack[0] < 2) call(__NR_exit_group, 2);
  Word index = 0;
  for (const char* digit = reinterpret_cast<const char*>(stack[2]); *digit != 0; ++digit)
    index = index * 10 + static_cast<Word>(*digit - '0');
  const Answer at = call(__NR_mmap, kSharedAt, kSharedSize, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_FIXED, kSharedFd, 0);
  if (at != static_cast<Answer>(kSharedAt)) call(__NR_exit_group, 3);
  call(__NR_prctl, PR_SET_DUMPABLE, 0);  // else a death by a core signal waits for the dump
  asm volatile("mov %0, %%rsp\n xor %%ebp, %%ebp\n call live"
               :
               : "r"(stack_top(index)), "D"(index)
               : "memory");
  __builtin_unreachable();
}
