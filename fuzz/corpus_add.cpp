/// Adds a trace to a corpus: `corpus_add CORPUS FILE [SYSTEM]`.
///
/// One that fails is made small and becomes CORPUS/regressions/RULE-SHAPE.trace. One that holds is
/// added only if no trace there makes all the rules act that it does; it is made small while it
/// still does, gets the outcomes that were seen, and becomes CORPUS/added/RULE-SHAPE.trace, by the
/// rule that the fewest others have. Exit status: 0 added or not needed, 2 bad input.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "fuzz/file.hpp"
#include "fuzz/finding.hpp"
#include "harness/checker.hpp"
#include "harness/distill.hpp"
#include "harness/shrink.hpp"
#include "harness/trace_file.hpp"
#include "spec/text.hpp"

namespace forkproof::fuzz {
namespace {

namespace fs = std::filesystem;

int complain(std::string_view what) {
  fmt::print(stderr, "{}\n", what);
  return 2;
}

int write_into(const fs::path& folder, const Finding& f) {
  std::error_code error;
  fs::create_directories(folder, error);
  const std::string path = (folder / (f.name + f.extension)).string();
  if (fs::exists(path, error)) return fmt::print("{} is there already\n", path), 0;
  if (const std::string why = write_whole(path, f.content); !why.empty())
    return complain(fmt::format("{}: {}", path, why));
  fmt::print("added {}\n", path);
  return 0;
}

/// What the corpus has: the rules of each trace.
struct Known {
  std::vector<std::string> files;
  std::vector<harness::Rules> rules;
};

Known read_corpus(const std::string& corpus) {
  Known known;
  for (const std::string& file : harness::list_traces({corpus}).files) {
    const harness::TraceFile trace = harness::load(file);
    if (trace.error) continue;  // the replay of the corpus says so
    known.files.push_back(file);
    known.rules.push_back(harness::rules_of(trace.script));
  }
  return known;
}

/// The rule of `mine` that the fewest traces of the corpus have.
RuleId rarest(const harness::Rules& mine, const Known& known) {
  RuleId best;
  std::ptrdiff_t least = PTRDIFF_MAX;
  for (std::uint16_t n = 0; n < kRules.size(); ++n) {
    if (!mine[n]) continue;
    const auto has = std::ranges::count_if(known.rules, [&](const auto& r) { return r[n]; });
    if (has < least) best = {n}, least = has;
  }
  return best;
}

int add_holding(harness::Checker& checker, const std::string& corpus, const std::string& file,
                const Script& script) {
  const Script bare = harness::without_expectations(script);
  const harness::Rules mine = harness::rules_of(bare);
  if (mine.none()) return fmt::print("{}: makes no rule act; not added\n", file), 0;
  const Known known = read_corpus(corpus);
  for (std::size_t i = 0; i < known.files.size(); ++i)
    if ((mine & ~known.rules[i]).none())
      return fmt::print("{}: {} makes the same rules act; not added\n", file, known.files[i]), 0;

  Script least = checker.record(harness::least_with(bare, mine)).script;
  const RuleId rule = rarest(mine, known);
  least.head = {fmt::format(" {}: {}", rule.rule().id, rule.rule().says)};
  Finding f{.name = name_by(rule.rule().id, least),
            .report = {},
            .content = print(least),
            .extension = ".trace"};
  return write_into(fs::path(corpus) / "added", f);
}

int add(const std::string& corpus, const std::string& file, const std::string& system) {
  harness::Opened opened = harness::open_system(system);
  if (!opened.checker) return complain(opened.reason);
  std::error_code error;
  if (!fs::is_directory(corpus, error)) return complain(corpus + ": is no folder");
  const harness::TraceFile trace = harness::load(file);
  if (trace.error) return complain(*trace.error);

  const auto run = [&](const Script& s) { return opened.checker->run(s); };
  std::optional<harness::Violation> violation = run(trace.script);
  if (!violation) return add_holding(*opened.checker, corpus, file, trace.script);
  const Finding f = finding_of(harness::minimize(std::move(*violation), run), system);
  fmt::print("{}", f.report);
  return write_into(fs::path(corpus) / "regressions", f);
}

}  // namespace
}  // namespace forkproof::fuzz

int main(int argc, char** argv) {
  if (argc < 3 || argc > 4) {
    fmt::print(stderr, "usage: {} CORPUS FILE [SYSTEM]\n", argv[0]);
    return 2;
  }
  return forkproof::fuzz::add(argv[1], argv[2], argc == 4 ? argv[3] : "impl");
}
