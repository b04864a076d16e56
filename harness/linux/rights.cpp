/// The right to make namespaces: root's, or anybody's in a user namespace of his own.
#include "harness/linux/rights.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "harness/linux/descriptor.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

namespace {

bool may_make_namespaces() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  if (::syscall(SYS_capget, &header, data) != 0) return false;
  return (data[0].effective >> CAP_SYS_ADMIN & 1U) != 0;
}

/// Each of these files takes one write.
void write_map(const char* path, const std::string& text) {
  const Descriptor file(::open(path, O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0)
    throw SystemFault(fmt::format("{}: {}", path, std::strerror(errno)));
}

}  // namespace

void gain_rights() {
  if (may_make_namespaces()) return;
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  // The mounts are ours as well, else no /proc could be made.
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
    throw SystemFault(fmt::format(
        "no user namespace can be made here, which all but root need: {}", std::strerror(errno)));
  write_map("/proc/self/setgroups", "deny");  // else nobody but root may map groups
  write_map("/proc/self/uid_map", fmt::format("0 {} 1", user));
  write_map("/proc/self/gid_map", fmt::format("0 {} 1", group));
}

}  // namespace forkproof::harness::kernel
