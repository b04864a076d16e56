/// The rule book: every clause of the spec, each declared once. The model names the rule at the
/// place where it acts, which counts its coverage and lets a violation say what was broken.
#pragma once
#include <cstddef>
#include <cstdint>

#include "spec/rules/attributes.hpp"
#include "spec/rules/call.hpp"
#include "spec/rules/cgroups.hpp"
#include "spec/rules/creation.hpp"
#include "spec/rules/ending.hpp"
#include "spec/rules/files.hpp"
#include "spec/rules/groups.hpp"
#include "spec/rules/limits.hpp"
#include "spec/rules/kthreads.hpp"
#include "spec/rules/memory.hpp"
#include "spec/rules/namespace_limits.hpp"
#include "spec/rules/namespaces.hpp"
#include "spec/rules/pid_namespaces.hpp"
#include "spec/rules/pidfds.hpp"
#include "spec/rules/privileges.hpp"
#include "spec/rules/ptrace.hpp"
#include "spec/rules/queue.hpp"
#include "spec/rules/signals.hpp"
#include "spec/rules/stack.hpp"
#include "spec/rules/user_namespaces.hpp"
#include "spec/rules/waiting.hpp"

namespace forkproof {

template <std::size_t... N>
consteval auto join_rules(const std::array<Rule, N>&... parts) {
  std::array<Rule, (N + ...)> all{};
  std::size_t at = 0;
  const auto append = [&](const auto& part) {
    for (const Rule& rule : part) all[at++] = rule;
  };
  (append(parts), ...);
  return all;
}

/// All rules, in the order of the rule book.
inline constexpr auto kRules = join_rules(kCallRules, kCreationRules, kEndingRules, kWaitingRules,
                                          kSignalRules, kGroupRules, kMemoryRules, kFileRules,
                                          kAttributeRules, kPidNamespaceRules,
                                          kLimitRules, kKthreadRules, kNamespaceRules,
                                          kPidfdRules, kCgroupRules, kPtraceRules,
                                          kUserNamespaceRules, kAccountRules, kExecFailureRules,
                                          kNamespaceLimitRules, kPrivilegeRules, kStackRules);

/// A rule by its place in `kRules`.
struct RuleId {
  std::uint16_t n = 0;
  constexpr const Rule& rule() const { return kRules[n]; }
  friend constexpr bool operator==(RuleId, RuleId) = default;
};

/// The rule that is called `id`, or `kRules.size()` when there is none.
constexpr std::size_t index_of_rule(std::string_view id) {
  std::size_t n = 0;
  while (n < kRules.size() && kRules[n].id != id) ++n;
  return n;
}

/// The text of a literal, so that it can be the argument of a template.
template <std::size_t N>
struct LiteralText {
  char text[N] = {};
  consteval LiteralText(const char (&literal)[N]) {  // implicit, as a literal operator needs it
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
  constexpr std::string_view view() const { return {text, N - 1}; }
};

/// `"wait.no-child"_rule`; a name that is not in the book does not compile.
template <LiteralText Id>
consteval RuleId operator""_rule() {
  constexpr std::size_t n = index_of_rule(Id.view());
  static_assert(n < kRules.size(), "no rule has this name: see spec/rules/");
  return {static_cast<std::uint16_t>(n)};
}

}  // namespace forkproof
