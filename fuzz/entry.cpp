/// A target as libFuzzer, AFL++ and the engines of OSS-Fuzz call it. What is wrong with an input is
/// printed as every engine prints it, and written, as small as it gets, beside libFuzzer's own
/// artifacts; then the process aborts, which is how fuzzers learn of it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "fuzz/file.hpp"
#include "fuzz/target.hpp"

/// The fuzzer's own mutations of bytes; an engine that mutates by itself need not have them.
extern "C" [[gnu::weak]] std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                                      std::size_t size_max);

namespace forkproof::fuzz {
namespace {

std::string artifact_prefix;

void write_finding(const Finding& f) {
  const std::string path = artifact_prefix + f.name + f.extension;
  const std::string error = write_whole(path, f.content);
  fmt::print(stderr, "written: {}{}{}\n", path, error.empty() ? "" : " not, ", error);
}

[[noreturn]] void fail(const Finding& f) {
  fmt::print(stderr, "{}", f.report);
  write_finding(f);
  std::abort();
}

/// Cuts what is too long: that is a script as well.
std::size_t put(const Buffer& from, std::uint8_t* to, std::size_t size_max) {
  const std::size_t size = std::min(from.size(), size_max);
  std::copy_n(from.begin(), size, to);
  return size;
}

}  // namespace
}  // namespace forkproof::fuzz

using forkproof::fuzz::target;

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  static constexpr std::string_view kOption = "-artifact_prefix=";
  for (int i = 1; i < *argc; ++i)
    if (const std::string_view argument = (*argv)[i]; argument.starts_with(kOption))
      forkproof::fuzz::artifact_prefix = argument.substr(kOption.size());
  (void)target();
  std::atexit([] {
    const auto [inputs, steps] = target().done();
    if (inputs == 0) return;
    const double mean = static_cast<double>(steps) / static_cast<double>(inputs);
    fmt::print(stderr, "stat::ops_per_input:            {:.1f}\n", mean);
  });
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const forkproof::fuzz::Bytes input{data, size};
  if (!target().holds(input)) forkproof::fuzz::fail(target().explain(input));
  return 0;
}

/// Mostly on ops; every fourth time on bytes.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t size_max, unsigned seed) {
  const bool on_bytes = seed % 4 == 0 && LLVMFuzzerMutate != nullptr;
  const forkproof::fuzz::Buffer made =
      on_bytes ? forkproof::fuzz::Buffer{} : target().mutate({data, size}, seed);
  if (!made.empty()) return forkproof::fuzz::put(made, data, size_max);
  return LLVMFuzzerMutate == nullptr ? size : LLVMFuzzerMutate(data, size, size_max);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* a, std::size_t a_size,
                                                 const std::uint8_t* b, std::size_t b_size,
                                                 std::uint8_t* out, std::size_t out_max,
                                                 unsigned seed) {
  return forkproof::fuzz::put(target().cross({a, a_size}, {b, b_size}, seed), out, out_max);
}
