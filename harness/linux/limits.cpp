/// Limits, users and capabilities of a trace as the running kernel has them.
#include "harness/linux/limits.hpp"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "harness/linux/stage.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

namespace {

constexpr std::uint64_t bit(int capability) { return std::uint64_t{1} << capability; }
constexpr std::uint64_t kStandIn = bit(CAP_WAKE_ALARM);  // for SYS_RESOURCE
static_assert(capability::sys_admin.bits == bit(CAP_SYS_ADMIN) &&
              capability::sys_resource.bits == bit(CAP_SYS_RESOURCE));

constexpr std::uint32_t kUsersAt = 0x50000000;  // no system gives numbers from here on to people

/// Whether capabilities are looked at by the machine itself: a user namespace's own are not.
bool is_in_first_user_namespace() {
  constexpr ino_t kFirst = 0xEFFFFFFD;  // PROC_USER_INIT_INO
  struct stat file{};
  return ::stat("/proc/self/ns/user", &file) == 0 && file.st_ino == kFirst;
}

std::uint64_t permitted_to(std::int32_t process) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = process};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return 0;
  return data[0].permitted | std::uint64_t{data[1].permitted} << 32;
}

/// By how much a limit is more than a trace says, so that puppets come to no harm.
std::uint64_t margin(Resource r) {
  switch (r) {
    case Resource::cpu: return std::uint64_t{1} << 30;
    case Resource::fsize:
    case Resource::rttime: return std::uint64_t{1} << 40;
    case Resource::stack: return std::uint64_t{1} << 33;
    case Resource::data:
    case Resource::as: return std::uint64_t{1} << 44;
    case Resource::nofile: return kFilesAt;
    default: return 0;
  }
}

std::uint64_t raw(Resource r, Limit limit, const Rights& rights) {
  const auto index = static_cast<std::size_t>(r);
  if (r == Resource::nofile && limit.n > kOpenFilesMost) return RLIM_INFINITY;
  if (limit.unlimited()) return rights.hard[index];
  const std::uint64_t n = limit.n + margin(r);
  if (r != Resource::nofile && n >= rights.hard[index])
    throw SystemLimit("limits cannot be as high as that here");
  return n;
}

Limit limit_of(Resource r, std::uint64_t n, const Rights& rights) {
  if (r == Resource::nofile) return n == RLIM_INFINITY ? kUnlimited : Limit{n - margin(r)};
  if (n == rights.hard[static_cast<std::size_t>(r)]) return kUnlimited;
  if (n < margin(r)) throw SystemLimit("an exec has cut a limit below what puppets need");
  return {n - margin(r)};
}

/// A puppet has use of the descriptors below those of a trace, and all its tables have eight.
void refuse_limit(const Setrlimit& op, const Abilities& abilities) {
  const auto fits = [](Limit l) { return l.n >= 1 && l.n <= kDescriptors; };
  const bool taken = op.soft <= op.hard && op.hard.n <= kOpenFilesMost;
  if (op.resource == Resource::nofile && taken && !fits(op.soft))
    throw SystemLimit("a table of a puppet has room for the descriptors of a trace and no others");
  if (op.resource == Resource::nproc && !abilities.users)
    throw SystemLimit("tasks cannot be counted by user here");
}

struct LimitPair {
  std::uint64_t soft, hard;
};

}  // namespace

Rights take_rights(std::int32_t process, Abilities& abilities) {
  Rights rights;
  rights.first_user = kUsersAt + static_cast<std::uint32_t>(::getpid()) * 4;
  rights.capabilities = permitted_to(process);
  const auto has = [&](std::uint64_t c) { return (rights.capabilities & c) == c; };
  const bool first = is_in_first_user_namespace();
  abilities.users = first && ::geteuid() == 0 && has(bit(CAP_SETUID) | bit(CAP_SYS_ADMIN));
  abilities.resource = first && has(bit(CAP_SYS_RESOURCE));
  abilities.capabilities = has(bit(CAP_SYS_ADMIN)) && has(kStandIn);
  for (const Word& word : kResources) {
    const auto r = static_cast<__rlimit_resource>(word.value);
    if (r == RLIMIT_CORE || r == RLIMIT_NOFILE) continue;
    rlimit now{};
    if (::prlimit(process, r, nullptr, &now) != 0) give_up("prlimit", errno);
    if (abilities.resource) now.rlim_max = RLIM_INFINITY;
    now.rlim_cur = now.rlim_max;
    if (::prlimit(process, r, &now, nullptr) != 0) give_up("prlimit", errno);
    rights.hard[word.value] = now.rlim_max;
  }
  return rights;
}

