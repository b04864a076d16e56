/// The ops as system calls: what a puppet is told to do, and what its answer means.
#pragma once
#include <optional>
#include <string_view>

#include "harness/linux/shared.hpp"
#include "spec/outcome.hpp"

namespace forkproof::harness::kernel {

/// What the world answers without asking the kernel: where an address space is not the kernel's,
/// but has as many pages as a trace may use, and for functions of the kernel, which a world without
/// kernel threads has not.
std::optional<Outcome> by_convention(const Op& op);

/// Why the op is none that puppets can be asked for; empty if they can.
std::string_view beyond_puppets(const Op& op);
/// Whether it sets or asks nice values, policies or priorities; or one of the latter two.
bool is_about_scheduling(const Op& op);
bool is_about_policies(const Op& op);
/// Whether it makes a pidfd, or asks something of one.
bool is_about_pidfds(const Op& op);
/// Whether it has the caller trace another.
bool begins_tracing(const Op& op);

/// Writes the op into the slot `index` of a puppet, all but the word that posts it. `child` is the
/// slot for the task that the op makes, if it makes one.
void write_call(const Op& op, Slot& slot, std::uint32_t index, std::uint32_t child);

/// The outcome that the answer in the slot is, after `op`.
Outcome outcome_of(const Op& op, const Slot& slot);

/// The number of the system call that a puppet sleeps in while `op` blocks; nothing for ops that
/// never do.
std::optional<std::uint64_t> sleeping_call(const Op& op);

/// Whether a system call is the one by which `op` goes on when a stop has broken it off.
bool goes_on_by_another(const Op& op, std::uint64_t number);

/// Whether nobody but the actor can be touched by the op, so that its answer is all there is to
/// wait for.
bool is_private(const Op& op);

/// The ops that are done in the folders of control groups.
template <class O>
inline constexpr bool is_about_cgroups =
    std::is_same_v<O, CgroupMake> || std::is_same_v<O, CgroupRemove> ||
    std::is_same_v<O, CgroupMove> || std::is_same_v<O, CgroupOf> || std::is_same_v<O, PidsMax> ||
    std::is_same_v<O, PidsCurrent> || std::is_same_v<O, CgroupFreeze> ||
    std::is_same_v<O, CgroupThaw>;

/// Whether the op asks for a new pid namespace.
bool makes_namespace(const Op& op);
/// Whether it asks for a new user namespace.
bool makes_user_namespace(const Op& op);
/// Whether it makes, enters, compares or names namespaces but those of pids.
bool is_about_other_namespaces(const Op& op);
/// Whether it makes a namespace whose end leaves the processor, in the midst of the end of the last
/// task in it.
bool ends_late(const Op& op);
/// What an init dies of that is ended by a reboot.
Signal death_by_reboot(RebootCommand command);

}  // namespace forkproof::harness::kernel
