/// Values of options. Each is wholly of its kind, or the command fails with a line that says what
/// was expected.
#include "app/arguments.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "app/commands.hpp"

namespace forkproof::app {

namespace {

[[noreturn]] void refuse(std::string_view option, std::string_view text,
                         std::string_view expected) {
  throw Failure{kBadInput, fmt::format("{} {}: expected {}", option, text, expected)};
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

}  // namespace

std::uint64_t read_number(const std::string& option, const std::string& text) {
  const std::optional<std::uint64_t> n = number(text);
  if (!n) refuse(option, text, "a number from 0 to 18446744073709551615");
  return *n;
}

std::chrono::milliseconds read_time(const std::string& text) {
  struct Unit {
    std::string_view name;
    std::uint64_t milliseconds;
  };
  static constexpr Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
  static constexpr std::uint64_t kYear = 366ull * 24 * 3'600'000;
  const std::string_view view = text;
  for (const Unit& unit : kUnits) {
    if (!view.ends_with(unit.name)) continue;
    const std::optional<std::uint64_t> n = number(view.substr(0, view.size() - unit.name.size()));
    if (n && *n <= kYear / unit.milliseconds)
      return std::chrono::milliseconds(*n * unit.milliseconds);
  }
  refuse("--time", text, "a time such as 500ms, 30s, 5m or 2h, at most a year");
}

std::vector<Profile> read_profiles(const std::string& text) {
  if (text == "both") return {Profile::linux_6, Profile::linux_4_12};
  if (const auto value = value_of(kProfiles, text)) return {static_cast<Profile>(*value)};
  refuse("--profile", text, "linux-6, linux-4.12 or both");
}

Engines read_engines(const std::string& text) {
  static constexpr std::string_view kLater[] = {"fuzz", "mutants"};
  Engines engines;
  std::string_view left = text;
  while (true) {
    const std::string_view name = left.substr(0, left.find(','));
    for (const std::string_view later : kLater)
      if (name == later) throw Failure{kCannotRun, fmt::format("engine {} is not built in", name)};
    if (name == "replay")
      engines.replay = true;
    else if (name == "matrix")
      engines.matrix = true;
    else if (name == "explore")
      engines.explore = true;
    else if (name == "random")
      engines.random = true;
    else if (name == "uniform")
      engines.random = engines.uniform = true;
    else if (name == "prove")
      engines.prove = true;
    else
      refuse("--engine", text,
             "prove, replay, matrix, explore and random, one or more with commas between them, or "
             "uniform");
    if (name.size() == left.size()) return engines;
    left.remove_prefix(name.size() + 1);
  }
}

}  // namespace forkproof::app
