/// Writing files: whole or not at all.
#pragma once
#include <string>
#include <string_view>

namespace forkproof::app {

/// Writes `content` to `path`, through a file beside it that takes its place; `-` is standard
/// output. What is no regular file, such as a pipe, is written directly. Throws a Failure that
/// names the file; then nothing is left behind, and what was there is untouched.
void write_file(const std::string& path, std::string_view content);

/// Fails now where write_file would certainly fail later.
void expect_writable(const std::string& path);

/// Fails if there is something at `path`, unless that is wanted.
void expect_free(const std::string& path, bool force);

/// Makes a folder, or fails if it has something in it.
void expect_empty(const std::string& folder);

}  // namespace forkproof::app
