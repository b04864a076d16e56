/// Ops as the generator sees them: by names that are looked up when this is compiled, and by what
/// they do to how many tasks there are and who can act.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "spec/derive.hpp"

namespace forkproof::harness {

/// An op by its name; one that does not exist does not compile.
struct Named {
  std::size_t index;
  consteval Named(const char* name) : index(*op_index(name)) {}
};

/// On which hangs how often an op is wanted in a state of the world.
enum class Role : std::uint8_t { any, makes, ends, sleeps, traces, executes, adopts, limits };
inline constexpr auto kRoles = [] {
  std::array<Role, kOps> roles{};
  for (std::size_t i = 0; i < kOps; ++i) {
    if (kOpNames[i].starts_with("ptrace_")) roles[i] = Role::traces;
    if (kOpsThat<CreatesTaskTrait>[i]) roles[i] = Role::makes;
  }
  for (const Named op : {Named("exit"), Named("exit_group"), Named("exec_fails")})
    roles[op.index] = Role::ends;
  roles[Named("pause").index] = Role::sleeps;
  roles[Named("exec").index] = Role::executes;
  roles[Named("prctl_subreaper").index] = Role::adopts;
  for (const Named op : {Named("max_namespaces"), Named("get_max_namespaces")})
    roles[op.index] = Role::limits;
  return roles;
}();

/// The flags that make a thread.
inline constexpr CloneFlags kThread = clone_flag::vm | clone_flag::sighand | clone_flag::thread;

}  // namespace forkproof::harness
