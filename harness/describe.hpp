/// Observations in the words of the trace language, for reports. Numbers become the names that a
/// trace gave them.
#pragma once
#include <span>
#include <string>

#include "harness/violation.hpp"
#include "spec/outcome.hpp"
#include "spec/rules.hpp"

namespace forkproof::harness {

/// Who is who: the numbers that the names of a trace got.
struct Cast {
  std::span<const Pid> numbers;
  std::span<const std::string> names;  // one without a name has its canonical one
};

std::string describe(Pid p, const Cast& cast);
std::string describe(const Outcome& outcome, const Cast& cast);
std::string describe(std::span<const Returned> returned, const Cast& cast);
std::string describe(std::span<const PageView> pages);
std::string describe(std::span<const Pid> tasks);
std::string describe(const Expectation& expectation, const Cast& cast);
std::string describe_field(const TaskView& view, std::size_t field);

/// The first field in which two views differ: its index, and its value in each as `field value`.
struct Difference {
  std::size_t field;
  std::string seen, said;
};
Difference first_difference(const TaskView& seen, const TaskView& said);

/// Which of the rules that acted in a step is about a field.
RuleId rule_of_field(std::size_t field, std::span<const RuleId> fired, RuleId otherwise);

/// A violation of the invariant `id`, with its sentence and source.
Violation invariant_violation(std::string_view id);

}  // namespace forkproof::harness
