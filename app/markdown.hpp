/// Pages of the manual that the command prints.
#pragma once
#include <string>
#include <string_view>

namespace forkproof::app {

/// A cell of a table of Markdown, in which nothing is taken for markup. Between backquotes only the
/// bar would be.
inline std::string markdown_cell(std::string_view text) {
  std::string out;
  bool code = false;
  for (const char c : text) {
    code = code != (c == '`');
    if (c == '|' || (!code && (c == '<' || c == '*' || c == '_'))) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace forkproof::app
