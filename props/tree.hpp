/// The source tree as the tests of its own rules see it: its files, their lines, and a made-up tree
/// on which a checker shows that it can complain.
#pragma once
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace forkproof::props {

namespace fs = std::filesystem;

/// What is wrong, one line each, beginning with the place. Empty is good.
using Complaints = std::vector<std::string>;

/// A file under the root of a tree; `path` is relative to it, with `/`.
struct SourceFile {
  std::string path;
  std::vector<std::string> lines;
};

inline std::vector<std::string> read_lines(const fs::path& file) {
  std::ifstream in{file};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline bool is_cpp(std::string_view path) {
  return path.ends_with(".cpp") || path.ends_with(".hpp");
}
inline bool is_shell(std::string_view path) { return path.ends_with(".sh") || path == ".ci/run"; }
inline bool is_cmake(std::string_view path) {
  return path.ends_with("CMakeLists.txt") || path.ends_with(".cmake");
}
inline bool is_code(std::string_view path) {
  return is_cpp(path) || is_shell(path) || is_cmake(path) || path.ends_with(".py");
}
inline bool is_text(std::string_view path) {
  static constexpr std::string_view kEndings[] = {".md",  ".trace", ".json",
                                                  ".yml", ".yaml",  ".patch"};
  return is_code(path) ||
         std::ranges::any_of(kEndings, [&](std::string_view end) { return path.ends_with(end); });
}

/// The text files of a tree, in order, without what git, the build and editors keep there.
inline std::vector<SourceFile> read_tree(const fs::path& root) {
  static const std::set<std::string> kSkipped{".git", ".cache", ".vscode", ".idea", "build"};
  std::vector<SourceFile> files;
  for (auto at = fs::recursive_directory_iterator{root}; at != fs::recursive_directory_iterator{};
       ++at) {
    const std::string path = at->path().lexically_relative(root).generic_string();
    if (at->is_directory() && kSkipped.contains(path)) at.disable_recursion_pending();
    if (at->is_regular_file() && is_text(path)) files.push_back({path, read_lines(at->path())});
  }
  std::ranges::sort(files, {}, &SourceFile::path);
  return files;
}

/// `path:line: message`
inline std::string at_line(const SourceFile& file, std::size_t index, std::string_view message) {
  return file.path + ':' + std::to_string(index + 1) + ": " + std::string{message};
}

inline std::string joined(const Complaints& complaints) {
  std::string text;
  for (const std::string& c : complaints) text += c + '\n';
  return text;
}

/// A tree in a folder of its own, gone with the object.
class MadeUpTree {
 public:
  MadeUpTree() {
    std::string name = (fs::temp_directory_path() / "forkproof-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~MadeUpTree() { fs::remove_all(root_); }
  MadeUpTree(const MadeUpTree&) = delete;
  MadeUpTree& operator=(const MadeUpTree&) = delete;

  void write(const std::string& path, std::string_view text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream{root_ / path} << text;
  }
  const fs::path& root() const { return root_; }

 private:
  fs::path root_;
};

}  // namespace forkproof::props
