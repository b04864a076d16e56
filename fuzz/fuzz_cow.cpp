/// Memory: what fork copies, what is shared, what is written when.
#include "fuzz/script_target.hpp"

namespace forkproof::fuzz {

const std::string_view kTargetName = "fuzz_cow";

Target& target() {
  static ScriptTarget t{Focus{"write", "read", "mmap", "munmap", "madvise", "exec", "exit",
                              "exit_group", "wait4", "kill"}};
  return t;
}

}  // namespace forkproof::fuzz
