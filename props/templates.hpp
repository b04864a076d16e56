/// The templates of impl/bits/, read off the text: who calls which. A proof about a template that
/// the implementation no longer calls would be about nothing.
#pragma once
#include <map>
#include <set>
#include <string>

#include "props/tree.hpp"

namespace forkproof::props {

/// The names in `text` that are called.
inline std::set<std::string> calls_in(std::string_view text) {
  const auto in_name = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  std::set<std::string> names;
  for (std::size_t open = text.find('('); open != text.npos; open = text.find('(', open + 1)) {
    std::size_t start = open;
    while (start > 0 && in_name(text[start - 1])) --start;
    names.emplace(text.substr(start, open - start));
  }
  return names;
}

inline std::string without_comments(const SourceFile& file) {
  std::string text;
  for (const std::string& line : file.lines) text += line.substr(0, line.find("//")) + '\n';
  return text;
}

struct Templates {
  std::map<std::string, std::set<std::string>> calls;  // of each template: what it calls
  std::set<std::string> roots;                         // what impl/ itself calls
  std::set<std::string> in_proofs;                     // what smt/obligations/ calls

  /// All that calls of these lead to.
  std::set<std::string> reached_from(const std::set<std::string>& from) const {
    std::set<std::string> reached;
    std::vector<std::string> next(from.begin(), from.end());
    while (!next.empty()) {
      const std::string name = next.back();
      next.pop_back();
      const auto at = calls.find(name);
      if (at == calls.end() || !reached.insert(name).second) continue;
      next.insert(next.end(), at->second.begin(), at->second.end());
    }
    return reached;
  }
};

/// The functions of a header of bits/: each follows its `template <...>` line. The operations of a
/// machine word, which a symbolic one brings of its own, are none.
inline void read_templates(const SourceFile& file, Templates& out) {
  const std::string text = without_comments(file);
  static constexpr std::string_view kBegin = "\ntemplate <", kFunction = "constexpr";
  for (std::size_t at = text.find(kBegin); at != text.npos;) {
    const std::size_t next = text.find(kBegin, at + 1);
    const std::string whole = text.substr(at, next == text.npos ? next : next - at);
    at = next;
    const std::size_t head = whole.find('\n', 1);
    const std::size_t open = whole.find('(', head);
    const bool is_primitive = whole.find("std::unsigned_integral") < head ||
                              whole.find("choose(bool") != whole.npos;
    if (is_primitive || !whole.substr(head + 1).starts_with(kFunction)) continue;
    const std::size_t space = whole.rfind(' ', open);
    out.calls[whole.substr(space + 1, open - space - 1)] = calls_in(whole.substr(open + 1));
  }
}

inline Templates read_templates(const std::vector<SourceFile>& tree) {
  Templates all;
  for (const SourceFile& file : tree)
    if (is_cpp(file.path) && file.path.starts_with("impl/bits/")) read_templates(file, all);
  for (const SourceFile& file : tree) {
    const bool proves = file.path.starts_with("smt/obligations/");
    const bool runs = file.path.starts_with("impl/") && !file.path.starts_with("impl/bits/");
    if (!is_cpp(file.path) || (!proves && !runs)) continue;
    const std::string text = without_comments(file);
    for (std::size_t at = text.find("bits::"); at != text.npos; at = text.find("bits::", at + 1)) {
      const std::set<std::string> called = calls_in(text.substr(at, text.find('(', at) + 1 - at));
      (proves ? all.in_proofs : all.roots).insert(called.begin(), called.end());
    }
  }
  return all;
}

/// What is wrong: a template that does not run, or that no obligation is about; a name in `about`
/// that is none, or that no obligation calls.
inline Complaints check_templates(const Templates& t, const std::set<std::string>& about) {
  Complaints complaints;
  const std::set<std::string> run = t.reached_from(t.roots), proved = t.reached_from(t.in_proofs);
  for (const auto& [name, calls] : t.calls) {
    if (!run.contains(name)) complaints.push_back(name + ": impl/ does not call it");
    if (!about.contains(name)) complaints.push_back(name + ": no obligation names it");
    if (!proved.contains(name)) complaints.push_back(name + ": no obligation calls it");
  }
  for (const std::string& name : about)
    if (!t.calls.contains(name)) complaints.push_back(name + ": no such template");
  return complaints;
}

}  // namespace forkproof::props
