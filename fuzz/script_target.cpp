/// The targets whose inputs are scripts.
#include "fuzz/script_target.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

#include "fuzz/guide.hpp"
#include "fuzz/mutator.hpp"
#include "harness/shrink.hpp"
#include "spec/bytes.hpp"

namespace forkproof::fuzz {

namespace {

std::string read_system() {
  const char* const set = std::getenv("FORKPROOF_SYSTEM");
  const std::string system = set == nullptr ? "impl" : set;
  if (system == "impl" || system == "canary" || system.starts_with(harness::kMutant))
    return system;
  fmt::print(stderr, "FORKPROOF_SYSTEM={}: there are impl, canary and mutant:PATH\n", system);
  std::exit(2);
}

/// More pages and tasks than an input will have.
Script large_script() {
  Script script;
  const auto add = [&](const Op& op) { script.steps.emplace_back().op = op; };
  add(Mmap{.pages = kPages});
  for (std::int32_t name = 1; name < 256; ++name) {
    add(Fork{});
    script.steps.back().binds = name;
    script.names.push_back(canonical_name(name));
  }
  add(Munmap{.pages = kPages});
  return script;
}

}  // namespace

ScriptTarget::ScriptTarget(Focus focus)
    : focus_(std::move(focus)),
      system_(read_system()),
      fresh_({}, system_ == "canary" ? impl::Machine::Bug::lifo_wait : impl::Machine::Bug::none) {
  if (system_.starts_with(harness::kMutant)) {  // the fuzzer looks at the clock
    mutant_.emplace(system_.substr(harness::kMutant.size()), harness::LoadedSystem::Watch::none);
    mutant_lockstep_.emplace(*mutant_);
    return;
  }
  lockstep_.run(large_script());  // what it looks at things with has grown: later runs are alike
}

Script ScriptTarget::script_of(Bytes input) const { return focus_.plain(decode(input)); }

Buffer ScriptTarget::canonical(Bytes input) const { return encode(script_of(input)); }

bool ScriptTarget::holds(Bytes input) {
  const Script script = script_of(input);
  ++done_.inputs;
  done_.ops += script.steps.size();
  begin_guide();
  if (mutant_) return holds(*mutant_lockstep_, script);
  machine_ = impl::Machine(fresh_);  // one that was used before has room that this one has to make
  return holds(lockstep_, script);
}

bool ScriptTarget::holds(auto& lockstep, const Script& script) {
  lockstep.begin(script.world);
  for (const Step& s : script.steps) {
    if (!lockstep.step(s)) return false;
    guide_by(lockstep.model(), s.op);
  }
  return lockstep.finish();
}

std::optional<harness::Violation> ScriptTarget::run(const Script& script) {
  return mutant_ ? mutant_lockstep_->run(script) : lockstep_.run(script);
}

Finding ScriptTarget::explain(Bytes input) {
  std::optional<harness::Violation> violation = run(script_of(input));
  if (!violation)
    return plain_finding("the same input held when it was run again", input, ".bytes");
  return finding_of(
      harness::minimize(std::move(*violation), [&](const Script& s) { return run(s); }), system_);
}

Buffer ScriptTarget::mutate(Bytes input, std::uint32_t seed) {
  return encode(focus_.plain(Mutator(seed, focus_).mutate(script_of(input))));
}

Buffer ScriptTarget::cross(Bytes a, Bytes b, std::uint32_t seed) {
  return encode(focus_.plain(Mutator(seed, focus_).cross(script_of(a), script_of(b))));
}

}  // namespace forkproof::fuzz
