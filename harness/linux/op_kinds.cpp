/// What of an op matters to who has puppets do it.
#include "harness/linux/op_kinds.hpp"

#include <sys/syscall.h>

#include <tuple>

#include "harness/linux/limits.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness::kernel {

namespace {

/// The flags of what makes a task or unshares.
CloneFlags makers_flags_of(const Op& op) {
  const auto* const unshare = std::get_if<Unshare>(&op);
  return unshare != nullptr ? unshare->flags : clone_flags_of(op);
}

}  // namespace

bool executes(const Op& op) {
  return std::holds_alternative<Exec>(op) || std::holds_alternative<ExecFails>(op);
}

std::string_view beyond_puppets(const Op& op) {
  const auto* const exec = std::get_if<ExecFails>(&op);
  if (exec != nullptr && exec->step != ExecStep::load_binary)
    return "no memory can be kept from an exec";
  if (const auto* const set = std::get_if<Setrlimit>(&op)) return beyond_limits(set->resource);
  if (const auto* const get = std::get_if<Getrlimit>(&op)) return beyond_limits(get->resource);
  return std::visit([]<class O>(const O&) { return kNeverByPuppets<O>; }, op);
}

bool begins_tracing(const Op& op) {
  return std::holds_alternative<PtraceAttach>(op) || std::holds_alternative<PtraceSeize>(op);
}

bool is_about_policies(const Op& op) {
  return std::holds_alternative<SchedSetscheduler>(op) ||
         std::holds_alternative<SchedGetscheduler>(op);
}

bool is_about_scheduling(const Op& op) {
  return is_about_policies(op) || std::holds_alternative<Setpriority>(op) ||
         std::holds_alternative<Getpriority>(op);
}

std::optional<std::uint64_t> sleeping_call(const Op& op) {
  if (std::holds_alternative<Wait4>(op)) return SYS_wait4;
  if (std::holds_alternative<Waitid>(op)) return SYS_waitid;
  if (std::holds_alternative<Pause>(op)) return SYS_pause;
  if (std::holds_alternative<Poll>(op)) return SYS_poll;
  if (executes(op)) return SYS_execveat;
  if (sleeps_for_child(op)) return std::holds_alternative<Clone3>(op) ? SYS_clone3 : SYS_clone;
  return std::nullopt;
}

bool is_about_pidfds(const Op& op) {
  const auto* const waitid = std::get_if<Waitid>(&op);
  return clone_flags_of(op).has(clone_flag::pidfd) || std::holds_alternative<PidfdOpen>(op) ||
         std::holds_alternative<PidfdSendSignal>(op) || std::holds_alternative<Poll>(op) ||
         (waitid != nullptr && waitid->selector.kind == IdSelector::Kind::pidfd);
}

bool makes_namespace(const Op& op) { return makers_flags_of(op).has(clone_flag::newpid); }

bool makes_user_namespace(const Op& op) { return makers_flags_of(op).has(clone_flag::newuser); }

bool is_about_other_namespaces(const Op& op) {
  constexpr CloneFlags kKinds = clone_flag::new_proxy | clone_flag::newtime;
  const auto* const clone = std::get_if<Clone>(&op);
  const auto* const unshare = std::get_if<Unshare>(&op);
  return (clone != nullptr && clone->flags.any(clone_flag::new_proxy)) ||
         (unshare != nullptr && unshare->flags.any(kKinds)) ||
         std::holds_alternative<Setns>(op) || std::holds_alternative<SameNs>(op) ||
         std::holds_alternative<Sethostname>(op) || std::holds_alternative<Gethostname>(op);
}

bool ends_late(const Op& op) {
  return makers_flags_of(op).any(clone_flag::newns | clone_flag::newipc | clone_flag::newnet);
}

bool makes_what_goes_late(const Op& op) {
  constexpr CloneFlags kLate = clone_flag::newuser | clone_flag::newpid | clone_flag::newnet;
  const CloneFlags flags = makers_flags_of(op);
  return flags.any(kLate) && !flags.has(clone_flag::into_cgroup);
}

bool shares_memory(const Op& op) {
  return std::holds_alternative<Vfork>(op) || clone_flags_of(op).has(clone_flag::vm);
}

Signal death_by_reboot(RebootCommand command) {
  const bool restarts = command == RebootCommand::restart || command == RebootCommand::restart2;
  return restarts ? sig::hup : sig::int_;
}

bool goes_on_by_another(const Op& op, std::uint64_t number) {
  return std::holds_alternative<Poll>(op) && number == SYS_restart_syscall;
}

bool is_private(const Op& op) {
  if (const auto* const poll = std::get_if<Poll>(&op)) return poll->timeout == Timeout::zero;
  return std::visit(
      []<class O>(const O&) {
        constexpr auto among = []<class... Private>(std::tuple<Private...>*) {
          return (std::is_same_v<O, Private> || ...);
        };
        using Private = std::tuple<Sigaction, Getpid, Gettid, Getppid, Getpgid, Getsid, Setpgid,
                                   Setsid, PrctlSubreaper, PrctlPdeathsig, Mmap, Munmap, Madvise,
                                   Read, Write, Open, Close, Dup, FcntlSetfd, Lseek, Umask,
                                   Chdir, Getcwd, Unshare, PrctlName, Setpriority, Getpriority,
                                   SchedSetscheduler, SchedGetscheduler, Sigaltstack, Setrlimit,
                                   Getrlimit, Setresuid, Capset, Getrusage, Fault, Setns,
                                   Sethostname, Gethostname, PidfdOpen, Getuid, Caught,
                                   Personality, SetPidMax, SetPidCursor>;
        return is_about_cgroups<O> || among(static_cast<Private*>(nullptr));
      },
      op);
}

}  // namespace forkproof::harness::kernel
