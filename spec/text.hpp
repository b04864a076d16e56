/// The trace language, version 1: scripts as text. `parse` and `print` are inverse to each other on
/// well-formed scripts; comments after the first step are the one thing that a text loses.
///
/// The language is docs/trace-language.md. Reading takes time linear in the text, whatever that is.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "spec/script.hpp"

namespace forkproof {

inline constexpr std::string_view kTraceWord = "forkproof-trace";
inline constexpr std::string_view kTraceVersion = "v1";
inline constexpr std::size_t kStepsMax = 1'000'000;
inline constexpr std::size_t kTextMax = std::size_t{64} << 20;  // bytes

/// Where reading stopped and what was expected there. Lines and columns count from 1, columns in
/// bytes.
struct ParseError {
  int line = 0;
  int column = 0;
  std::string message;
  friend bool operator==(const ParseError&, const ParseError&) = default;
};

/// A script, or what was read of it before the error.
struct Parsed {
  Script script;
  std::optional<ParseError> error;
};

Parsed parse(std::string_view text);

/// Whether a file is a trace as text, and not as bytes: its first line that is neither blank nor
/// a comment begins with `forkproof-trace`.
bool is_text(std::string_view file);

std::string print(const Script& script);

/// `FILE:LINE:COLUMN: MESSAGE`
std::string to_text(const ParseError& error, std::string_view file);

// --- parts of a trace, for reports and adapters ------------------------------------------------

/// The names that references are written with; one without a name has its canonical one.
using Names = std::span<const std::string>;

std::string to_text(TaskRef task, Names names);
std::string to_text(const Op& op, Names names);  // `wait4 any WNOHANG`

/// `A exited 3`. A bare number is a task where the op answers one, and a value elsewhere.
std::string to_text(const Outcome& outcome, Names names, bool answers_task);

/// The value alone: `zombie`, `init`, `SIGUSR1|SIGTERM`.
std::string to_text(const Expectation& expectation, Names names);

/// One step with its `=>` and `expect` lines, each with its newline, as it stands in a text where
/// every name is written out.
std::string to_text(const Step& step, Names names);

/// The opposite directions; nothing where the text is not wholly one of the kind.
std::optional<Op> read_op(std::string_view text, Names names);
std::optional<Outcome> read_outcome(std::string_view text, Names names, bool answers_task);

}  // namespace forkproof
