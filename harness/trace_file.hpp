/// Reading traces from files, in either form.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "spec/script.hpp"

namespace forkproof::harness {

/// A trace, or why it cannot be read: `FILE:LINE:COL: message` or `FILE: reason`.
struct TraceFile {
  std::string path;
  Script script;
  bool text = true;  // its form
  std::optional<std::string> error;
};

/// `-` is standard input.
TraceFile load(const std::string& path);

/// The files that the paths mean: themselves, or all `*.trace` and `*.bytes` below a
/// folder, sorted. A path that cannot be looked into, or a folder without traces, has its reason in
/// `errors`.
struct Listing {
  std::vector<std::string> files, errors;
};
Listing list_traces(const std::vector<std::string>& paths);

}  // namespace forkproof::harness
