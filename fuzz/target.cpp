/// What the targets share.
#include "fuzz/target.hpp"

#include <fmt/format.h>

namespace forkproof::fuzz {

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return h;
}

Finding plain_finding(std::string_view what, Bytes input, std::string_view extension) {
  const std::string content(input.begin(), input.end());
  return {.name = fmt::format("{}-{:08x}", kTargetName, hash_of(what) & 0xFFFFFFFF),
          .report = fmt::format("VIOLATION in {}\n  {}\n", kTargetName, what),
          .content = content,
          .extension = std::string(extension)};
}

}  // namespace forkproof::fuzz
