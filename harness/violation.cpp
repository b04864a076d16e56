/// The report of a violation.
#include "harness/violation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "spec/text.hpp"

namespace forkproof::harness {

std::string_view word(Violation::Kind kind) {
  switch (kind) {
    case Violation::Kind::outcome:
      return "outcome";
    case Violation::Kind::returned:
      return "returned calls";
    case Violation::Kind::state:
      return "visible state";
    case Violation::Kind::memory:
      return "memory";
    case Violation::Kind::invariant:
      return "invariant";
    case Violation::Kind::unsound:
      return "representation";
    case Violation::Kind::expectation:
      return "expectation";
    case Violation::Kind::unknown:
      return "unknown";
    case Violation::Kind::beyond:
      return "beyond the system";
  }
  return {};
}

Violation unknown(std::string why, std::size_t step, Script trace) {
  return {.kind = Violation::Kind::unknown,
          .step = step,
          .id = "unknown",
          .says = "What the system did cannot be told, so nothing is known of it.",
          .source = "the harness",
          .observed = std::move(why),
          .allowed = "a verdict",
          .in_play = {},
          .trace = std::move(trace)};
}

Violation beyond(std::string what, std::size_t step, Script trace) {
  Violation v = unknown(std::move(what), step, std::move(trace));
  v.kind = Violation::Kind::beyond;
  v.id = "beyond";
  v.says = "The system has not what the trace needs.";
  return v;
}

namespace {

/// The lines of `text`, each after `margin`.
std::string indented(std::string_view text, std::string_view margin) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) out += margin;
    out += text.substr(0, end);
    out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string report(const Violation& v, std::string_view reproduce) {
  const bool by_trace = v.kind == Violation::Kind::expectation;
  std::string text =
      v.kind == Violation::Kind::unknown ? "UNKNOWN\n"
      : by_trace
          ? fmt::format("VIOLATION of what the trace expects; system and spec agree, by {}\n", v.id)
          : fmt::format("VIOLATION of {} ({})\n", v.id, word(v.kind));
  text += fmt::format("  {}\n  source: {}\n\n", v.says, v.source);
  const bool at_step = v.step < v.trace.steps.size();
  if (at_step)
    text += fmt::format("  at step {}\n", v.step + 1);
  else
    text += "  at the end, when everything is compared\n";
  text += fmt::format("  observed: {}\n  allowed:  {}\n\n", v.observed, v.allowed);

  Script head = v.trace;
  head.steps.clear();
  text += indented(print(head), "  ");
  for (std::size_t i = 0; i < v.trace.steps.size(); ++i)
    text += indented(to_text(v.trace.steps[i], v.trace.names), i == v.step ? "> " : "  ");
  if (!v.in_play.empty()) text += fmt::format("\n  rules in play: {}\n", fmt::join(v.in_play, " "));
  if (!reproduce.empty()) text += fmt::format("  again:  {}\n", reproduce);
  return text;
}

}  // namespace forkproof::harness
