/// What the controller shares with its puppets: one slot a puppet, and one stack, in memory that
/// all of them map at the same address, so that no pointer needs translating.
///
/// A command is pending while `posted` differs from `answered`. A puppet that is born, or that has
/// just executed a new program, answers the command that is pending on its slot: birth and exec
/// need no handshake of their own. A stack of its own in shared memory lets a puppet share its
/// maker's memory or not, with the same code.
#pragma once
#include <cstddef>
#include <cstdint>

namespace forkproof::harness::kernel {

/// What a puppet can be told to do.
enum class Action : std::uint32_t {
  call,    ///< the system call `number` with `args`
  dependent_call,  ///< the same by one that depends on the controller, and does so after it as well
  create,  ///< clone with args: flags, the child's slot, addresses of parent_tid, child_tid, tls;
           ///< or clone3 with the struct in `area` and args: its size, the child's slot, and
           ///< whether the folder of a control group is named in `area`
  exec,    ///< this program again, or, if args[0] is set, the broken one
  handle,  ///< rt_sigaction of the signal args[0] by the KernelAction in `area`
  map_pages,   ///< mmap of args[0] pages with the flags args[1] at the lowest free run
  read_page,   ///< `value` = the start of page args[0]
  write_page,  ///< the start of page args[0] = `value`
  open_file,   ///< a fresh file by the lowest free descriptor, flags: args[0]
  fault,       ///< args[0] batches of page faults
  caught,      ///< how many handlers have run
  write_file,  ///< the text at area + args[0], of args[1] bytes, into the file that `area` names
  read_file,   ///< the start of the file that `area` names, args[1] bytes, to area + args[0]
  enter,       ///< setns to the namespaces args[1] of the task args[0]
  begin,       ///< init's first: its session, and a /proc of its namespace as a descriptor
};

struct Slot {
  std::uint32_t posted;    // a futex: the number of the last command; the controller's
  std::uint32_t answered;  // the last command that was answered; the puppet's
  std::uint32_t taken;     // the last command that was begun; the puppet's
  Action action;
  std::uint32_t below;  // whether number 1 is that of an init of the trace's, and not its own
  std::uint32_t value;  // of a page
  std::uint32_t caught;  // handlers that have run since birth or exec
  std::uint64_t number;
  std::uint64_t args[6];
  std::int64_t result;
  std::int32_t tid, tgid;                // as its namespace has them, since birth or exec
  alignas(16) unsigned char area[1024];  // texts and structs that calls point at
};

/// Where in the area the folder of a control group is named.
inline constexpr std::uint64_t kFolderAt = 544;
inline constexpr std::uint64_t kFolder = 1, kFolderGoes = 2;  // it is removed before the call
inline constexpr std::int64_t kNoFolder = -4096;  // the answer if it cannot be opened: no errno

/// The kernel's struct sigaction.
struct KernelAction {
  std::uint64_t handler;  // kCatch becomes the puppet's handler
  std::uint64_t flags, restorer, mask;
};
inline constexpr std::uint64_t kCatch = 2;

inline constexpr std::uint32_t kPuppets = 512;
inline constexpr std::uint32_t kZygoteSlot = kPuppets;      // that makes the inits, outside
inline constexpr std::uint32_t kHelperSlot = kPuppets + 1;  // that turns knobs when nobody can
inline constexpr std::uint32_t kMakerSlot = kPuppets + 2;   // that makes the one in there
inline constexpr std::uint32_t kRoomSlots = kPuppets + 3;   // of those that only take up room,
inline constexpr std::uint32_t kRoomTasks = 16;             // which are so many
inline constexpr std::uint32_t kSlots = kRoomSlots + kRoomTasks;
inline constexpr std::uint64_t kSlotSize = 4096;
inline constexpr std::uint64_t kStackSize = 256 * 1024;  // many nested frames of signals
inline constexpr std::uint64_t kSharedAt = 0x2'0000'0000;
inline constexpr std::uint64_t kStacksAt = kSharedAt + kSlots * kSlotSize;
inline constexpr std::uint64_t kSharedSize = kSlots * (kSlotSize + kStackSize);

/// Where the pages of a trace are. Nothing is mapped for long after it: page kWindowPages is the
/// one that stands for all that do not exist.
inline constexpr std::uint64_t kWindowAt = 0x4'0000'0000;
inline constexpr std::uint64_t kWindowPages = 4096;
inline constexpr std::uint64_t kPageSize = 4096;

constexpr std::uint64_t slot_at(std::uint64_t slot) { return kSharedAt + slot * kSlotSize; }
constexpr std::uint64_t stack_top(std::uint64_t slot) {
  return kStacksAt + (slot + 1) * kStackSize;
}
constexpr std::uint64_t area_at(std::uint64_t slot) { return slot_at(slot) + offsetof(Slot, area); }

/// Where page faults are made, and how many are a batch: more than tasks have besides in a trace.
inline constexpr std::uint64_t kFaultsAt = 0x6'0000'0000;
inline constexpr std::uint64_t kFaultPages = 128;
inline constexpr std::uint64_t kFaultBatch = 4 * kFaultPages;

/// Descriptors that every puppet inherits, behind the three standard ones.
inline constexpr int kSharedFd = 3;   // the slots and stacks
inline constexpr int kProgramFd = 4;  // the puppets' program
inline constexpr int kLifeFd = 5;     // a pipe that hangs up when the controller is gone
inline constexpr int kScratchFd = 6;  // what pages are read from and written to
inline constexpr int kProcFd = 7;     // the /proc of the namespace, or nothing of interest
inline constexpr int kSpareFd = 8;    // nothing: closed for a moment by who needs a descriptor
inline constexpr int kBrokenFd = 9;   // a program that cannot be brought in

/// Where the descriptors of a trace are. All below are always in use, and no puppet may have one
/// from kFilesEnd on, so that the kernel's own lowest free descriptor is the trace's.
inline constexpr int kFilesAt = 10, kFilesEnd = kFilesAt + 8;

inline std::uint32_t load(const std::uint32_t& word) {
  return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}
inline void store(std::uint32_t& word, std::uint32_t value) {
  __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}
inline bool pending(const Slot& slot) { return load(slot.posted) != load(slot.answered); }

static_assert(sizeof(Slot) <= kSlotSize);

}  // namespace forkproof::harness::kernel
