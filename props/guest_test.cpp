/// What goes over the line between a guest and us comes out as it went in.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "harness/qemu/archive.hpp"
#include "harness/qemu/frames.hpp"

namespace forkproof::props {
namespace {

using namespace harness::qemu;
using Frames = std::vector<std::pair<Frame, std::string>>;

/// What is read from a line whose bytes come in runs of this length.
Frames read(const std::string& line, std::size_t run, bool& good) {
  FrameReader reader;
  Frames frames;
  good = true;
  for (std::size_t at = 0; at < line.size() && good; at += run)
    good = reader.feed(line.substr(at, run), [&](Frame kind, std::string_view content) {
      frames.emplace_back(kind, content);
    });
  return frames;
}

TEST(Guest, FramesComeOutAsTheyWentIn) {
  const Frames sent{{Frame::begin, "Linux 6.1.0"},
                    {Frame::out, std::string("a\nb\0c\r\n", 7)},
                    {Frame::alive, ""},
                    {Frame::error, std::string(kFirstFrame)},
                    {Frame::file, std::string("/x\0", 3) + std::string(70'000, '\n')},
                    {Frame::status, "3"}};
  std::string line = "SeaBIOS\033[2J\nO3\n";  // firmware
  line += kFirstFrame;
  for (const auto& [kind, content] : sent) line += framed(kind, content);
  for (const std::size_t run : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, line.size()}) {
    bool good = false;
    EXPECT_EQ(read(line, run, good), sent) << "in runs of " << run;
    EXPECT_TRUE(good);
  }
}

TEST(Guest, WhatIsNoFrameIsNotUnderstood) {
  for (const std::string bad : {"O\n", "Ox\n", "O-1\n", "O1x\n", "\n", "O 1\n"}) {
    bool good = true;
    read(std::string(kFirstFrame) + bad, 100, good);
    EXPECT_FALSE(good) << bad;
  }
}

TEST(Guest, AFileSystemHasTheFoldersOfItsFilesOnceEachAndBefore) {
  Archive archive;
  archive.add_file("/a/b/file", "12345");
  archive.add_file("/a/other", "", true);
  archive.add_file("/a/other", "a second one of that name");
  const std::string bytes = std::move(archive).finish();
  EXPECT_EQ(bytes.size() % 4, 0u);
  std::vector<std::string> names;
  std::size_t at = 0;
  const auto number = [&](std::size_t field) {
    return std::stoul(bytes.substr(at + 6 + 8 * field, 8), nullptr, 16);
  };
  const auto filled = [](std::size_t n) { return (n + 3) / 4 * 4; };
  while (at < bytes.size()) {
    ASSERT_EQ(bytes.substr(at, 6), "070701");
    const std::size_t size = number(6), name = number(11);
    names.push_back(bytes.substr(at + 110, name - 1));
    at = filled(filled(at + 110 + name) + size);
  }
  const std::vector<std::string> wanted{"a", "a/b", "a/b/file", "a/other", "TRAILER!!!"};
  EXPECT_EQ(names, wanted);
}

}  // namespace
}  // namespace forkproof::props
