/// Who is marked as a user of capabilities (PF_SUPERPRIV): what the adapter does without marking
/// the tasks of a trace, and whom it has marked all the same, of whom the mark says nothing.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "harness/linux/limits.hpp"
#include "harness/linux/system.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

// --- the stage -----------------------------------------------------------------------------------

/// Makes the /proc of the namespace from outside, which can be done since 6.18: its init, which
/// then need not, would have used capabilities by it.
void Stage::make_proc() {
  const Descriptor made(static_cast<int>(::syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC)));
  const auto configure = [&](unsigned command, const char* key, int value) {
    return ::syscall(SYS_fsconfig, made.get(), command, key, nullptr, value) == 0;
  };
  if (made && configure(FSCONFIG_SET_FD, "pidns", namespace_.get()) &&
      configure(FSCONFIG_CMD_CREATE, nullptr, 0))
    proc_ = Descriptor(static_cast<int>(::syscall(SYS_fsmount, made.get(), FSMOUNT_CLOEXEC, 0)));
}

/// Has init begin, and make a /proc where there is none yet. Answers a descriptor of init's, or
/// none where it is one of ours.
std::int64_t Stage::show_proc() {
  make_proc();
  marked_ = !proc_;
  slot(0).action = Action::begin;
  slot(0).args[0] = marked_ ? 1 : 0;
  post(0);
  const std::int64_t mount = await(0);
  if (!marked_ || abilities_.hidden_proc || mount != -ENOSYS) return mount;
  char folder[] = "/tmp/forkproof-proc-XXXXXX";
  if (::mkdtemp(folder) == nullptr) give_up("a folder to mount /proc in", errno);
  Slot& init = slot(0);
  std::memcpy(init.area, folder, sizeof folder);
  constexpr std::size_t kBehind = 64;
  std::memcpy(init.area + kBehind, "proc", 5);
  const std::uint64_t type = area_at(0) + kBehind;
  const std::int64_t answer = call(0, SYS_mount, {type, area_at(0), type, 0, 0});
  if (answer == 0) {
    proc_ = Descriptor(::open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ::umount2(folder, MNT_DETACH);
  }
  ::rmdir(folder);
  return answer;
}

/// As write_file, by init, for a file that root may write without capabilities: they are put aside
/// meanwhile.
std::int64_t Stage::write_file_unmarked(std::string_view path, std::string_view text) {
  const auto have = [&](std::uint64_t effective) {
    write_capset(slot(0), 0, rights_.capabilities, effective);
    post(0);
    if (const std::int64_t answer = await(0); answer < 0)
      give_up("init cannot put its capabilities aside", static_cast<int>(-answer));
  };
  have(rights_.capabilities & ~(std::uint64_t{1} << CAP_SYS_ADMIN));
  const std::int64_t answer = write_file(0, path, text);
  have(rights_.capabilities);
  return answer;
}

// --- the system ----------------------------------------------------------------------------------

/// From now on whether the task has used capabilities says nothing of the trace.
void System::doubt(Pid task) {
  if (!is_doubted(task)) doubted_.push_back(task);
}

/// A new task under the number has used none.
void System::trust(Pid task) { std::erase(doubted_, task); }

/// A task takes the number of another, which is gone.
void System::hand_on_doubt(Pid from, Pid to) {
  trust(to);
  if (is_doubted(from)) doubt(to);
}

bool System::is_doubted(Pid task) const {
  return !stage_.abilities().privileges || std::ranges::find(doubted_, task) != doubted_.end();
}

/// Of what an op asks the kernel that it would not ask of a trace's own: limits of priorities are
/// none in a trace and some here, no puppet is dumpable unless it is shown, and SYS_RESOURCE may be
/// another capability.
void System::doubt_after(const Puppet& actor, const Op& op, bool failed) {
  const bool about_limits =
      std::holds_alternative<MaxNamespaces>(op) || std::holds_alternative<GetMaxNamespaces>(op);
  const bool looks = begins_tracing(op) || (failed && std::holds_alternative<Setns>(op));
  bool differs = is_about_scheduling(op) && !stage_.abilities().resource;
  if (about_limits) {
    const auto status = parse_status(read(fmt::format("{}/status", actor.tid.n)));
    const Capabilities told = view(actor.tid).capabilities & capability::sys_resource;
    differs = !status || told.bits != (status->capabilities & capability::sys_resource.bits);
  }
  if (looks || differs) doubt(actor.tid);
  if (executes(op) && is_doubted(actor.tid)) doubt(actor.tgid);  // whose number it is to have
}

}  // namespace forkproof::harness::kernel
