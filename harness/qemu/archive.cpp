/// A file system for a guest, in the format that Linux unpacks at its start. Source:
/// Documentation/driver-api/early-userspace/buffer-format.rst of Linux.
#include "harness/qemu/archive.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "harness/system_fault.hpp"

namespace forkproof::harness::qemu {

namespace {

constexpr unsigned kFolder = 0040755, kPlain = 0100644, kProgram = 0100755;

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  if (!file) throw SystemFault(fmt::format("{}: {}", path, std::strerror(errno)));
  return std::move(content).str();
}

/// The objects that this process has loaded, its interpreter among them.
std::vector<std::string> libraries() {
  std::vector<std::string> paths;
  ::dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* out) {
        auto& found = *static_cast<std::vector<std::string>*>(out);
        if (object->dlpi_name != nullptr && object->dlpi_name[0] == '/')
          found.emplace_back(object->dlpi_name);
        for (int i = 0; i < object->dlpi_phnum; ++i)
          if (object->dlpi_phdr[i].p_type == PT_INTERP)
            found.emplace_back(reinterpret_cast<const char*>(object->dlpi_addr +
                                                             object->dlpi_phdr[i].p_vaddr));
        return 0;
      },
      &paths);
  return paths;
}

}  // namespace

void Archive::add_folder(const std::string& path) {
  if (path.empty() || path == "/" || !there_.insert(path).second) return;
  add_folder(path.substr(0, path.rfind('/')));
  put(path, kFolder, {});
}

void Archive::add_file(const std::string& path, std::string_view content, bool executable) {
  if (!there_.insert(path).second) return;
  add_folder(path.substr(0, path.rfind('/')));
  put(path, executable ? kProgram : kPlain, content);
}

void Archive::copy_file(const std::string& path, const std::string& to, bool executable) {
  if (!there_.contains(to)) add_file(to, content_of(path), executable);
}

void Archive::copy_program(const std::string& to) {
  copy_file("/proc/self/exe", to, true);
  for (const std::string& library : libraries()) copy_file(library, library, true);
}

std::string Archive::finish() && {
  put("/TRAILER!!!", 0, {});
  return std::move(bytes_);
}

/// A header of numbers, the name without its slash and a file's content, each filled up to four
/// bytes.
void Archive::put(std::string_view path, unsigned mode, std::string_view content) {
  const std::string_view name = path.substr(1);
  const auto fill = [&] { bytes_.append((4 - bytes_.size() % 4) % 4, '\0'); };
  bytes_ += fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}"
                        "{:08x}{:08x}",
                        next_++, mode, 0, 0, 1, 0, content.size(), 0, 0, 0, 0, name.size() + 1, 0);
  bytes_ += name;
  bytes_ += '\0';
  fill();
  bytes_ += content;
  fill();
}

}  // namespace forkproof::harness::qemu
