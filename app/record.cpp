/// `forkproof record`: a corpus of small traces, with what a system did.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>

#include <ctime>
#include <filesystem>

#include "app/arguments.hpp"
#include "app/commands.hpp"
#include "app/interrupt.hpp"
#include "app/output.hpp"
#include "harness/distill.hpp"
#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof::app {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kTriesMax = 20'000;  // random traces without anything new

/// `Linux 6.18.44` for the kernel that is running, else the name of the system.
std::string name_of_system(const std::string& system) {
  utsname u{};
  const bool is_kernel = system == "linux" || system.starts_with("qemu:");
  if (!is_kernel || ::uname(&u) != 0) return system;
  return fmt::format("{} {}", u.sysname, u.release);
}

/// Asks, at the end, how it stands with every task.
void ask_for_the_end(Script& script) {
  for (std::size_t name = 0; name < script.names.size(); ++name)
    for (const std::string_view field : {"state", "ppid", "pgid", "sid"}) {
      Expectation e;
      e.task = TaskRef::name(static_cast<std::int32_t>(name));
      e.field = static_cast<std::uint8_t>(field_index(field).value());
      if (field != "state") e.value.named = true;  // written as a name, where one has the number
      script.steps.back().expectations.push_back(e);
    }
}

std::string file_name(const harness::Distilled& d) {
  std::string name;
  for (const RuleId rule : d.wanted)
    name += fmt::format("{}{}", name.empty() ? "" : "+", rule.rule().id);
  return name + ".trace";
}

}  // namespace

int record(const RecordOptions& o) {
  const std::uint64_t count = read_number("--count", o.count);
  const std::vector<Profile> profiles = read_profiles(o.profile);
  if (profiles.size() != 1)
    throw Failure{kBadInput, "--profile both: expected one, for a recording is of one system"};
  expect_empty(o.output);
  const auto checker = open(o.system);
  if (const std::string why = checker->refuses(profiles[0]); !why.empty())
    throw Failure{kCannotRun, why};
  const std::string today = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr)));
  harness::Distiller distiller(read_number("--seed", o.seed), profiles[0]);
  watch_for_interrupt();
  std::uint64_t made = 0;
  for (; made < count && !interrupted(); ++made) {
    std::optional<harness::Distilled> d = distiller.next(kTriesMax);
    if (!d) break;
    ask_for_the_end(d->script);
    auto [recording, violation] = checker->record(d->script);
    if (violation) {
      fmt::print(stderr, "{}", report(*violation, ""));
      return kViolated;
    }
    recording.head = {fmt::format(" Recorded on {}, {}", name_of_system(o.system), today)};
    for (const RuleId rule : d->wanted)
      recording.head.push_back(fmt::format(" {}: {}", rule.rule().id, rule.rule().says));
    write_file((fs::path(o.output) / file_name(*d)).string(), print(recording));
  }
  fmt::print("{} of {} traces recorded on {}\n", made, count, name_of_system(o.system));
  return kHolds;
}

}  // namespace forkproof::app
