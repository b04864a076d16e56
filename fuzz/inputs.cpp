/// Reading the inputs of a target from files.
#include "fuzz/inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "spec/bytes.hpp"
#include "spec/text.hpp"

namespace forkproof::fuzz {

namespace fs = std::filesystem;

namespace {

void read_file(const std::string& path, Inputs& inputs) {
  std::ifstream in(path, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  if (!in) {
    inputs.errors.push_back(fmt::format("{}: {}", path, std::strerror(errno)));
    return;
  }
  Input input{path, {content.begin(), content.end()}};
  if (target().takes_traces() && is_text(content)) {
    const Parsed parsed = parse(content);
    if (parsed.error) {
      inputs.errors.push_back(to_text(*parsed.error, path));
      return;
    }
    input.bytes = encode(parsed.script);
  }
  inputs.all.push_back(std::move(input));
}

}  // namespace

Inputs read_inputs(const std::vector<std::string>& paths) {
  Inputs inputs;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      read_file(path, inputs);
      continue;
    }
    fs::recursive_directory_iterator at(path, error), end;
    for (; !error && at != end; at.increment(error))
      if (at->is_regular_file(error)) read_file(at->path().string(), inputs);
    if (error) inputs.errors.push_back(fmt::format("{}: {}", path, error.message()));
  }
  std::ranges::sort(inputs.all, {}, &Input::path);
  return inputs;
}

}  // namespace forkproof::fuzz
