/// Which lines of comment a trace may hold: UTF-8 (RFC 3629) without control characters.
#pragma once
#include <cstddef>
#include <string_view>

namespace forkproof {

/// How many bytes the character at the front of `s` has; 0 where there is none that is well-formed.
constexpr std::size_t utf8_length(std::string_view s) {
  const auto byte = [&](std::size_t i) {
    return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  if (s.empty()) return 0;
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool too_small = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second >= 0xA0;
    return follows(1) && follows(2) && !too_small && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool too_small = first == 0xF0 && second < 0x90;
    const bool too_big = first == 0xF4 && second >= 0x90;
    return follows(1) && follows(2) && follows(3) && !too_small && !too_big ? 4 : 0;
  }
  return 0;
}

/// Where the first byte is that a comment must not hold, or npos.
constexpr std::size_t bad_in_comment(std::string_view s) {
  for (std::size_t at = 0; at < s.size();) {
    const auto c = static_cast<unsigned char>(s[at]);
    const std::size_t length = c < 0x80 ? 1 : utf8_length(s.substr(at));
    if (length == 0 || (c < 0x20 && c != '\t') || c == 0x7F) return at;
    at += length;
  }
  return std::string_view::npos;
}

constexpr bool is_comment(std::string_view s) {
  return bad_in_comment(s) == std::string_view::npos;
}

}  // namespace forkproof
