/// Scripts: how names are made, what makes a script well-formed, and how to mend one that is not.
#include "spec/script.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "spec/derive.hpp"

namespace forkproof {
namespace {

constexpr std::array<std::string_view, 16> kReserved{
    "all",    "any",   "as",   "blocks", "continued", "core", "dies",    "exited",
    "expect", "group", "init", "killed", "none",      "pid",  "stopped", "world"};

constexpr bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return is_upper(c) || (c >= 'a' && c <= 'z') || c == '_'; }

/// `EIO`, `E2BIG` and `SIGRTMIN` must not become names by mistake, now or when the language learns
/// them.
bool reads_as_error_or_signal(std::string_view word) {
  return word.starts_with("SIG") || (word.size() > 2 && word[0] == 'E' &&
                                     (is_upper(word[1]) || is_digit(word[1])) && is_upper(word[2]));
}

/// The first name that follows from `index` and is not `taken`; empty when all are.
template <class Taken>
std::string name_from_index(std::size_t index, Taken taken) {
  std::string name = canonical_name(static_cast<std::int32_t>(index));
  while (taken(name)) {
    if (name.size() == kNameMax) return {};
    name += '_';
  }
  return name;
}

}  // namespace

std::string canonical_name(std::int32_t index) {
  if (index <= 0) return "init";
  std::string name(1, static_cast<char>('A' + (index - 1) % 26));
  if (const int round = (index - 1) / 26; round > 0) name += std::to_string(round);
  return name;
}

bool is_name(std::string_view word) {
  if (word.empty() || word.size() > kNameMax || !is_letter(word[0])) return false;
  const auto inside = [](char c) { return is_letter(c) || is_digit(c); };
  return std::ranges::all_of(word, inside) && !reads_as_error_or_signal(word) &&
         !std::ranges::binary_search(kReserved, word);
}

void name_the_unnamed(std::vector<std::string>& names) {
  const auto unnamed = std::ranges::count(names, std::string{});
  if (unnamed == 0) return;

  std::unordered_set<std::string> taken{names.begin(), names.end()};
  const auto is_taken = [&](const std::string& name) { return taken.contains(name); };
  std::size_t beyond = names.size();  // canonical names that no index of this script has
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) continue;
    names[i] = name_from_index(i, is_taken);
    while (names[i].empty()) names[i] = name_from_index(beyond++, is_taken);
    taken.insert(names[i]);
  }
}

std::vector<bool> follows_from_index(const std::vector<std::string>& names) {
  const std::unordered_set<std::string_view> taken{names.begin(), names.end()};
  std::vector<bool> follows;
  follows.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    follows.push_back(name_from_index(i, [&](std::string_view name) {
                        return name != names[i] && taken.contains(name);
                      }) == names[i]);
  return follows;
}

}  // namespace forkproof
