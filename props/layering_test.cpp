/// The arrows between the folders: spec <- impl <- harness <- {props, fuzz, smt, app, bench}, and
/// impl/ and the model know nothing of each other. Read off the #include lines.
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "props/tree.hpp"

namespace forkproof::props {
namespace {

using Names = std::set<std::string>;

/// What a folder may include, besides itself. Tests may look into everything; the command runs the
/// proofs; both need the whole.
const std::map<std::string, Names> kArrows{
    {"spec", {}},
    {"impl", {}},
    {"harness", {"spec", "impl"}},
    {"fuzz", {"spec", "impl", "harness"}},
    {"smt", {"spec", "impl", "harness"}},
    {"bench", {"spec", "impl", "harness"}},
    {"app", {"spec", "impl", "harness", "smt"}},
    {"props", {"spec", "impl", "harness", "smt", "app"}},
};

/// The part of spec/ that impl/ shares with the model. It leans on nothing but itself, else the
/// model would come in by the back door.
const Names kVocabulary{"spec/words.hpp",       "spec/op.hpp",     "spec/attribute_ops.hpp",
                        "spec/file_ops.hpp",    "spec/ops.hpp",    "spec/outcome.hpp",
                        "spec/kthread_ops.hpp", "spec/limit_ops.hpp", "spec/namespace_ops.hpp",
                        "spec/pidfd_ops.hpp",   "spec/cgroup_ops.hpp", "spec/account_ops.hpp",
                        "spec/pidfd_words.hpp",  "spec/namespace_limit_ops.hpp",
                        "spec/ptrace_ops.hpp",  "spec/user_namespace_ops.hpp", "spec/exec_ops.hpp",
                        "spec/stack_ops.hpp"};

std::string folder_of(const std::string& path) { return path.substr(0, path.find('/')); }

/// What `line` includes, if it is an #include of quotes or angle brackets.
std::optional<std::string> included(const std::string& line) {
  std::size_t at = line.find_first_not_of(" \t");
  if (at == std::string::npos || line[at] != '#') return std::nullopt;
  at = line.find_first_not_of(" \t", at + 1);
  if (at == std::string::npos || line.compare(at, 7, "include") != 0) return std::nullopt;
  const std::size_t open = line.find_first_of("\"<", at);
  const std::size_t close = line.find_first_of("\">", open + 1);
  if (open == std::string::npos || close == std::string::npos) return "";
  return line.substr(open + 1, close - open - 1);
}

/// Why `file` must not include `target`, if so. Angle brackets do not excuse; system headers are
/// those that are in none of our folders.
std::optional<std::string> objection(const std::string& file, const std::string& target,
                                     bool quoted) {
  if (target.empty()) return "an #include that cannot be read";
  if (target.find("..") != std::string::npos) return "paths are written from the root";
  const std::string from = folder_of(file), to = folder_of(target);
  if (!kArrows.contains(to) || target.find('/') == std::string::npos)
    return quoted ? std::optional{"not a path from the root: " + target} : std::nullopt;

  if (kVocabulary.contains(file) && !kVocabulary.contains(target))
    return "the vocabulary must not include " + target;
  if (from == to || (from == "impl" && kVocabulary.contains(target))) return std::nullopt;
  if (!kArrows.at(from).contains(to)) return from + "/ must not include " + target;
  return std::nullopt;
}

Complaints check_layers(const std::vector<SourceFile>& tree) {
  Complaints complaints;
  for (const SourceFile& file : tree) {
    if (!is_cpp(file.path) || !kArrows.contains(folder_of(file.path))) continue;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const auto target = included(file.lines[i]);
      if (!target) continue;
      const bool quoted = file.lines[i].find('"') != std::string::npos;
      if (const auto why = objection(file.path, *target, quoted))
        complaints.push_back(at_line(file, i, *why));
    }
  }
  return complaints;
}

Complaints check_one(const std::string& path, std::string_view text) {
  const MadeUpTree tree;
  tree.write(path, text);
  return check_layers(read_tree(tree.root()));
}

TEST(Layering, EveryArrowPointsTheRightWay) {
  const auto tree = read_tree(FORKPROOF_SOURCE_DIR);
  ASSERT_TRUE(std::ranges::any_of(tree, [](auto& f) { return f.path == "spec/ops.hpp"; }));

  const Complaints complaints = check_layers(tree);
  EXPECT_TRUE(complaints.empty()) << joined(complaints);
}

TEST(Layering, WhatIsAllowedPasses) {
  EXPECT_EQ(check_one("impl/a.hpp", "#include \"spec/ops.hpp\"\n"), Complaints{});
  EXPECT_EQ(check_one("impl/a.hpp", "#include \"impl/bits/word.hpp\"\n"), Complaints{});
  EXPECT_EQ(check_one("harness/a.cpp", "#include \"spec/model.hpp\"\n"), Complaints{});
  EXPECT_EQ(check_one("app/a.cpp", "#include <sys/wait.h>\n#include <fmt/core.h>\n"), Complaints{});
  EXPECT_EQ(check_one("fuzz/a.cpp", "// #include \"props/tree.hpp\"\n"), Complaints{});
}

TEST(Layering, TheImplementationMustNotKnowTheModel) {
  EXPECT_EQ(check_one("impl/a.hpp", "#include <vector>\n#include \"spec/world.hpp\"\n"),
            Complaints{"impl/a.hpp:2: impl/ must not include spec/world.hpp"});
  EXPECT_EQ(check_one("impl/bits/a.hpp", "#  include <spec/world.hpp>\n"),
            Complaints{"impl/bits/a.hpp:1: impl/ must not include spec/world.hpp"});
  EXPECT_EQ(check_one("spec/ops.hpp", "#include \"spec/world.hpp\"\n"),
            Complaints{"spec/ops.hpp:1: the vocabulary must not include spec/world.hpp"});
}

TEST(Layering, NobodyIncludesUpwards) {
  EXPECT_EQ(check_one("spec/a.hpp", "#include \"impl/machine.hpp\"\n"),
            Complaints{"spec/a.hpp:1: spec/ must not include impl/machine.hpp"});
  EXPECT_EQ(check_one("harness/a.cpp", "\t#include \"app/args.hpp\"\n"),
            Complaints{"harness/a.cpp:1: harness/ must not include app/args.hpp"});
  EXPECT_EQ(check_one("fuzz/a.cpp", "#include \"props/tree.hpp\"\n"),
            Complaints{"fuzz/a.cpp:1: fuzz/ must not include props/tree.hpp"});
}

TEST(Layering, PathsAreWrittenFromTheRoot) {
  EXPECT_EQ(check_one("impl/a.hpp", "#include \"../spec/world.hpp\"\n"),
            Complaints{"impl/a.hpp:1: paths are written from the root"});
  EXPECT_EQ(check_one("impl/a.hpp", "#include \"machine.hpp\"\n"),
            Complaints{"impl/a.hpp:1: not a path from the root: machine.hpp"});
  EXPECT_EQ(check_one("impl/a.hpp", "#include FILE\n"),
            Complaints{"impl/a.hpp:1: an #include that cannot be read"});
}

}  // namespace
}  // namespace forkproof::props
