/// Prints the dictionary of the targets that take texts, or of those that take bytes, from the
/// declarations: `print_dictionary text|bytes`. What it prints is kept in fuzz/*.dict, and a test
/// compares.
#include <fmt/format.h>

#include <cstdio>
#include <set>
#include <string>

#include "spec/bytes.hpp"
#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof::fuzz {
namespace {

std::string quoted(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\';
    out += plain ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return out + "\"";
}

void add(std::set<std::string>& words, std::span<const Word> table) {
  for (const Word& w : table) words.emplace(w.name);
}

/// What a text has besides the words of the tables.
constexpr std::string_view kTexts[] = {"forkproof-trace v1\n",
                                       "world profile=",
                                       " pid_max=",
                                       "init: ",
                                       "world: ",
                                       "\nexpect ",
                                       " -> ",
                                       " => ",
                                       " as A",
                                       " pid 3",
                                       "group:",
                                       "own-group",
                                       "all",
                                       "any",
                                       "none",
                                       "blocks",
                                       "not-run",
                                       "dies ",
                                       "value:1",
                                       "task:1",
                                       "core",
                                       "0x10",
                                       "\nA: ",
                                       "\ninit => "};

std::set<std::string> texts() {
  std::set<std::string> words(std::begin(kTexts), std::end(kTexts));
  const auto flags = [&]<class Kind>(Flags<Kind>) { add(words, Kind::words); };
  for (std::size_t i = 0; i < kOps; ++i) {
    const Op op = default_op(i);
    words.emplace(kOpNames[i]);
    std::visit(
        [&](const auto& o) {
          for_each_arg(o, [&]<class V>(const auto& arg, const V& value) {
            if (arg.form == Form::key) words.insert(std::string(arg.name) + '=');
            if constexpr (Enumeration<V>) add(words, words_of(value));
            if constexpr (FlagWord<V>) flags(value);
          });
        },
        op);
  }
  for (const auto table : {words_of(Profile{}), words_of(State{}), words_of(Change{}),
                           words_of(Errno{}), std::span<const Word>(kSignals)})
    add(words, table);
  for (std::size_t field = 0; field < kFields; ++field) words.emplace(field_name(field));
  return words;
}

/// Each op by init, with its default arguments.
std::set<std::string> steps() {
  std::set<std::string> all;
  for (std::size_t i = 0; i < kOps; ++i) {
    Script script;
    script.steps.emplace_back().op = default_op(i);
    if (creates(script.steps[0].op)) {
      script.steps[0].binds = 1;
      script.names.push_back(canonical_name(1));
    }
    const std::vector<std::uint8_t> bytes = encode(script);
    all.emplace(bytes.begin() + 1, bytes.end());  // without the world
  }
  return all;
}

}  // namespace
}  // namespace forkproof::fuzz

int main(int argc, char** argv) {
  const std::string_view what = argc == 2 ? argv[1] : "";
  if (what != "text" && what != "bytes") {
    fmt::print(stderr, "usage: {} text|bytes\n", argv[0]);
    return 2;
  }
  fmt::print("# By print_dictionary {}, from the declarations of spec/.\n", what);
  for (const std::string& word :
       what == "text" ? forkproof::fuzz::texts() : forkproof::fuzz::steps())
    fmt::print("{}\n", forkproof::fuzz::quoted(word));
}
