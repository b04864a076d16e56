/// How `check` and `replay` tell what they do and what they found.
#include "app/reporting.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "app/interrupt.hpp"
#include "app/output.hpp"

namespace forkproof::app {

namespace {

constexpr std::chrono::milliseconds kProgressEvery{200};

/// `1 trace`, `2 traces`
std::string counted(std::uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

double rate(std::uint64_t n, double seconds) {
  return static_cast<double>(n) / std::max(seconds, 1e-6);
}

}  // namespace

Progress::Progress() : on_(::isatty(STDERR_FILENO) == 1), last_(harness::Clock::now()) {}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

bool Progress::is_due() const {
  return on_ && harness::Clock::now() - last_ >= kProgressEvery;
}

void Progress::show(const std::string& line) {
  if (!is_due()) return;
  last_ = harness::Clock::now();
  shown_ = true;
  fmt::print(stderr, "\r\033[K{}", line);
}

void Progress::show(const harness::Results& r) {
  if (!is_due()) return;
  show(fmt::format("{:.0f} s: {}, {}, {:.0f} ops/s", r.seconds, counted(r.traces, "trace"),
                   counted(r.ops, "op"), rate(r.ops, r.seconds)));
}

harness::Watch watch(Progress& progress) {
  return [&progress](const harness::Results& results) {
    progress.show(results);
    return !interrupted();
  };
}

void print_cases(const harness::Results& results) {
  for (const harness::Case& c : results.cases) {
    if (!c.error.empty()) fmt::print(stderr, "{}\n", c.error);
    if (!c.violation) continue;
    fmt::print("{}: {}\n", c.engine == "replay" ? c.name : c.engine + ' ' + c.name,
               harness::report(*c.violation, c.reproduce));
  }
}

void print_totals(const harness::Results& r) {
  const std::size_t violations = r.violations();
  if (r.proved > 0)
    fmt::print("{} about the bit logic proved, in {:.2f} s in all\n",
               counted(r.proved, "obligation"), r.seconds);
  if (r.traces > 0 || r.proved == 0)
    fmt::print("{}, {} in {:.2f} s ({:.0f} traces/s, {:.0f} ops/s) on {}\n",
               counted(r.traces, "trace"), counted(r.ops, "op"), r.seconds,
               rate(r.traces, r.seconds), rate(r.ops, r.seconds), r.system);
  if (r.matrix)
    fmt::print("matrix: {} of flags, exit signal and caller: {} {} a task, {} refused, {}\n",
               counted(r.matrix->tried, "combination"), r.matrix->made,
               r.matrix->made == 1 ? "makes" : "make", r.matrix->refused,
               r.matrix->disagree == 0 ? std::string("all agree")
                                       : fmt::format("{} DISAGREE", r.matrix->disagree));
  if (!r.abilities.empty()) fmt::print("{}: {}\n", r.system, r.abilities);
  if (const std::size_t skipped = r.skipped()) {
    const auto at = std::ranges::find_if(r.cases, [](auto& c) { return !c.skipped.empty(); });
    fmt::print("{} skipped: {}\n", skipped,
               at != r.cases.end()        ? at->skipped
               : !r.beyond_what.empty() ? r.beyond_what
                                        : "they need what the system has not");
  }
  if (const std::size_t errors = r.errors())
    fmt::print("{} could not be read\n", counted(errors, "file"));
  if (violations == 0 && r.traces + r.proved > 0 && r.errors() == 0)
    fmt::print("no violation\n");
  else if (violations == 0)
    fmt::print("no violation in what could be run\n");
  else
    fmt::print("{}\n", counted(violations, "violation"));
}

void add_errors(const std::vector<std::string>& errors, harness::Results& results) {
  for (const std::string& error : errors) {
    harness::Case c;
    c.engine = "replay";
    c.system = results.system;
    c.name = error.substr(0, error.rfind(':'));
    c.error = error;
    results.cases.push_back(std::move(c));
  }
}

int conclude(const harness::Results& results, const ReportOptions& options) {
  if (options.json) fmt::print("{}", harness::to_json(results));
  if (!options.junit.empty()) write_file(options.junit, harness::to_junit(results));
  if (results.violations() > 0) return kViolated;
  if (results.traces == 0 && results.skipped() > 0) return kCannotRun;
  return results.errors() > 0 ? kBadInput : kHolds;
}

}  // namespace forkproof::app
