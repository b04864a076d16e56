/// Clone with every combination of flags, by every kind of caller.
#include "fuzz/script_target.hpp"

namespace forkproof::fuzz {

const std::string_view kTargetName = "fuzz_clone_flags";

Target& target() {
  static ScriptTarget t{Focus{"clone", "exec", "exit", "exit_group", "wait4", "waitid", "kill",
                              "tgkill", "sigaction", "getpid", "gettid", "getppid", "mmap", "write",
                              "read"}};
  return t;
}

}  // namespace forkproof::fuzz
