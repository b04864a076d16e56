/// What the targets share.
#include "fuzz/target.hpp"

#include <fmt/format.h>

namespace forkproof::fuzz {

Finding plain_finding(std::string_view what, Bytes input, std::string_view extension) {
  const std::string content(input.begin(), input.end());
  return {.name = fmt::format("{}-{:08x}", kTargetName, hash_of(what) & 0xFFFFFFFF),
          .report = fmt::format("VIOLATION in {}\n  {}\n", kTargetName, what),
          .content = content,
          .extension = std::string(extension)};
}

}  // namespace forkproof::fuzz
