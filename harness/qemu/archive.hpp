/// A file system for a guest: files and folders in the format that Linux unpacks at its start
/// (cpio, newc).
#pragma once
#include <set>
#include <string>
#include <string_view>

namespace forkproof::harness::qemu {

class Archive {
 public:
  /// Adds a file, and the folders that it is in. `path` is absolute.
  void add_file(const std::string& path, std::string_view content, bool executable = false);
  void add_folder(const std::string& path);
  /// Adds the file that is there on this machine.
  void copy_file(const std::string& path, const std::string& to, bool executable = false);
  /// Adds this program, and the libraries that it is linked with.
  void copy_program(const std::string& to);

  /// The archive with its end.
  std::string finish() &&;

 private:
  void put(std::string_view path, unsigned mode, std::string_view content);

  std::string bytes_;
  std::set<std::string> there_;
  unsigned next_ = 1;
};

}  // namespace forkproof::harness::qemu
