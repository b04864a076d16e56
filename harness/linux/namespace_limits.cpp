/// Limits on namespaces, in the user namespaces of a trace: the machine's own stay as they are.
#include <fmt/format.h>

#include <time.h>

#include <cerrno>

#include "harness/linux/system.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

namespace {

std::string file_of(NsKind kind) {
  return fmt::format("/proc/sys/user/max_{}_namespaces",
                     *name_of(kNamespaceKinds, static_cast<std::uint64_t>(kind)));
}

constexpr std::string_view kNotOurs = "limits on the namespaces of the machine are not the trace's";

}  // namespace

/// Who dropped one capability here dropped two, as root itself has not the one that is meant.
Outcome System::turn_knob(const Puppet& actor, const MaxNamespaces& op) {
  constexpr std::uint64_t kSysResource = capability::sys_resource.bits;
  if (!is_below_users(actor)) throw SystemLimit(std::string(kNotOurs));
  doubt_after(actor, op, false);
  const std::int64_t answer =
      stage_.write_file(actor.slot, file_of(op.kind), std::to_string(op.most));
  if (answer == -EACCES && view(actor.tid).capabilities.has(capability::sys_resource)) {
    const auto status = parse_status(read(fmt::format("{}/status", actor.tid.n)));
    if (status && (status->capabilities & kSysResource) == 0)
      throw SystemLimit("nobody gets the capability back here that limits on namespaces take");
  }
  limited_ = limited_ || answer == 0;
  return answer < 0 ? Outcome::failure(static_cast<Errno>(-answer)) : Outcome::success();
}

Outcome System::turn_knob(const Puppet& actor, const GetMaxNamespaces& op) {
  if (!is_below_users(actor)) throw SystemLimit(std::string(kNotOurs));
  doubt_after(actor, op, false);
  const std::int64_t answer = stage_.read_number(actor.slot, file_of(op.kind));
  return answer < 0 ? Outcome::failure(static_cast<Errno>(-answer)) : Outcome::number(answer);
}

/// Whether an answer is that there are enough namespaces of a kind that goes late.
bool System::is_late(const Op& op, const Outcome& said) {
  return said == Outcome::failure(Errno::nospc) && makes_what_goes_late(op);
}

/// Whether to ask once more, having waited a little: what has ended is freed after a grace period,
/// or by a worker of the kernel.
bool System::waits_for_late(const Op& op, const Outcome& said, Moment since) {
  constexpr timespec kLittle{.tv_sec = 0, .tv_nsec = 5'000'000};
  if (!limited_ || !is_late(op, said)) return false;
  waited_ = patience_.count() > 0 && std::chrono::steady_clock::now() - since >= patience_;
  if (waited_ || patience_.count() == 0) return false;
  ::nanosleep(&kLittle, nullptr);
  return true;
}

}  // namespace forkproof::harness::kernel
