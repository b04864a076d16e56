/// What kind of op it is: whether puppets can do it, what they sleep in meanwhile, and whom it is
/// about.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "spec/ops.hpp"

namespace forkproof::harness::kernel {

/// Why puppets can be asked for no op of that kind; empty if they can.
template <class O>
inline constexpr std::string_view kNeverByPuppets = "";
template <>
inline constexpr std::string_view kNeverByPuppets<SchedSetattr> =
    "no puppet has a deadline: all share one";
template <>
inline constexpr std::string_view kNeverByPuppets<SchedSetaffinity> =
    "where puppets run cannot be varied: all share one";
template <>
inline constexpr std::string_view kNeverByPuppets<SchedGetaffinity> =
    kNeverByPuppets<SchedSetaffinity>;
template <>
inline constexpr std::string_view kNeverByPuppets<Spend> = "processor time is not the same twice";
template <>
inline constexpr std::string_view kNeverByPuppets<Times> = kNeverByPuppets<Spend>;
template <>
inline constexpr std::string_view kNeverByPuppets<Recurse> = "no program uses a kernel stack up";
template <class O>
using NeverByPuppetsTrait = std::bool_constant<!kNeverByPuppets<O>.empty()>;

/// Why the op is none that puppets can be asked for; empty if they can.
std::string_view beyond_puppets(const Op& op);

/// Whether it is an exec, be it to fail.
bool executes(const Op& op);
/// Whether it sets or asks nice values, policies or priorities; or one of the latter two.
bool is_about_scheduling(const Op& op);
bool is_about_policies(const Op& op);
/// Whether it makes a pidfd, or asks something of one.
bool is_about_pidfds(const Op& op);
/// Whether it has the caller trace another.
bool begins_tracing(const Op& op);

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
/// Whether it makes a namespace of a kind that the kernel frees some time after its end; and may be
/// asked for again.
bool makes_what_goes_late(const Op& op);
/// Whether it makes a task that has memory in common with its maker.
bool shares_memory(const Op& op);
/// What an init dies of that is ended by a reboot.
Signal death_by_reboot(RebootCommand command);

}  // namespace forkproof::harness::kernel
