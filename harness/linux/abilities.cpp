/// What the kernel at hand offers to the adapter.
#include "harness/linux/abilities.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

namespace {

bool exists(const char* path) { return ::access(path, F_OK) == 0; }

bool is_alone() {
  const char* const word = std::getenv("FORKPROOF_ALONE");
  return word != nullptr && std::string_view(word) == "1";
}

std::string release() {
  utsname name{};
  if (::uname(&name) != 0) throw SystemFault(fmt::format("uname: {}", std::strerror(errno)));
  return name.release;
}

bool is_since(int wanted_major, int wanted_minor) {
  int major = 0, minor = 0;
  const bool read = std::sscanf(release().c_str(), "%d.%d", &major, &minor) == 2;
  return read && (major > wanted_major || (major == wanted_major && minor >= wanted_minor));
}

/// Systems that harden themselves refuse it to some or to all.
bool can_make_user_namespace() {
  if (!exists("/proc/self/setgroups")) return false;
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWUSER) == 0 ? 0 : 1);
  int status = -1;
  return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}

PidMax probe_pid_max() {
  if (!exists("/proc/sys/kernel/pid_max")) return PidMax::missing;
  if (is_since(6, 14)) return PidMax::of_namespace;
  if (::access("/proc/sys/kernel/pid_max", W_OK) != 0) return PidMax::missing;
  if (is_alone()) return PidMax::of_machine;
  throw SystemFault(
      fmt::format("Linux {} has no pid_max of a namespace's own; 6.14 has (on a machine that does "
                  "nothing else, root may set FORKPROOF_ALONE=1)",
                  release()));
}

}  // namespace

Abilities probe_abilities() {
  Abilities a;
  a.pid_max = probe_pid_max();
  a.cursor = exists("/proc/sys/kernel/ns_last_pid");
  a.call_numbers = exists("/proc/self/syscall");
  for (const char* const kind : {"mnt", "uts", "ipc", "net", "cgroup", "time"})
    a.kinds = a.kinds && exists((std::string("/proc/self/ns/") + kind).c_str());
  a.user_namespaces = can_make_user_namespace();
  a.clone3 = is_since(5, 5) && ::syscall(SYS_clone3, nullptr, 0) < 0 && errno == EINVAL;
  a.pidfds = is_since(6, 15);
  a.privileges = is_since(6, 16);
  a.hidden_proc = ::syscall(SYS_fsopen, nullptr, 0) >= 0 || errno != ENOSYS;
  return a;
}

std::string describe(const Abilities& a) {
  std::string text;
  const auto note = [&](bool missing, std::string_view what) {
    if (missing) text += (text.empty() ? "" : "; ") + std::string(what);
  };
  note(a.pid_max == PidMax::of_machine, "pid_max is the whole machine's, which is ours alone");
  note(a.pid_max == PidMax::missing, "pid_max cannot be varied");
  note(!a.cursor, "the pid cursor cannot be varied");
  note(!a.call_numbers, "what blocks is told by states only, so that verdicts are provisional");
  note(!a.hidden_proc, "/proc of a namespace is mounted for a moment");
  note(!a.flags, "flags are not shown");
  note(!a.privileges, "who has used capabilities is not shown");
  note(!a.exit_codes, "exit codes of zombies are not shown");
  note(!a.signals, "sets of signals are not shown");
  note(!a.randomizes, "whether memory is laid out at random is not shown, nor varied");
  note(!a.names, "names of tasks are not shown");
  note(!a.policies, "policies and nice values are not shown, nor varied");
  note(!a.raises, "priorities cannot be raised");
  note(!a.wait_channels, "who is frozen is not shown");
  note(!a.namespaces, "numbers in pid namespaces below the trace's are not shown");
  note(!a.users, "users are not varied, nor limits of their tasks");
  note(!a.resource, "no hard limit can be raised");
  note(!a.capabilities, "capabilities are not shown, nor varied");
  note(!a.user_namespaces, "user namespaces cannot be made");
  note(!a.kinds, "namespaces but those of pids cannot be made, or are not shown");
  note(!a.clone3, "clone3 with numbers to ask for is missing");
  note(!a.pidfds, "pidfds are not what they are since 6.15");
  note(!a.real_time, "puppets are no real-time tasks, so those woken together run in any order");
  return text;
}

}  // namespace forkproof::harness::kernel
