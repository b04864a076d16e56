/// `forkproof mutants`: how good is the net? The work is done by ci/mutants.sh of the source that
/// this command was built from, as each mutant is a change of that source, and is compiled.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "app/commands.hpp"

namespace forkproof::app {

int mutants(const std::vector<std::string>& words) {
  std::error_code error;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", error);
  std::vector<std::string> strings{FORKPROOF_MUTANTS};
  strings.insert(strings.end(), words.begin(), words.end());
  const bool judges = !words.empty() && words[0] == "--operators";  // a release that it builds
  const bool given = std::ranges::any_of(
      words, [](const std::string& word) { return word.starts_with("--command"); });
  if (!error && !judges && !given) strings.insert(strings.end(), {"--command", self});

  std::vector<char*> argv;
  for (std::string& s : strings) argv.push_back(s.data());
  argv.push_back(nullptr);
  std::fflush(stdout);
  ::execv(argv[0], argv.data());
  throw Failure{kCannotRun, fmt::format("{}: {}; mutants are changes of the source, and need it",
                                        FORKPROOF_MUTANTS, std::strerror(errno))};
}

}  // namespace forkproof::app
