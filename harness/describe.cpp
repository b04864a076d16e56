/// How observations and differences read in a report.
#include "harness/describe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "spec/derive.hpp"
#include "spec/invariants.hpp"
#include "spec/text.hpp"

namespace forkproof::harness {

namespace {

/// The name that has this number now: the last one that got it.
TaskRef named(Pid p, const Cast& cast) {
  for (std::size_t i = cast.numbers.size(); i-- > 0;)
    if (cast.numbers[i] == p) return TaskRef::name(static_cast<std::int32_t>(i));
  return TaskRef::number(p);
}

}  // namespace

std::string describe(Pid p, const Cast& cast) {
  const TaskRef ref = named(p, cast);
  return ref.named ? to_text(ref, cast.names) : fmt::format("pid {}", p.n);
}

std::string describe(const Outcome& outcome, const Cast& cast) {
  Outcome o = outcome;
  if (!o.who.named) o.who = named(o.who.pid(), cast);
  if (o.kind == Outcome::Kind::nothing) return "nothing";
  if (o.kind == Outcome::Kind::blocks && outcome.who.n != 0)
    return fmt::format("{}, and blocks", describe(outcome.who.pid(), cast));
  return to_text(o, cast.names, o.kind == Outcome::Kind::task);
}

std::string describe(std::span<const Returned> returned, const Cast& cast) {
  if (returned.empty()) return "no call returns";
  std::vector<std::string> lines;
  for (const Returned& r : returned)
    lines.push_back(fmt::format("{} => {}", describe(r.task, cast), describe(r.outcome, cast)));
  std::ranges::sort(lines);
  return fmt::format("{}", fmt::join(lines, ", "));
}

std::string describe(std::span<const PageView> pages) {
  if (pages.empty()) return "no pages";
  std::vector<std::string> words;
  for (const PageView& p : pages)
    words.push_back(fmt::format("page {} {} {}", p.page,
                                p.mapping == Mapping::shared ? "shared" : "private", p.value));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string describe(std::span<const Pid> tasks) {
  std::vector<std::int32_t> numbers;
  for (const Pid p : tasks) numbers.push_back(p.n);
  return fmt::format("{}", fmt::join(numbers, " "));
}

std::string describe(const Expectation& expectation, const Cast& cast) {
  return fmt::format("{} {}", field_name(expectation.field), to_text(expectation, cast.names));
}

std::string describe_field(const TaskView& view, std::size_t field) {
  return fmt::format("{} {}", field_name(field), to_text(expectation_of({}, field, view), {}));
}

Difference first_difference(const TaskView& seen, const TaskView& said) {
  std::size_t first = 0;
  bool found = false;
  for_each_field([&](std::size_t i, const auto& field) {
    if (found || seen.*(field.at) == said.*(field.at)) return;
    found = true;
    first = i;
  });
  return {first, describe_field(seen, first), describe_field(said, first)};
}

namespace {

/// Which rules a field is about, by the beginning of their names.
struct Topic {
  std::string_view field, prefix;
};
constexpr Topic kTopics[] = {
    {"ppid", "reaper."},
    {"ppid", "fork.parent"},
    {"pid", "pid."},
    {"pgid", "group."},
    {"sid", "session."},
    {"exit_signal", "reaper.exit"},
    {"exit_signal", "exec.exit"},
    {"exit_code", "exit.status"},
    {"state", "stop."},
    {"state", "exit."},
    {"flags", "exec.forknoexec"},
    {"flags", "exit.exiting"},
    {"pending", "signal."},
    {"shared_pending", "signal."},
    {"blocked", "signal.mask"},
    {"blocked", "fork.blocked"},
    {"threads", "exit.thread"},
    {"ignored", "exec.ignored"},
    {"caught", "exec.caught"},
    {"ignored", "signal.sigaction"},
    {"comm", "comm."},
    {"nice", "sched.reset"},
    {"nice", "nice."},
    {"policy", "sched."},
    {"rt_priority", "sched."},
    {"flags", "nproc."},
    {"flags", "superpriv."},
    {"user", "user."},
    {"capabilities", "capability."},
    {"tracer", "ptrace."},
};

}  // namespace

RuleId rule_of_field(std::size_t field, std::span<const RuleId> fired, RuleId otherwise) {
  for (const Topic& topic : kTopics) {
    if (topic.field != field_name(field)) continue;
    const auto about = [&](RuleId r) { return r.rule().id.starts_with(topic.prefix); };
    const auto at = std::ranges::find_if(fired, about);
    if (at != fired.end()) return *at;
  }
  return otherwise;
}

Violation invariant_violation(std::string_view id) {
  Violation v;
  v.kind = Violation::Kind::invariant;
  v.id = id;
  v.allowed = "it holds in every reachable world";
  const auto take = [&]<class I>() {
    if (I::id != id) return;
    v.says = I::says;
    v.source = I::source;
  };
  spec::for_each_invariant(take);
  spec::for_each_world_invariant(take);
  return v;
}

}  // namespace forkproof::harness
