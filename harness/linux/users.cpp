/// Puppets in user namespaces below that of the trace: their maps, and what cannot be asked there.
#include <fmt/format.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "harness/linux/system.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

namespace {

/// The capabilities that are permitted to a task, by its /proc/PID/status; nothing if it is gone.
std::optional<std::uint64_t> permitted_in(std::string_view status) {
  constexpr std::string_view kName = "CapPrm:\t";
  const std::size_t at = status.find(kName);
  std::uint64_t permitted = 0;
  if (at == status.npos) return std::nullopt;
  const char* const digits = status.data() + at + kName.size();
  std::from_chars(digits, status.data() + status.size(), permitted, 16);
  return permitted;
}

/// Whether a text of /proc/PID/status says that no capability is permitted.
bool is_powerless(std::string_view status) { return permitted_in(status) == 0; }

constexpr std::string_view kFirstLine = "0 0 1\n";

/// The soft limit of queued signals in a text of /proc/PID/limits.
std::uint64_t signals_most(std::string_view limits) {
  constexpr std::string_view kName = "Max pending signals";
  std::size_t at = limits.find(kName);
  at = at == limits.npos ? at : limits.find_first_not_of(' ', at + kName.size());
  std::uint64_t most = RLIM_INFINITY;
  if (at != limits.npos) std::from_chars(limits.data() + at, limits.data() + limits.size(), most);
  return most;
}

}  // namespace

/// The puppet writes the files, as only what it may itself counts. The number of the task is the
/// one that the /proc has which puppets see.
Outcome System::map_ids(const Puppet& actor, const MapIds& op) {
  const std::int32_t whose = meant_by(actor, op.task.n);
  if (whose == 0 || read(fmt::format("{}/stat", whose)).empty())
    return Outcome::failure(Errno::noent);
  const int number = stage_.number_outside(whose);
  if (number <= 0) throw SystemLimit("of whom maps would be written cannot be told here");
  const bool everybody = op.whom == IdMap::everybody;
  if (everybody && !stage_.abilities().users) throw SystemLimit("users cannot be varied here");
  std::string users(kFirstLine);
  for (const User user : {User::alice, User::bob})
    if (everybody) users += fmt::format("{0} {0} 1\n", stage_.rights().number_of(user));
  const auto write = [&](std::string_view file, std::string_view text) {
    return stage_.write_file(actor.slot, fmt::format("/proc/{}/{}", number, file), text);
  };
  const std::int64_t answer = write("uid_map", users);
  if (answer == -EACCES) throw SystemLimit("the maps of a task are kept from who is not root here");
  if (answer < 0) return Outcome::failure(static_cast<Errno>(-answer));
  if (write("setgroups", "deny") < 0 || write("gid_map", kFirstLine) < 0)
    throw SystemFault("users could be mapped, and groups could not");
  return Outcome::success();
}

/// Whether the queued signals of a puppet count with those of the machine's root.
bool System::is_hosts_root(const Puppet& puppet) const {
  return view(puppet.tid).user == User::root && !is_below_users(puppet);
}

/// What root has queued on the machine is more than a trace knows, and would count for a limit that
/// is neither 0 nor infinite.
void System::refuse_hosts_queue(const Puppet& actor, const Op& op) const {
  const auto* const set = std::get_if<Setrlimit>(&op);
  const auto* const become = std::get_if<Setresuid>(&op);
  const bool sets = set != nullptr && set->resource == Resource::sigpending && set->soft.n != 0 &&
                    !set->soft.unlimited();
  const bool becomes = become != nullptr && become->user == User::root && !is_below_users(actor);
  const bool makes = makes_user_namespace(op) && !is_below_users(actor);
  bool refused = sets && std::ranges::any_of(puppets_, [&](const Puppet& p) {
    return p.tgid == actor.tgid && p.rest != Rest::gone && is_hosts_root(p);
  });
  if (becomes || makes) {
    const std::uint64_t most = signals_most(read(fmt::format("{}/limits", actor.tid.n)));
    refused = most != 0 && most != stage_.rights().hard[RLIMIT_SIGPENDING];
  }
  if (refused) throw SystemLimit("root has other signals queued than those of the trace");
}

Outcome System::count_queued(const Puppet& actor) const {
  if (is_hosts_root(actor))
    throw SystemLimit("root has other signals queued than those of the trace");
  const std::string_view status = read(fmt::format("{}/status", actor.tid.n));
  constexpr std::string_view kName = "SigQ:\t";
  const std::size_t at = status.find(kName);
  std::int64_t count = -1;
  if (at != status.npos)
    std::from_chars(status.data() + at + kName.size(), status.data() + status.size(), count);
  if (count < 0) throw SystemLimit("/proc does not tell how many signals are queued");
  return Outcome::number(count);
}

