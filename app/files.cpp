/// The commands about one trace: run, minimize, convert, show.
#include <fmt/format.h>

#include "app/commands.hpp"
#include "app/output.hpp"
#include "harness/lockstep.hpp"
#include "harness/shrink.hpp"
#include "harness/trace_file.hpp"
#include "impl/machine.hpp"
#include "spec/bytes.hpp"
#include "spec/render.hpp"
#include "spec/text.hpp"

namespace forkproof::app {

std::unique_ptr<harness::Checker> open(const std::string& system) {
  harness::Opened opened = harness::open_system(system);
  if (!opened.checker) throw Failure{opened.known ? kCannotRun : kBadInput, opened.reason};
  return std::move(opened.checker);
}

Script load(const std::string& file, bool* text) {
  harness::TraceFile loaded = harness::load(file);
  if (loaded.error) throw Failure{kBadInput, *loaded.error};
  if (text != nullptr) *text = loaded.text;
  return std::move(loaded.script);
}

namespace {

/// A Failure where the system cannot be held to the dialect of the script.
void expect_possible(const harness::Checker& checker, const Script& script,
                     const FileOptions& o) {
  if (const std::string why = checker.refuses(script.world.profile); !why.empty())
    throw Failure{kCannotRun, fmt::format("{}: {}", o.file, why)};
}

}  // namespace

int run_script(const FileOptions& o) {
  const auto checker = open(o.system);
  const Script script = load(o.file);
  expect_possible(*checker, script, o);
  const auto [recording, violation] = checker->record(script);
  write_file("-", print(recording));
  if (!violation) return kHolds;
  if (is_beyond(violation)) throw Failure{kCannotRun, violation->observed};
  fmt::print(stderr, "{}", report(*violation, ""));
  return kViolated;
}

int minimize(const FileOptions& o) {
  expect_free(o.output, o.force);
  expect_writable(o.output);
  const auto checker = open(o.system);
  const Script script = load(o.file);
  expect_possible(*checker, script, o);
  const auto violation = checker->run(script);
  if (!violation)
    throw Failure{kBadInput, fmt::format("{}: does not fail on {}", o.file, o.system)};
  if (is_beyond(violation)) throw Failure{kCannotRun, violation->observed};

  const harness::Violation least =
      harness::minimize(*violation, [&](const Script& s) { return checker->run(s); });
  write_file(o.output, print(least.trace));
  fmt::print(stderr, "{} steps became {}: {} ({})\n", script.steps.size(), least.trace.steps.size(),
             least.id, word(least.kind));
  return kHolds;
}

int convert(const FileOptions& o) {
  expect_free(o.output, o.force);
  bool text = false;
  const Script script = load(o.file, &text);
  if (text) {
    std::vector<std::uint8_t> bytes = encode(script);
    if (bytes.empty()) bytes.push_back(0);  // the same trace, and no empty file
    write_file(o.output, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  } else {
    write_file(o.output, print(script));
  }
  return kHolds;
}

namespace {

/// What a script takes of the implementation's arenas, as /proc/slabinfo would have it.
std::string slabs(const Script& script) {
  impl::Machine machine;
  harness::Lockstep<impl::Machine> lockstep(machine);
  if (const auto violation = lockstep.run(script))
    fmt::print(stderr, "the trace is violated at step {}\n", violation->step + 1);
  std::string out = fmt::format("{:<14} {:>6} {:>6} {:>6} {:>6} {:>10} {:>8} {:>8}\n", "slab",
                                "bytes", "live", "peak", "room", "handed-out", "reused", "colours");
  for (const auto& [name, c] : machine.slabs())
    out += fmt::format("{:<14} {:>6} {:>6} {:>6} {:>6} {:>10} {:>8} {:>8}\n", name, c.bytes, c.live,
                       c.peak, c.room, c.handed_out, c.reused(), c.colours);
  return out;
}

}  // namespace

int show(const FileOptions& o) {
  if (o.slab) {
    write_file("-", slabs(load(o.file)));
    return kHolds;
  }
  if (o.format != "tree" && o.format != "dot")
    throw Failure{kBadInput, fmt::format("--format {}: expected tree or dot", o.format)};
  const Script script = load(o.file);
  write_file("-", o.format == "dot" ? dot(script) : tree(script));
  return kHolds;
}

}  // namespace forkproof::app
