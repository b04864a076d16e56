/// The rules of style that a machine can check: length of lines, functions and files, what a file
/// begins with, no words that put work off, scripts that stop at the first error.
#include <gtest/gtest.h>

#include <cctype>

#include "props/tree.hpp"

namespace forkproof::props {
namespace {

constexpr std::size_t kColumnsMax = 100;
constexpr std::size_t kFunctionLinesMax = 40;
constexpr std::size_t kFileLinesMax = 500;

// Written in two halves, so that this file passes its own test.
const std::vector<std::string> kForbidden{"TO" "DO", "FIX" "ME", "XX" "X"};

/// Characters, not bytes: UTF-8's continuation bytes do not count.
std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::ranges::count_if(
      line, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool has_word(std::string_view line, std::string_view word) {
  const auto inside = [&](std::size_t i) {
    return i < line.size() && std::isalnum(static_cast<unsigned char>(line[i])) != 0;
  };
  for (auto at = line.find(word); at != line.npos; at = line.find(word, at + 1))
    if (!inside(at - 1) && !inside(at + word.size())) return true;
  return false;
}

void check_lines(const SourceFile& file, Complaints& out) {
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (is_code(file.path) && columns(line) > kColumnsMax)
      out.push_back(at_line(file, i, std::to_string(columns(line)) + " columns"));
    for (const std::string& word : kForbidden)
      if (has_word(line, word)) out.push_back(at_line(file, i, "the word " + word));
  }
}

/// A function ends at a lone brace in the first column, and began at the last line before it that
/// has something else there. Members defined within their class are not seen.
void check_functions(const SourceFile& file, Complaints& out) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < file.lines.size(); ++i) {
    const std::string& line = file.lines[i];
    if (line == "}" && i - start + 1 > kFunctionLinesMax)
      out.push_back(at_line(file, start, std::to_string(i - start + 1) + " lines of function"));
    if (!line.empty() && std::string_view{" \t}#/"}.find(line[0]) == std::string_view::npos)
      start = i;
  }
}

void check_whole(const SourceFile& file, Complaints& out) {
  const std::string first = file.lines.empty() ? "" : file.lines[0];
  if (is_code(file.path) && file.lines.size() > kFileLinesMax)
    out.push_back(file.path + ": " + std::to_string(file.lines.size()) + " lines");
  if (is_cpp(file.path) && !first.starts_with("/// "))
    out.push_back(file.path + ": the first line must say what the file is, after ///");
  if (is_shell(file.path) &&
      std::ranges::find(file.lines, "set -euo pipefail") == file.lines.end())
    out.push_back(file.path + ": no `set -euo pipefail`");
}

Complaints check_tidy(const std::vector<SourceFile>& tree) {
  Complaints complaints;
  for (const SourceFile& file : tree) {
    check_lines(file, complaints);
    check_whole(file, complaints);
    if (is_cpp(file.path)) check_functions(file, complaints);
  }
  return complaints;
}

Complaints check_one(const std::string& path, std::string_view text) {
  const MadeUpTree tree;
  tree.write(path, text);
  return check_tidy(read_tree(tree.root()));
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Tidy, TheTreeIs) {
  const auto tree = read_tree(FORKPROOF_SOURCE_DIR);
  ASSERT_TRUE(std::ranges::any_of(tree, [](auto& f) { return f.path == "props/tidy_test.cpp"; }));
  ASSERT_TRUE(std::ranges::any_of(tree, [](auto& f) { return f.path == ".ci/run"; }));

  const Complaints complaints = check_tidy(tree);
  EXPECT_TRUE(complaints.empty()) << joined(complaints);
}

TEST(Tidy, LinesHaveAHundredColumns) {
  const std::string head = "/// A file.\n";
  EXPECT_EQ(check_one("a.cpp", head + std::string(100, 'x')), Complaints{});
  EXPECT_EQ(check_one("a.cpp", head + std::string(101, 'x')), Complaints{"a.cpp:2: 101 columns"});
  EXPECT_EQ(check_one("a.cpp", head + repeated("ä", 100)), Complaints{});
  EXPECT_EQ(check_one("a.md", std::string(101, 'x')), Complaints{});
}

TEST(Tidy, WorkIsNotPutOff) {
  for (const std::string& word : kForbidden) {
    EXPECT_EQ(check_one("a.md", "Fine.\n" + word + ": later.\n"),
              Complaints{"a.md:2: the word " + word});
    EXPECT_EQ(check_one("a.md", "mktemp a." + word + word + "\n"), Complaints{});
  }
}

TEST(Tidy, FunctionsHaveFortyLines) {
  const auto function = [](std::size_t lines) {
    return "/// A file.\nvoid f(int a,\n" + repeated("  ;\n", lines - 2) + "}\n";
  };
  EXPECT_EQ(check_one("a.cpp", function(40)), Complaints{});
  EXPECT_EQ(check_one("a.cpp", function(41)), Complaints{"a.cpp:2: 41 lines of function"});
  const std::string type = "struct S {\n" + repeated("  int a;\n", 60) + "};\n";
  EXPECT_EQ(check_one("a.cpp", function(40) + type + function(40).substr(12)), Complaints{});
}

TEST(Tidy, FilesHaveFiveHundredLines) {
  EXPECT_EQ(check_one("a.cpp", repeated("/// A line.\n", 500)), Complaints{});
  EXPECT_EQ(check_one("a.cpp", repeated("/// A line.\n", 501)), Complaints{"a.cpp: 501 lines"});
}

TEST(Tidy, FilesSayWhatTheyAre) {
  EXPECT_EQ(check_one("a.hpp", "#pragma once\n"),
            Complaints{"a.hpp: the first line must say what the file is, after ///"});
}

TEST(Tidy, ScriptsStopAtTheFirstError) {
  EXPECT_EQ(check_one("ci/a.sh", "#!/bin/bash\nset -euo pipefail\n"), Complaints{});
  EXPECT_EQ(check_one("ci/a.sh", "#!/bin/bash\n"), Complaints{"ci/a.sh: no `set -euo pipefail`"});
  EXPECT_EQ(check_one(".ci/run", "#!/bin/bash\n"), Complaints{".ci/run: no `set -euo pipefail`"});
}

TEST(Tidy, WhatTheBuildMakesIsNotOurs) {
  EXPECT_EQ(check_one("build/a.cpp", std::string(101, 'x')), Complaints{});
  EXPECT_EQ(check_one(".git/a.cpp", std::string(101, 'x')), Complaints{});
}

}  // namespace
}  // namespace forkproof::props
