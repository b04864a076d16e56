/// Writing files: whole or not at all.
#include "app/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/commands.hpp"

namespace forkproof::app {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw Failure{kBadInput, fmt::format("{}: {}", path, std::strerror(error))};
}

/// Writes all of it and closes. Answers errno, 0 for success.
int write_all(int fd, std::string_view content) {
  int error = 0;
  while (!content.empty() && error == 0) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n >= 0)
      content.remove_prefix(static_cast<std::size_t>(n));
    else if (errno != EINTR)
      error = errno;
  }
  if (::close(fd) != 0 && error == 0) error = errno;
  return error;
}

bool is_special(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

/// A new file takes the permissions of the one that it replaces, or the usual ones.
mode_t mode_for(const std::string& path) {
  struct stat old {};
  if (::stat(path.c_str(), &old) == 0) return old.st_mode & 07777;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

void write_file(const std::string& path, std::string_view content) {
  if (path == "-" || is_special(path)) {
    const int fd = path == "-" ? ::dup(STDOUT_FILENO) : ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    const std::string shown = path == "-" ? "standard output" : path;
    if (fd < 0) fail(shown, errno);
    if (const int error = write_all(fd, content)) fail(shown, error);
    return;
  }
  expect_writable(path);
  std::error_code resolved;  // a symbolic link stays one: what it points at is replaced
  const fs::path real = fs::weakly_canonical(path, resolved);
  const std::string target = resolved ? path : real.string();
  std::string beside = target + ".XX" "XX" "XX";
  const int fd = ::mkostemp(beside.data(), O_CLOEXEC);
  if (fd < 0) fail(path, errno);
  (void)::fchmod(fd, mode_for(target));
  int error = write_all(fd, content);
  if (error == 0 && ::rename(beside.c_str(), target.c_str()) != 0) error = errno;
  if (error == 0) return;
  ::unlink(beside.c_str());
  fail(path, error);
}

void expect_writable(const std::string& path) {
  if (path == "-" || is_special(path)) return;
  std::error_code error;
  if (fs::is_directory(path, error)) fail(path, EISDIR);
  const fs::path folder = fs::path(path).parent_path();
  if (::access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) != 0) fail(path, errno);
}

void expect_free(const std::string& path, bool force) {
  std::error_code error;
  if (path == "-" || force || !fs::exists(fs::symlink_status(path, error))) return;
  throw Failure{kBadInput, fmt::format("{}: exists; --force replaces it", path)};
}

void expect_empty(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Failure{kBadInput, fmt::format("{}: {}", folder, error.message())};
  if (!std::filesystem::is_empty(folder, error))
    throw Failure{kBadInput, fmt::format("{}: is not empty; name a new folder", folder)};
}

}  // namespace forkproof::app
