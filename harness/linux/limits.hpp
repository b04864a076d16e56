/// Limits, users and capabilities of a trace as the running kernel has them.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "harness/linux/abilities.hpp"
#include "harness/linux/shared.hpp"
#include "spec/outcome.hpp"

namespace forkproof::harness::kernel {

/// What a trace's words stand for on this machine, and with this controller.
struct Rights {
  std::array<std::uint64_t, kResources.size()> hard{};  // what is unlimited to a trace
  std::uint64_t capabilities = 0;  // all that a puppet may have in effect
  std::uint32_t first_user = 0;    // root's successor: alice's number is one more

  std::uint32_t number_of(User user) const {
    return user == User::root ? 0 : first_user + static_cast<std::uint32_t>(user);
  }
  User user_of(std::uint32_t number) const {
    return static_cast<User>(number == 0 ? 0 : number - first_user);
  }
};

/// Takes down what a process has in effect, and gives it as much as can be had of each limit.
Rights take_rights(std::int32_t process, Abilities& abilities);

/// Of the capabilities in effect, those that a trace knows. Where nobody has SYS_RESOURCE another
/// one, which is of no use here, is dropped, handed on and had back in its place.
Capabilities capabilities_of(std::uint64_t effective, const Abilities& abilities);

/// Writes an op about limits, users or capabilities. False: it is none. Throws SystemLimit where it
/// cannot be asked here.
bool write_limit_call(const Op& op, Slot& slot, std::uint32_t index, const Rights& rights,
                      const Abilities& abilities);

/// Writes a call that leaves these capabilities permitted, and in effect.
void write_capset(Slot& slot, std::uint32_t index, std::uint64_t permitted,
                  std::uint64_t effective);

/// What getrlimit or getuid has answered in a slot; nothing after another op.
std::optional<Outcome> limit_or_user_in(const Slot& slot, const Op& op, const Rights& rights);

/// Why limits of the resource are not turned on a running kernel; empty if they are.
std::string_view beyond_limits(Resource resource);

}  // namespace forkproof::harness::kernel
