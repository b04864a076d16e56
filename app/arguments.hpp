/// Values of options. Each is wholly of its kind, or the command fails with a line that says what
/// was expected.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "spec/words.hpp"

namespace forkproof::app {

/// A decimal number of 64 bits.
std::uint64_t read_number(const std::string& option, const std::string& text);

/// `500ms`, `30s`, `5m`, `2h`: at most a year.
std::chrono::milliseconds read_time(const std::string& text);

/// `linux-6`, `linux-4.12` or `both`.
std::vector<Profile> read_profiles(const std::string& text);

struct Engines {
  bool prove = false, replay = false, matrix = false, explore = false, random = false,
       uniform = false;

  /// Whether there is one that any system can be held to.
  bool traces() const { return replay || matrix || random; }
};
Engines read_engines(const std::string& text);

}  // namespace forkproof::app
