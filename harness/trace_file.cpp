/// Reading traces from files, in either form.
#include "harness/trace_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>

#include "spec/bytes.hpp"
#include "spec/text.hpp"

namespace forkproof::harness {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kExtension = ".trace";
constexpr std::string_view kBytesExtension = ".bytes";

/// Reads a whole file, but no more than a text may have. The answer is why not, empty if read.
std::string read_all(const std::string& path, std::string& content) {
  std::FILE* const opened = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  if (opened == nullptr) return std::strerror(errno);
  const auto close = [](std::FILE* f) { return f == stdin ? 0 : std::fclose(f); };
  const std::unique_ptr<std::FILE, decltype(close)> file(opened, close);

  char block[1 << 16];
  while (const std::size_t n = std::fread(block, 1, sizeof block, file.get())) {
    content.append(block, n);
    if (content.size() > kTextMax) return fmt::format("larger than {} MiB", kTextMax >> 20);
  }
  if (std::ferror(file.get()) != 0) return std::strerror(errno);
  return content.empty() ? "empty" : "";
}

/// Every byte string is a trace, so junk would pass for one. Only a file that says by its name that
/// it has the byte form is read so.
bool meant_as_text(const std::string& path, std::string_view content) {
  return is_text(content) || !path.ends_with(kBytesExtension);
}

bool has_trace(const fs::path& path) {
  return path.extension() == kExtension || path.extension() == kBytesExtension;
}

}  // namespace

TraceFile load(const std::string& path) {
  const std::string shown = path == "-" ? "standard input" : path;
  TraceFile file{.path = path, .script = {}, .text = true, .error = std::nullopt};
  std::string content;
  if (const std::string reason = read_all(path, content); !reason.empty()) {
    file.error = fmt::format("{}: {}", shown, reason);
    return file;
  }
  file.text = meant_as_text(path, content);
  if (file.text) {
    Parsed parsed = parse(content);
    file.script = std::move(parsed.script);
    if (parsed.error) file.error = to_text(*parsed.error, shown);
  } else {
    file.script = decode({reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
  }
  return file;
}

Listing list_traces(const std::vector<std::string>& paths) {
  Listing listing;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      listing.files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    fs::recursive_directory_iterator at(path, error), end;
    for (; !error && at != end; at.increment(error))
      if (has_trace(at->path()) && !at->is_directory(error))
        found.push_back(at->path().string());
    if (error)
      listing.errors.push_back(fmt::format("{}: {}", path, error.message()));
    else if (found.empty())
      listing.errors.push_back(fmt::format("{}: no {} file in this folder", path, kExtension));
    std::ranges::sort(found);
    listing.files.insert(listing.files.end(), found.begin(), found.end());
  }
  return listing;
}

}  // namespace forkproof::harness
