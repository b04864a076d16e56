/// Reading the inputs of a target from files.
#include "fuzz/inputs.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "spec/bytes.hpp"
#include "spec/text.hpp"

namespace forkproof::fuzz {

namespace {

void read_file(const std::string& path, Inputs& into) {
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) {
    into.errors.push_back(fmt::format("{}: {}", path, std::strerror(errno)));
    return;
  }
  std::string content;
  char block[1 << 12];
  while (const std::size_t n = std::fread(block, 1, sizeof block, file)) content.append(block, n);
  const bool failed = std::ferror(file) != 0;
  std::fclose(file);
  if (failed) {
    into.errors.push_back(fmt::format("{}: cannot be read", path));
    return;
  }
  Input input{path, {content.begin(), content.end()}};
  if (target().takes_traces() && is_text(content)) {
    const Parsed parsed = parse(content);
    if (parsed.error) {
      into.errors.push_back(to_text(*parsed.error, path));
      return;
    }
    input.bytes = encode(parsed.script);
  }
  into.all.push_back(std::move(input));
}

/// With C's functions: MemorySanitizer takes what those of std make for uninitialised.
void read_path(const std::string& path, Inputs& into) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return read_file(path, into);
  DIR* const folder = ::opendir(path.c_str());
  if (folder == nullptr) {
    into.errors.push_back(fmt::format("{}: {}", path, std::strerror(errno)));
    return;
  }
  while (const dirent* const entry = ::readdir(folder)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") read_path(path + "/" + name, into);
  }
  ::closedir(folder);
}

}  // namespace

Inputs read_inputs(const std::vector<std::string>& paths) {
  Inputs inputs;
  for (const std::string& path : paths) read_path(path, inputs);
  std::ranges::sort(inputs.all, {}, &Input::path);
  return inputs;
}

}  // namespace forkproof::fuzz
