/// Writing a file whole or not at all.
#pragma once
#include <string>
#include <string_view>

namespace forkproof::fuzz {

/// Through a file beside it that takes its place. The answer is why not, empty if written; then
/// nothing is left behind.
std::string write_whole(const std::string& path, std::string_view content);

}  // namespace forkproof::fuzz