Capabilities capabilities_of(std::uint64_t effective, const Abilities& abilities) {
  const std::uint64_t resource = abilities.resource ? bit(CAP_SYS_RESOURCE) : kStandIn;
  Capabilities known{effective & capability::sys_admin.bits};
  if ((effective & resource) != 0) known = known | capability::sys_resource;
  return known;
}

void write_capset(Slot& slot, std::uint32_t index, std::uint64_t permitted,
                  std::uint64_t effective) {
  const __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::uint32_t data[] = {static_cast<std::uint32_t>(effective),
                                static_cast<std::uint32_t>(permitted), 0,
                                static_cast<std::uint32_t>(effective >> 32),
                                static_cast<std::uint32_t>(permitted >> 32), 0};
  std::memcpy(slot.area, &header, sizeof header);
  std::memcpy(slot.area + sizeof header, data, sizeof data);
  slot.action = Action::call;
  slot.number = SYS_capset;
  std::ranges::fill(slot.args, 0);
  slot.args[0] = area_at(index);
  slot.args[1] = area_at(index) + sizeof header;
}

bool write_limit_call(const Op& op, Slot& slot, std::uint32_t index, const Rights& rights,
                      const Abilities& abilities) {
  const auto call = [&](std::uint64_t number, std::initializer_list<std::uint64_t> args) {
    slot.action = Action::call;
    slot.number = number;
    std::ranges::fill(slot.args, 0);
    std::ranges::copy(args, slot.args);
    return true;
  };
  if (const auto* const set = std::get_if<Setrlimit>(&op)) {
    refuse_limit(*set, abilities);
    const LimitPair pair{raw(set->resource, set->soft, rights),
                         raw(set->resource, set->hard, rights)};
    std::memcpy(slot.area, &pair, sizeof pair);
    return call(SYS_prlimit64, {0, static_cast<std::uint64_t>(set->resource), area_at(index), 0});
  }
  if (const auto* const get = std::get_if<Getrlimit>(&op))
    return call(SYS_prlimit64, {0, static_cast<std::uint64_t>(get->resource), 0, area_at(index)});
  if (const auto* const become = std::get_if<Setresuid>(&op)) {
    if (!abilities.users) throw SystemLimit("users cannot be varied here");
    constexpr std::uint64_t kSame = UINT32_MAX;
    return call(SYS_setresuid, {rights.number_of(become->user), kSame, kSame});
  }
  const auto* const capset = std::get_if<Capset>(&op);
  if (capset == nullptr) return false;
  if (!abilities.capabilities) throw SystemLimit("capabilities cannot be varied here");
  std::uint64_t dropped = (capability::all - capset->effective).bits;
  if ((dropped & bit(CAP_SYS_RESOURCE)) != 0) dropped |= kStandIn;
  write_capset(slot, index, rights.capabilities, rights.capabilities & ~dropped);
  return true;
}

std::optional<Outcome> limit_or_user_in(const Slot& slot, const Op& op, const Rights& rights) {
  if (std::holds_alternative<Getuid>(op)) {
    if (slot.result == kOverflowUser) return Outcome::number(kOverflowUser);
    const User user = rights.user_of(static_cast<std::uint32_t>(slot.result));
    return Outcome::number(static_cast<std::int64_t>(user));
  }
  const auto* const get = std::get_if<Getrlimit>(&op);
  if (get == nullptr) return std::nullopt;
  if (slot.result < 0) return Outcome::failure(static_cast<Errno>(-slot.result));
  LimitPair pair{};
  std::memcpy(&pair, slot.area, sizeof pair);
  const std::uint64_t n = get->kind == LimitKind::soft ? pair.soft : pair.hard;
  return Outcome::number(static_cast<std::int64_t>(limit_of(get->resource, n, rights).n));
}

std::string_view beyond_limits(Resource resource) {
  return resource == Resource::core ? "a limit of cores would have cores written" : "";
}

}  // namespace forkproof::harness::kernel
