/// The engine `matrix`: clone with every combination of flags, some exit signals and the callers
/// that matter, each in a world of its own. The flags of namespaces but that of pids have a product
/// of their own, with NEWPID and the flags that they could collide with, but for NEWNET, which is
/// with those alone: such a namespace takes long to make.
///
/// A combination is one trace. The task that the caller makes acts, ends and is waited for; then
/// the caller makes another one, which is alive when everything is compared at the end. So the
/// answer counts, and also what was inherited, what is shared, who is told of the end, and who can
/// wait. Combinations are numbered, the flags counting fastest. PIDFD and DETACHED are no part of
/// it: each would double it, and what they do hangs on one another and on PARENT_SETTID alone; nor
/// are PTRACE, which hangs on who traces the caller, and UNTRACED, CHILD_SETTID and IO. The
/// litmus traces in pidfds/ and random ones are about them.
#pragma once
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "harness/campaign.hpp"

namespace forkproof::harness {

/// Who calls clone: a word for reports, what it is, and the lines of a trace that make it. It is
/// called `caller` there, or `init`.
struct Caller {
  std::string_view name, says, actor, lines;
};
std::span<const Caller> matrix_callers();
std::span<const ExitSignal> matrix_signals();
consteval CloneFlags flag_called(std::string_view name) {
  return {std::ranges::find(CloneKind::words, name, &Word::name)->value};
}
inline constexpr CloneFlags kOutsideMatrix =
    clone_flag::new_proxy | clone_flag::newtime | clone_flag::pidfd | clone_flag::detached |
    clone_flag::ptrace | flag_called("UNTRACED") | flag_called("CHILD_SETTID") | flag_called("IO");

/// The flags that are combined.
inline constexpr auto kMatrixFlags = [] {
  std::array<CloneFlags, CloneKind::words.size() - 12> flags{};
  std::size_t n = 0;
  for (const Word& w : CloneKind::words)
    if (!kOutsideMatrix.any({w.value})) flags[n++] = {w.value};
  return flags;
}();
inline constexpr std::uint64_t kFlagSets = std::uint64_t{1} << kMatrixFlags.size();
inline constexpr std::uint64_t kWithoutNets = 15 * 32;  // sets of kinds, and what they are with
inline constexpr std::uint64_t kNamespaceSets = kWithoutNets + 16;

/// How many there are: flags x signals x callers, and flags of namespaces x callers.
std::uint64_t matrix_size();

/// The trace of a combination.
Script combination(std::uint64_t number, Profile profile);

struct Matrix {
  std::span<const Profile> profiles;
  std::optional<std::uint64_t> only;  // this combination, and no other
};

/// Runs the combinations, and counts them in `Results::matrix`. Adds one case a caller and profile;
/// its violation is the first one there, made as small as it can be.
void run_matrix(Checker& checker, const Matrix& matrix, Results& results, const Watch& watch);

}  // namespace forkproof::harness
