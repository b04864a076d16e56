/// A system held to the spec, whatever system it is: what the engines and the command work with.
#include "harness/checker.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/generate.hpp"
#include "harness/lockstep.hpp"
#include "harness/model_system.hpp"
#include "harness/record.hpp"
#include "harness/shrink.hpp"
#include "impl/machine.hpp"

namespace forkproof::harness {

namespace {

template <SystemUnderTest System>
class CheckerOf final : public Checker {
 public:
  explicit CheckerOf(auto&&... args) : system_(args...) {}

  std::optional<Violation> run(const Script& script) override { return lockstep_.run(script); }

  std::optional<Violation> run_random(std::uint64_t seed, Profile profile,
                                      std::uint64_t& steps) override {
    Generator generator(seed, profile);
    Script script;
    script.world = generator.world();
    lockstep_.begin(script.world);
    bool holds = true;
    while (holds) {
      std::optional<Step> s = generator.next(lockstep_.model(), lockstep_.naming());
      if (!s) break;
      if (s->binds != kNoName) script.names.push_back(canonical_name(s->binds));
      script.steps.push_back(std::move(*s));
      holds = lockstep_.step(script.steps.back());
    }
    steps += script.steps.size();
    if (holds && lockstep_.finish()) return std::nullopt;
    return lockstep_.take_violation(script);
  }

  Recording record(const Script& script) override {
    Recording r;
    r.script = without_expectations(script);
    lockstep_.begin(script.world);
    bool holds = true;
    for (std::size_t i = 0; holds && i < script.steps.size(); ++i) {
      holds = lockstep_.step(r.script.steps[i]);
      take_down(r.script.steps[i], tap_.seen(), lockstep_.naming());
      for (const Expectation& e : script.steps[i].expectations)
        r.script.steps[i].expectations.push_back(take_down(
            e, tap_.view(number_of(e.task, lockstep_.naming().numbers())), lockstep_.naming()));
    }
    if (holds) lockstep_.finish();
    r.violation = lockstep_.take_violation(without_expectations(script));
    if (r.violation) cut(r.script, r.violation->step + 1);
    return r;
  }

  const Coverage& coverage() override { return lockstep_.coverage(); }

 private:
  System system_;
  Tap<System> tap_{system_};
  Lockstep<Tap<System>> lockstep_{tap_};
};

template <class System>
Opened opened(auto&&... args) {
  return {.checker = std::make_unique<CheckerOf<System>>(args...), .known = true, .reason = {}};
}

}  // namespace

Opened open_system(std::string_view name) {
  if (name == "impl") return opened<impl::Machine>();
  if (name == "canary") return opened<impl::Machine>(WorldSpec{}, impl::Machine::Bug::lifo_wait);
  if (name == "spec") return opened<ModelSystem>();

  static constexpr std::string_view kLater[] = {"plugin:", "cmd:", "qemu:"};
  const auto begins = [&](std::string_view prefix) { return name.starts_with(prefix); };
  if (name == "linux" || std::ranges::any_of(kLater, begins))
    return {.checker = nullptr,
            .known = true,
            .reason = fmt::format("system {} is not built in", name)};
  return {.checker = nullptr,
          .known = false,
          .reason = fmt::format("no system is called {}; there are impl, spec and canary", name)};
}

}  // namespace forkproof::harness
