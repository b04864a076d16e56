/// The parser of traces: whatever the text is, it says what is wrong and where, or it gives a
/// script that prints back to itself.
#include <algorithm>

#include "fuzz/focus.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/target.hpp"
#include "spec/bytes.hpp"
#include "spec/text.hpp"

namespace forkproof::fuzz {

const std::string_view kTargetName = "fuzz_trace_text";

namespace {

std::string_view text_of(Bytes input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

class TraceText final : public Target {
 public:
  std::string_view extension() const override { return ".txt"; }
  bool holds(Bytes input) override { return complaint(text_of(input)).empty(); }
  Finding explain(Bytes input) override {
    return plain_finding(complaint(text_of(input)), input, extension());
  }
  /// On the ops of a text that is a trace.
  Buffer mutate(Bytes input, std::uint32_t seed) override {
    Parsed parsed = parse(text_of(input));
    if (parsed.error || seed % 2 == 0) return {};
    const std::string text = print(Mutator(seed, focus_).mutate(std::move(parsed.script)));
    return {text.begin(), text.end()};
  }

 private:
  static std::string_view complaint(std::string_view text) {
    const Parsed parsed = parse(text);
    if (parsed.error) return complaint(text, *parsed.error);
    if (!well_formed(parsed.script)) return "the text parses to a script that is not well-formed";
    const std::string printed = print(parsed.script);
    const Parsed again = parse(printed);
    if (again.error) return "what was printed does not parse";
    if (!(again.script == parsed.script)) return "what was printed parses to another script";
    if (print(again.script) != printed) return "a script prints in two ways";
    return {};
  }

  static std::string_view complaint(std::string_view text, const ParseError& error) {
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    if (error.message.empty()) return "an error says nothing";
    if (error.line < 1 ||
        static_cast<std::size_t>(error.line) > lines + 1)  // behind the last: the end
      return "an error is in a line that the text has not";
    if (error.column < 1 || static_cast<std::size_t>(error.column) > text.size() + 1)
      return "an error is in a column that the text has not";
    return {};
  }

  Focus focus_;
};

}  // namespace

Target& target() {
  static TraceText t;
  return t;
}

}  // namespace forkproof::fuzz
