/// Replays a corpus on the target of this program, without a fuzzer: every input holds, and when it
/// is run again, after all others, it does the same to the last counter.
///
///   replay_NAME [--rules] PATH...
///
/// A PATH is an input or a folder of them. Traces as text are inputs of the targets that take
/// traces. --rules prints the rules that acted, and those that did not. In a build with coverage
/// the edges of the code are compared, too. Exit status: 0 all hold, 1 one does not, 2 bad input.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>

#include "fuzz/edges.hpp"
#include "fuzz/file.hpp"
#include "fuzz/guide.hpp"
#include "fuzz/inputs.hpp"
#include "spec/bytes.hpp"
#include "spec/text.hpp"

namespace forkproof::fuzz {
namespace {

/// What a run did, as one number each.
struct Trail {
  bool held = false;
  std::uint64_t guide = 0, counts = 0, edges = 0;
  friend bool operator==(const Trail&, const Trail&) = default;
};

Trail run(const Input& input) {
  begin_guide();
  clear_edges();
  Trail t;
  t.held = target().holds(input.bytes);
  t.guide = guide_hash();
  t.edges = hash_of_edges();
  t.counts = hash_of({reinterpret_cast<const char*>(counters().data()), counters().size()});
  return t;
}

std::vector<Trail> run_all(const std::vector<Input>& inputs, bool backwards) {
  std::vector<Trail> trails(inputs.size());
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const std::size_t i = backwards ? inputs.size() - 1 - k : k;
    trails[i] = run(inputs[i]);
  }
  return trails;
}

/// Prints what does not hold, and what is not stable. Answers the exit status.
int compare(const std::vector<Input>& inputs, const std::vector<Trail>& first,
            const std::vector<Trail>& second) {
  std::size_t violations = 0, unstable = 0;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!first[i].held) {
      ++violations;
      fmt::print("{}: {}\n", inputs[i].path, target().explain(inputs[i].bytes).report);
    }
    if (first[i] == second[i]) continue;
    ++unstable;
    fmt::print("{}: does not do the same twice:{}{}{}\n", inputs[i].path,
               first[i].guide == second[i].guide ? "" : " states",
               first[i].counts == second[i].counts ? "" : " counters",
               first[i].edges == second[i].edges ? "" : " edges");
  }
  const double stable = 100.0 - 100.0 * static_cast<double>(unstable) /
                                    static_cast<double>(std::max<std::size_t>(inputs.size(), 1));
  fmt::print("{}: {} inputs, {} violations, {:.4g} % stable\n", kTargetName, inputs.size(),
             violations, stable);
  return violations + unstable == 0 ? 0 : 1;
}

void print_rules(const std::vector<Input>& inputs) {
  std::vector<bool> acted(kRules.size());
  for (const Input& input : inputs) {
    begin_guide();
    target().holds(input.bytes);
    for (std::size_t n = 0; n < kRules.size(); ++n)
      if (counters()[n] != 0) acted[n] = true;
  }
  for (std::size_t n = 0; n < kRules.size(); ++n)
    fmt::print("{:7}  {}\n", acted[n] ? "covered" : "never", kRules[n].id);
  fmt::print("rules covered: {}/{}\n", std::ranges::count(acted, true), kRules.size());
}

int print_traces(const std::vector<Input>& inputs) {
  if (!target().takes_traces()) {
    fmt::print(stderr, "the inputs of {} are no traces\n", kTargetName);
    return 2;
  }
  for (const Input& input : inputs) fmt::print("{}", print(decode(input.bytes)));
  return 0;
}

int write_to(const std::string& folder, const Input& input, std::string_view extension) {
  const std::string content(input.bytes.begin(), input.bytes.end());
  const std::string path = fmt::format("{}/{:016x}{}", folder, hash_of(content), extension);
  const std::string error = write_whole(path, content);
  if (!error.empty()) fmt::print(stderr, "{}: {}\n", path, error);
  return error.empty() ? 0 : 2;
}

int export_to(const std::string& folder, const std::vector<Input>& inputs) {
  for (const Input& input : inputs)
    if (const int status = write_to(folder, input, "")) return status;
  return 0;
}

int distil(const std::string& folder, std::vector<Input> inputs) {
  for (Input& input : inputs) input.bytes = target().canonical(input.bytes);
  std::ranges::sort(inputs, {}, [](const Input& i) { return std::pair{i.bytes.size(), i.path}; });
  std::vector<bool> met;
  std::size_t kept = 0;
  for (const Input& input : inputs) {
    run(input);
    bool adds = false;
    auto meet = [&, at = std::size_t{0}](bool is_there) mutable {
      if (met.size() == at) met.push_back(false);
      adds = adds || (is_there && !met[at]);
      met[at] = met[at] || is_there;
      ++at;
    };
    for (const std::uint8_t counter : lasting_counters()) meet(counter != 0);
    for_each_edge(std::ref(meet));
    if (!adds) continue;
    ++kept;
    if (const int status = write_to(folder, input, target().extension())) return status;
  }
  fmt::print("{}: kept {} of {} inputs\n", kTargetName, kept, inputs.size());
  return 0;
}

int replay(std::string_view mode, const std::string& folder,
           const std::vector<std::string>& paths) {
  const Inputs inputs = read_inputs(paths);
  for (const std::string& error : inputs.errors) fmt::print(stderr, "{}\n", error);
  if (!inputs.errors.empty()) return 2;
  if (mode == "--rules") return print_rules(inputs.all), 0;
  if (mode == "--print") return print_traces(inputs.all);
  if (mode == "--export") return export_to(folder, inputs.all);
  if (mode == "--distil") return distil(folder, inputs.all);
  run_all(inputs.all, false);  // what grows with use has grown
  return compare(inputs.all, run_all(inputs.all, false), run_all(inputs.all, true));
}

}  // namespace
}  // namespace forkproof::fuzz

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  std::string mode, folder;
  const auto take = [&](std::string& into) {
    if (words.empty()) return;
    into = words[0];
    words.erase(words.begin());
  };
  if (!words.empty() && words[0].starts_with("-")) take(mode);
  const bool writes = mode == "--export" || mode == "--distil";
  if (writes) take(folder);
  const bool known = mode.empty() || mode == "--rules" || mode == "--print" || writes;
  if (words.empty() || !known) {
    fmt::print(stderr, "usage: {} [--rules | --print | --export DIR | --distil DIR] PATH...\n",
               argv[0]);
    return 2;
  }
  return forkproof::fuzz::replay(mode, folder, words);
}
