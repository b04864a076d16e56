/// What is wrong with an input, or what a trace is there for: a file with a name that says it.
#pragma once
#include <string>

#include "harness/violation.hpp"

namespace forkproof::fuzz {

struct Finding {
  std::string name;       // of its kind: the rule that is broken, and the shape of the trace
  std::string report;     // as every engine prints it
  std::string content;    // the file that shows it again, as small as it gets
  std::string extension;  // of that file
};

/// `RULE-SHAPE`, where the shape is who does what, without arguments and numbers: traces of one
/// shape mostly have one cause.
std::string name_by(std::string_view rule, const Script& script);

/// A violation of `system`, whose trace is as small as it gets.
Finding finding_of(const harness::Violation& violation, std::string_view system);

/// 64 bits that differ where texts do: for names of files. FNV-1a.
std::uint64_t hash_of(std::string_view text);

}  // namespace forkproof::fuzz
