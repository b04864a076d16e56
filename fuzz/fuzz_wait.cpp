/// Who is waited for, by whom and when: ops that die, stop and go on, and those that wait for it.
#include "fuzz/script_target.hpp"

namespace forkproof::fuzz {

const std::string_view kTargetName = "fuzz_wait";

Target& target() {
  static ScriptTarget t{Focus{"wait4", "waitid", "exec", "exit", "exit_group", "kill", "sigaction",
                              "sigprocmask", "pause", "setpgid", "setsid", "prctl_subreaper"}};
  return t;
}

}  // namespace forkproof::fuzz
