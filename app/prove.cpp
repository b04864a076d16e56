/// `forkproof prove`: the bit logic that the implementation runs, proved for all words.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "app/arguments.hpp"
#include "app/commands.hpp"
#include "app/output.hpp"
#include "app/proofs.hpp"

namespace forkproof::app {

namespace fs = std::filesystem;

namespace {

/// `pid` names all obligations `pid.*`.
bool names(std::string_view name, const smt::Obligation& o) {
  return o.id == name || (o.id.starts_with(name) && o.id.substr(name.size()).starts_with("."));
}

Obligations chosen(const std::vector<std::string>& wanted) {
  Obligations all = smt::obligations();
  for (const std::string& name : wanted)
    if (std::ranges::none_of(all, [&](auto* o) { return names(name, *o); }))
      throw Failure{kBadInput, fmt::format("no obligation is called {}; see prove --list", name)};
  if (wanted.empty()) return all;
  std::erase_if(all, [&](const smt::Obligation* o) {
    return std::ranges::none_of(wanted, [&](auto& name) { return names(name, *o); });
  });
  return all;
}

/// A folder to write to, made if need be.
void expect_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw Failure{kBadInput, fmt::format("{}: {}", path, error.message())};
  expect_writable((fs::path(path) / "file").string());
}

/// The folder where answers are kept; empty where there is no place for one.
std::string cache_folder() {
  const auto place = [](const char* variable, const char* below) -> std::string {
    const char* const value = std::getenv(variable);
    if (value == nullptr || *value != '/') return {};
    return (fs::path(value) / below).string();
  };
  const std::string named = place("XDG_CACHE_HOME", "forkproof/proofs");
  return named.empty() ? place("HOME", ".cache/forkproof/proofs") : named;
}

int emit(const Obligations& which, const std::string& folder) {
  expect_folder(folder);
  std::size_t files = 0;
  for (const smt::Obligation* o : which)
    for (const smt::Query& q : smt::queries_of(*o)) {
      write_file((fs::path(folder) / smt::file_name(*o, q)).string(), q.text);
      ++files;
    }
  fmt::print("{} formulas of {} obligations\n", files, which.size());
  return kHolds;
}

void write_traces(const std::vector<smt::Finding>& findings, const std::string& folder) {
  std::size_t files = 0;
  for (const smt::Finding& f : findings)
    for (const auto& [file, text] : traces_of(f)) {
      write_file((fs::path(folder) / file).string(), text);
      ++files;
    }
  fmt::print(stderr, "{} traces\n", files);
}

void print_totals(const std::vector<smt::Finding>& findings, const std::string& solver,
                  double seconds) {
  std::size_t proved = 0, refuted = 0;
  for (const smt::Finding& f : findings) {
    proved += f.proved();
    refuted += f.twins(smt::Answer::sat);
  }
  fmt::print("{}: {} of {} obligations proved, {} twins refuted in {:.2f} s by {}\n",
             proved == findings.size() ? "holds" : "does not hold", proved, findings.size(),
             refuted, seconds, solver);
}

}  // namespace

std::string prove_all(harness::Results& results) {
  const auto start = std::chrono::steady_clock::now();
  for (const smt::Finding& f : smt::prove(smt::obligations(), {.cache = cache_folder()})) {
    harness::Case c{.engine = "prove",
                    .system = "impl",
                    .name = std::string(f.obligation->id),
                    .seconds = f.seconds,
                    .violation = {},
                    .error = {},
                    .skipped = {},
                    .reproduce = fmt::format("forkproof prove {}", f.obligation->id)};
    results.proved += f.proved();
    if (!f.proved()) c.violation = as_violation(f);
    results.cases.push_back(std::move(c));
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  results.seconds += took.count();
  return {};
}

int prove(const ProveOptions& o) {
  const Obligations which = chosen(o.names);
  if (o.list) {
    write_file("-", o.markdown ? as_page(which) : as_list(which));
    return kHolds;
  }
  if (!smt::is_solver(o.solver))
    throw Failure{kBadInput, fmt::format("--solver {}: expected z3 or cvc5", o.solver)};
  const std::uint64_t jobs = o.jobs.empty() ? 0 : read_number("--jobs", o.jobs);
  if (!o.jobs.empty() && (jobs == 0 || jobs > 1024))
    throw Failure{kBadInput, fmt::format("--jobs {}: expected 1 to 1024", o.jobs)};
  if (!o.emit.empty()) return emit(which, o.emit);
  const std::optional<std::string> solver = smt::version_of(o.solver);
  if (!solver)
    throw Failure{kCannotRun, fmt::format("{} is not installed (Debian: {})", o.solver, o.solver)};
  if (!o.traces.empty()) expect_folder(o.traces);

  const auto start = std::chrono::steady_clock::now();
  const smt::Options options{.solver = o.solver,
                             .cache = o.no_cache ? "" : cache_folder(),
                             .jobs = static_cast<unsigned>(jobs)};
  const std::vector<smt::Finding> findings = smt::prove(which, options);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  if (o.json) {
    fmt::print("{}", as_json(findings, *solver, took.count()));
  } else {
    for (const smt::Finding& f : findings) fmt::print("{}", as_line(f, o.twins));
    print_totals(findings, *solver, took.count());
  }
  if (!o.traces.empty()) write_traces(findings, o.traces);
  return std::ranges::all_of(findings, &smt::Finding::proved) ? kHolds : kViolated;
}

}  // namespace forkproof::app
