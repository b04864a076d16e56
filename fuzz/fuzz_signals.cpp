/// Signals: sent, blocked, ignored and caught, stops and deaths, to threads, processes and groups.
#include "fuzz/script_target.hpp"

namespace forkproof::fuzz {

const std::string_view kTargetName = "fuzz_signals";

Target& target() {
  static ScriptTarget t{Focus{"kill", "tgkill", "sigaction", "sigprocmask", "pause", "exec", "exit",
                              "exit_group", "wait4", "setpgid", "setsid", "prctl_pdeathsig"}};
  return t;
}

}  // namespace forkproof::fuzz
