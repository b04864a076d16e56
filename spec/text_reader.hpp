/// Reads the parts of a trace, op, outcome and expectation, from the words of one line.
#pragma once
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>

#include "spec/text_values.hpp"

namespace forkproof {

/// A word of a line and its column; without text it is the end of the line.
struct Token {
  std::string_view text;
  int column = 1;
};

/// The words of a line without its comment, one after the other.
class LineWords {
 public:
  explicit LineWords(std::string_view line) : line_(line) { advance(); }

  Token peek() const { return next_; }
  Token next() {
    const Token token = next_;
    advance();
    return token;
  }

 private:
  static constexpr std::string_view kBlanks = " \t";

  void advance() {
    const std::size_t begin = std::min(line_.find_first_not_of(kBlanks, at_), line_.size());
    at_ = std::min(line_.find_first_of(kBlanks, begin), line_.size());
    next_ = {line_.substr(begin, at_ - begin), static_cast<int>(begin) + 1};
  }

  std::string_view line_;
  std::size_t at_ = 0;
  Token next_;
};

/// The names bound so far. Keeps views: what it is given must outlive it.
class NameTable {
 public:
  std::int32_t operator()(std::string_view name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? kNoName : found->second;
  }
  void add(std::string_view name, std::size_t index) {
    index_.emplace(name, static_cast<std::int32_t>(index));
  }

 private:
  std::unordered_map<std::string_view, std::int32_t> index_;
};

/// Each function answers whether it could; if not, `error` says where and why.
class PartReader {
 public:
  PartReader(LineWords& line, const NameTable& names) : line_(line), read_(names) {}

  ParseError error;  // without its line

  bool op(Op& op);
  bool outcome(Outcome& outcome, bool answers_task);
  bool expectation(Expectation& e);
  bool end(std::string_view expected);

  template <class Value>
  bool value(Value& v) {
    const Token token = line_.next();
    return read_(token.text, v) || fail(token, describe<Value>());
  }

  bool fail(Token token, std::string_view expected);

 private:
  bool change(Outcome& outcome);
  bool answer(Token token, Outcome& outcome, bool answers_task);
  bool argument(const auto& arg, auto& v);

  LineWords& line_;
  ValueReader<NameTable> read_;
};

/// The word as a message may show it: short, and without bytes that a terminal would obey.
std::string shown(std::string_view word);

}  // namespace forkproof
