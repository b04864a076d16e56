/// Writing a file whole or not at all.
#include "fuzz/file.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace forkproof::fuzz {

std::string write_whole(const std::string& path, std::string_view content) {
  const std::string beside = path + ".part" + std::to_string(::getpid());
  std::FILE* const file = std::fopen(beside.c_str(), "wb");
  if (file == nullptr) return std::strerror(errno);
  const bool written = std::fwrite(content.data(), 1, content.size(), file) == content.size();
  int error = written ? 0 : errno;
  if (std::fclose(file) != 0 && error == 0) error = errno;
  if (error == 0 && std::rename(beside.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) return {};
  std::remove(beside.c_str());
  return std::strerror(error);
}

}  // namespace forkproof::fuzz
