/// When what was seen says nothing of the kernel, because the machine was short of something or
/// somebody else was there.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "harness/describe.hpp"
#include "harness/linux/system.hpp"
#include "harness/system_fault.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness::kernel {

/// How often the machine has killed for want of memory, since it was started; 0 where it does not
/// say.
std::uint64_t System::kills_for_memory() {
  std::ifstream file("/proc/vmstat");
  std::string name;
  for (std::uint64_t count = 0; file >> name >> count;)
    if (name == "oom_kill") return count;
  return 0;
}

namespace {

/// Whether we are in the machine's first namespace of a kind, by the number that it always has.
bool is_machines_own(const char* kind) {
  constexpr ino_t kFirstUsers = 0xEFFFFFFD, kFirstPids = 0xEFFFFFFC;  // PROC_PID_INIT_INO
  const bool users = std::string_view(kind) == "user";
  struct stat file{};
  return ::stat((std::string("/proc/self/ns/") + kind).c_str(), &file) == 0 &&
         file.st_ino == (users ? kFirstUsers : kFirstPids);
}

}  // namespace

/// How many tasks a namespace may have is the spec's business, how many the machine may is not.
bool System::was_of_want() const {
  constexpr int kWants[] = {EAGAIN, ENOMEM, ENFILE, EMFILE, ENOSPC};
  const Outcome& o = effects_.outcome;
  return (creates(last_op_) || std::holds_alternative<Exec>(last_op_) ||
          std::holds_alternative<Unshare>(last_op_)) &&
         o.kind == Outcome::Kind::error &&
         std::ranges::find(kWants, static_cast<int>(o.error)) != std::end(kWants);
}

std::string System::excuse() {
  if (was_of_want() && !stage_.has_room_for_processes())
    return fmt::format("the machine ran short of processes or memory: {} answered {}",
                       name_of(last_op_), harness::describe(effects_.outcome, {}));
  if (const std::uint64_t kills = kills_for_memory(); kills != kills_for_memory_) {
    kills_for_memory_ = kills;
    return "the machine ran short of memory, and killed";
  }
  const bool crowded = effects_.outcome == Outcome::failure(Errno::nospc);
  if (crowded && ((makes_namespace(last_op_) && !is_machines_own("pid")) ||
                  (makes_user_namespace(last_op_) && !is_machines_own("user"))))
    return "the namespaces that this machine runs us in leave less room for others";
  if (crowded && waited_ && shared_ && makes_user_namespace(last_op_))
    return "memory may keep the user namespace of who mapped it";
  if (over_) return {};
  for (const std::int32_t pid : numbers_in("."))
    if (const std::string_view name = read(fmt::format("{}/comm", pid));
        !name.empty() && stage_.abilities().names &&
        comm_of(name.substr(0, name.size() - 1)) == Comm::too_long)
      return fmt::format("a process that is none of ours was in the namespace: {}",
                         name.substr(0, name.size() - 1));
  return {};
}

/// Who is not at rest, as /proc shows it, after a long wait. A tracee that takes a signal once its
/// call has returned, and before it has stored the answer, stops with it in a register: nothing
/// else that was begun and stopped is outside of a call.
std::string System::restless() const {
  Descriptor call;
  for (const Puppet& p : puppets_) {
    if (p.rest != Rest::none) continue;
    const std::string stat(read(fmt::format("{}/stat", p.tid.n)).substr(0, 60));
    const std::string in(read_call(call, p.tid));
    const auto glance = parse_glance(stat);
    const Slot& slot = stage_.slot(p.slot);
    const bool begun = p.calling && load(slot.taken) == load(slot.posted);
    if (begun && glance && is_halted(glance->state) && in.starts_with("-1 "))
      throw SystemLimit("who stopped before it had stored its answer cannot tell it");
    return fmt::format("rest of {} in {}, whose files say: {} / {}", p.tid.n,
                       p.calling ? name_of(p.op) : "user mode", stat, in);
  }
  return "rest";
}

}  // namespace forkproof::harness::kernel
