/// How long the command takes, from its start, to find a seeded bug and shrink its trace.
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include <string>
#include <vector>

#include "bench/figure.hpp"

namespace {

using namespace forkproof;

/// Seconds that `forkproof check` takes on the system that has a bug; it must find it.
double seconds_to_find(const std::string& forkproof, int seed) {
  std::vector<std::string> words{forkproof, "check",    "--system", "canary",
                                 "--engine", "random", "--seed",   std::to_string(seed)};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);

  const bench::Stopwatch watch;
  pid_t child = 0;
  int status = 0;
  if (posix_spawn(&child, forkproof.c_str(), &files, nullptr, arguments.data(), environ) != 0)
    bench::give_up("cannot run " + forkproof);
  waitpid(child, &status, 0);
  const double seconds = watch.seconds();
  posix_spawn_file_actions_destroy(&files);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 1) bench::give_up("the bug was not found");
  return seconds;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) bench::give_up("usage: canary_bench FORKPROOF [--quick]");
  const int seeds = bench::is_quick(argc, argv) ? 3 : 10;
  std::vector<double> milliseconds;
  for (int seed = 1; seed <= seeds; ++seed)
    milliseconds.push_back(seconds_to_find(argv[1], seed) * 1e3);
  const auto show = [](std::string_view what, double ms) {
    bench::print({.what = what, .unit = "ms", .ours = ms, .bar = "<= 1000 ms", .met = ms <= 1000});
  };
  show("canary found and shrunk, median of the seeds", bench::median(milliseconds));
  show("canary found and shrunk, slowest seed", *std::ranges::max_element(milliseconds));
}