/// What the trace's world does not know of the machine's: how many other tasks root has, and what
/// cannot be seen of a task's memory.
void System::refuse_what_users_hide(const Puppet& actor, const Op& op) const {
  refuse_hosts_queue(actor, op);
  if (makes_user_namespace(op) && !stage_.abilities().raises)
    throw SystemLimit("what is in a user namespace below cannot be looked at here");
  if (makes_user_namespace(op)) {
    const int number = stage_.number_outside(actor.tid.n);
    rlimit limit{};
    if (::prlimit(number, RLIMIT_NPROC, nullptr, &limit) != 0) limit.rlim_cur = 0;
    if (limit.rlim_cur != stage_.rights().hard[RLIMIT_NPROC] && view(actor.tid).user != User::root)
      throw SystemLimit("root has other tasks than those of the trace");
  }
  const bool execs = executes(op);
  if (!execs && !std::holds_alternative<Setns>(op)) return;
  if (!is_powerless(read(fmt::format("{}/status", actor.tid.n)))) return;
  if (execs && view(actor.tid).user != User::root)
    throw SystemLimit("who has no capabilities might become, in effect, who he is in reality");
  if (!execs) throw SystemLimit("whether a program may be looked at cannot be told");
}

/// In a user namespace of its own a task may have more than root has here, and keeps it.
Rights System::rights_of(const Puppet& actor) const {
  Rights rights = stage_.rights();
  const auto own = permitted_in(read(fmt::format("{}/status", actor.tid.n)));
  if (own && *own != 0) rights.capabilities = *own;
  return rights;
}

/// Where nobody has CAP_SYS_RESOURCE, the kernel refuses what it would grant to who had it.
void System::refuse_missing_right(Pid task, const Op& op, const Outcome& said) const {
  const auto* const set = std::get_if<Setrlimit>(&op);
  const bool refused = set != nullptr ? said == Outcome::failure(Errno::perm)
                                      : creates(op) && said == Outcome::failure(Errno::again);
  if (stage_.abilities().resource || !refused) return;
  if (set != nullptr && set->resource == Resource::nofile && set->hard.n > kOpenFilesMost) return;
  const Capabilities has = view(task).capabilities;
  if (has.has(capability::sys_resource) && (set != nullptr || !has.has(capability::sys_admin)))
    throw SystemLimit("nobody has the capability here that lifts limits");
}

/// Whether a puppet is in another user namespace than that which the trace began in.
bool System::is_below_users(const Puppet& puppet) const {
  const auto identity = [](int at, const std::string& path) {
    struct stat file{};
    return ::fstatat(at, path.c_str(), &file, 0) == 0 ? file.st_ino : 0;
  };
  const ino_t own = identity(stage_.proc(), fmt::format("{}/ns/user", puppet.tid.n));
  return own != identity(AT_FDCWD, "/proc/self/ns/user");
}

/// What puppets execute is kept from all but who is strong where it was executed, or they would
/// dump core. Ordinary programs are not: whom a setns from below is about shows itself meanwhile.
const System::Puppet* System::make_lookable(const Puppet& actor, const Op& op) {
  const auto* const setns = std::get_if<Setns>(&op);
  if (setns == nullptr || !is_below_users(actor)) return nullptr;
  const Puppet* const target = find(Pid{meant_by(actor, setns->task.n)});
  const bool exists = target != nullptr || meant_by(actor, setns->task.n) != 0;
  if (!exists || (target != nullptr && target->tgid == actor.tgid)) return nullptr;
  if (target == nullptr)
    throw SystemLimit("the dead cannot show their program to a setns from below");
  if (target->rest != Rest::idle)
    throw SystemLimit("who is busy cannot show its program to a setns from below");
  stage_.call(target->slot, SYS_prctl, {PR_SET_DUMPABLE, 1});
  return target;
}

/// Has a puppet make a call that touches nobody else. Below, priorities rise by limits alone, which
/// have to be none at first.
std::int64_t System::carry_out(const Puppet& actor, const Op& op) {
  const Puppet* const shown = make_lookable(actor, op);
  stage_.post(actor.slot);
  const std::int64_t answer = stage_.await(actor.slot);
  if (shown != nullptr) stage_.call(shown->slot, SYS_prctl, {PR_SET_DUMPABLE, 0});
  if (shown == nullptr) doubt_after(actor, op, answer < 0);
  const auto& hard = stage_.rights().hard;
  const bool free = hard[RLIMIT_NICE] == RLIM_INFINITY && hard[RLIMIT_RTPRIO] == RLIM_INFINITY;
  const bool refused = answer == -EPERM || answer == -EACCES;
  if (refused && !free && is_about_scheduling(op) && is_below_users(actor))
    throw SystemLimit("limits of priorities cannot be as high as that here");
  return answer;
}

}  // namespace forkproof::harness::kernel
