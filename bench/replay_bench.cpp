/// How many traces a second are read and held to the spec. The files are in memory before.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bench/figure.hpp"
#include "harness/lockstep.hpp"
#include "impl/machine.hpp"
#include "spec/text.hpp"

namespace {

using namespace forkproof;

struct File {
  std::string name, text;
};

std::vector<File> read_traces(const std::filesystem::path& folder) {
  std::vector<File> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".trace") continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files.push_back({entry.path().string(), {std::istreambuf_iterator<char>(in), {}}});
  }
  if (files.empty()) bench::give_up("no traces in " + folder.string());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || !std::filesystem::is_directory(argv[1]))
    bench::give_up("usage: replay_bench FOLDER [--quick]");
  const std::vector<File> files = read_traces(argv[1]);
  impl::Machine machine;
  harness::Lockstep<impl::Machine> lockstep(machine);
  const auto replay = [&](const File& file) {
    const Parsed parsed = parse(file.text);
    return !parsed.error && !lockstep.run(parsed.script);
  };
  for (const File& file : files)
    if (!replay(file)) bench::give_up(file.name + " fails");

  const int rounds = bench::is_quick(argc, argv) ? 10 : 50;
  const double rate = bench::median_of(9, [&] {
    const bench::ProcessorWatch watch;
    for (int i = 0; i < rounds; ++i)
      for (const File& file : files) replay(file);
    return rounds * static_cast<double>(files.size()) / watch.seconds();
  });
  bench::print({.what = "replay of the litmus traces", .unit = "traces/s", .ours = rate,
                .bar = ">= 20000", .met = rate >= 20'000});
}
