/// The engine `matrix`: clone with every combination of flags, exit signals and callers.
#include "harness/matrix.hpp"

#include <fmt/format.h>

#include <array>
#include <cassert>

#include "harness/shrink.hpp"
#include "spec/text.hpp"

namespace forkproof::harness {

namespace {

/// Signals of ends stay pending, where they can be seen; memory and handlers are there to share.
constexpr std::string_view kBefore =
    "init: sigprocmask block SIGCHLD|SIGUSR1|SIGUSR2\n"
    "init: sigaction SIGHUP catch\n"
    "init: mmap private\n"
    "init: write 0 1\n";

constexpr Caller kCallers[] = {
    {"init", "the first thread of init", "init", ""},
    {"init-thread", "another thread of init", "caller",
     "init: clone VM|SIGHAND|THREAD as caller\n"},
    {"child", "a child of init", "caller", "init: fork as caller\n"},
    {"child-thread", "a thread of a child of init", "caller",
     "init: fork as leader\nleader: clone VM|SIGHAND|THREAD as caller\n"},
    {"grandchild", "one whose end sends SIGUSR2, and whose parent is not init", "caller",
     "init: fork as parent\nparent: clone exit_signal=12 as caller\n"},
    {"grandchild-thread", "a thread of such a process", "caller",
     "init: fork as parent\nparent: clone exit_signal=12 as leader\n"
     "leader: clone VM|SIGHAND|THREAD as caller\n"},
    {"borrower", "one that runs in the memory of its maker, which sleeps", "caller",
     "init: fork as parent\nparent: vfork as caller\n"},
    {"survivor", "a thread whose leader is dead", "caller",
     "init: fork as leader\nleader: clone VM|SIGHAND|THREAD as caller\nleader: exit 1\n"},
};

constexpr ExitSignal kSignals[] = {{0}, {17}, {10}};  // none, SIGCHLD, another one

constexpr std::string_view kAfter =
    "{0}: clone as one\n"
    "one: write 0 2\n"
    "one: sigaction SIGTERM catch\n"
    "one: getppid\n"
    "one: exit 3\n"
    "{0}: wait4 any WNOHANG\n"
    "{0}: wait4 any WNOHANG|__WALL\n"
    "init: wait4 any WNOHANG|__WALL\n"
    "{0}: clone as two\n"
    "two: write 0 3\n";

/// What all combinations of a caller have in common, read once.
const Script& outline(std::size_t caller) {
  static const std::array<Script, std::size(kCallers)> outlines = [] {
    std::array<Script, std::size(kCallers)> scripts;
    for (std::size_t i = 0; i < scripts.size(); ++i) {
      Parsed parsed = parse(fmt::format("{} {}\n{}{}{}", kTraceWord, kTraceVersion, kBefore,
                                        kCallers[i].lines, fmt::format(kAfter, kCallers[i].actor)));
      assert(!parsed.error);
      scripts[i] = std::move(parsed.script);
    }
    return scripts;
  }();
  return outlines[caller];
}

/// Whether the step is one of those that the matrix is about.
bool is_tried(const Step& step, const Script& script) {
  return step.binds != kNoName && (script.names[static_cast<std::size_t>(step.binds)] == "one" ||
                                   script.names[static_cast<std::size_t>(step.binds)] == "two");
}

std::uint64_t set_of_flags(std::uint64_t number) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < kMatrixFlags.size(); ++i)
    if ((number >> i & 1) != 0) bits |= kMatrixFlags[i].bits;
  return bits;
}

/// What was seen of a combination's clone, the first one.
void count(MatrixTally& tally, const Script& recording) {
  ++tally.tried;
  for (const Step& s : recording.steps) {
    if (!is_tried(s, recording)) continue;
    const bool made = s.outcome && (s.outcome->kind == Outcome::Kind::task ||
                                    s.outcome->kind == Outcome::Kind::blocks);
    tally.made += made;
    tally.refused += s.outcome && s.outcome->kind == Outcome::Kind::error;
    return;
  }
}

struct Part {
  std::size_t caller;
  Profile profile;
  std::uint64_t begin, end;  // combinations
};

std::string command(std::uint64_t number, Profile profile, const Results& results) {
  return fmt::format("forkproof check --engine matrix --system {} --profile {} --combination {}",
                     results.system, *name_of(kProfiles, static_cast<std::uint64_t>(profile)),
                     number);
}

/// The combinations of one caller. Once there was no verdict there is no going on: each such costs
/// the patience of a watchdog.
Case run_part(Checker& checker, const Part& part, Results& results, const Watch& watch) {
  const Clock::time_point start = Clock::now();
  const double before = results.seconds;
  Case c;
  c.engine = "matrix";
  c.system = results.system;
  c.name = fmt::format("{} {}", kCallers[part.caller].name,
                       *name_of(kProfiles, static_cast<std::uint64_t>(part.profile)));
  for (std::uint64_t n = part.begin; n < part.end && watch(results); ++n) {
    Checker::Recording r = checker.record(combination(n, part.profile));
    if (is_beyond(r.violation)) {
      ++results.beyond[r.violation->observed];
      continue;
    }
    count(*results.matrix, r.script);
    ++results.traces;
    results.ops += r.script.steps.size();
    results.seconds = before + seconds_since(start);
    if (!r.violation) continue;
    ++results.matrix->disagree;
    if (!c.violation) {
      c.violation = std::move(r.violation);
      c.reproduce = command(n, part.profile, results);
    }
    if (c.violation->kind == Violation::Kind::unknown) break;
  }
  c.seconds = seconds_since(start);
  return c;
}

}  // namespace

std::span<const Caller> matrix_callers() { return kCallers; }
std::span<const ExitSignal> matrix_signals() { return kSignals; }
std::uint64_t matrix_size() { return kFlagSets * std::size(kSignals) * std::size(kCallers); }

Script combination(std::uint64_t number, Profile profile) {
  const CloneFlags flags{set_of_flags(number % kFlagSets)};
  const ExitSignal signal = kSignals[number / kFlagSets % std::size(kSignals)];
  Script script = outline(number / kFlagSets / std::size(kSignals) % std::size(kCallers));
  script.world.profile = profile;
  for (Step& s : script.steps)
    if (is_tried(s, script)) {
      auto& clone = std::get<Clone>(s.op);
      clone.flags = flags;
      clone.exit_signal = signal;
    }
  return script;
}

void run_matrix(Checker& checker, const Matrix& matrix, Results& results, const Watch& watch) {
  const std::uint64_t of_caller = matrix_size() / std::size(kCallers);
  std::vector<Case> cases;
  results.matrix.emplace();
  for (const Profile profile : matrix.profiles)
    for (std::size_t caller = 0; caller < std::size(kCallers); ++caller) {
      Part part{caller, profile, caller * of_caller, (caller + 1) * of_caller};
      if (matrix.only && (*matrix.only < part.begin || *matrix.only >= part.end)) continue;
      if (matrix.only) part.begin = *matrix.only, part.end = part.begin + 1;
      if (!watch(results)) break;
      cases.push_back(run_part(checker, part, results, watch));
    }
  results.coverage.add(checker.coverage());  // of the matrix, and not of the shrinking
  for (Case& c : cases) {
    if (c.violation && c.violation->kind != Violation::Kind::unknown)
      c.violation = minimize(*c.violation, [&](const Script& s) { return checker.run(s); });
    results.cases.push_back(std::move(c));
  }
}

}  // namespace forkproof::harness
