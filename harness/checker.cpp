/// A system held to the spec, whatever system it is: what the engines and the command work with.
#include "harness/checker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <concepts>

#include "harness/generate.hpp"
#ifdef FORKPROOF_LINUX
#include "harness/linux/system.hpp"
#endif
#include "harness/lockstep.hpp"
#include "harness/model_system.hpp"
#include "harness/mutant/loaded.hpp"
#include "harness/qemu/guest.hpp"
#include "harness/record.hpp"
#include "harness/shrink.hpp"
#include "harness/system_fault.hpp"
#include "impl/machine.hpp"
#include "spec/bytes.hpp"

namespace forkproof::harness {

namespace {

/// How often a system is looked at: those that say so, only at the end.
template <class System>
constexpr Depth kDepth = Depth::touched;
template <class System>
requires requires { System::kSlowToLookAt; }
constexpr Depth kDepth<System> = Depth::outcomes;

/// Ops drawn from dice that know nothing of the world: the bytes of a script, all alike.
Script uniform_script(std::uint64_t seed, Profile profile) {
  constexpr std::size_t kLeast = 8, kMost = 200;
  Dice dice(seed);
  std::vector<std::uint8_t> bytes(kLeast + dice.below(kMost - kLeast));
  for (std::uint8_t& b : bytes) b = static_cast<std::uint8_t>(dice.below(256));
  Script script = without_expectations(decode(bytes));
  script.world.profile = profile;
  return script;
}

/// How long a system has that was late once, in which the kernel's workers mostly have run.
constexpr std::chrono::milliseconds kPatience{300};

constexpr std::string_view kNotSeenAgain = "what was seen once was not seen again";

struct Nothing {
  explicit Nothing(auto&&...) {}
};

template <SystemUnderTest System>
class CheckerOf final : public Checker {
 public:
  explicit CheckerOf(auto&&... args) : system_(args...), unused_(args...) {}

  std::optional<Violation> run(const Script& script) override {
    begin_anew();
    try {
      return judged(lockstep_.run(script));
    } catch (const SystemLimit& limit) {
      return left_out(limit.what(), lockstep_.steps(), script);
    } catch (const SystemFault& fault) {
      return unknown(fault.what(), lockstep_.steps(), script);
    }
  }

  std::optional<Violation> run_random(std::uint64_t seed, Profile profile,
                                      std::uint64_t& steps) override {
    return run_generated(Generator(seed, profile, trace_scope_of<System>()), steps);
  }

  std::optional<Violation> run_about(std::uint64_t other, std::uint64_t seed,
                                     Profile profile) override {
    std::uint64_t steps = 0;
    const TraceScope scope = trace_scope_of<System>();
    return run_generated({seed, profile, scope, Generator(other, profile, scope)}, steps);
  }

  std::optional<Violation> run_like(const Script& like, std::uint64_t seed) override {
    std::uint64_t steps = 0;
    return run_generated(Generator(seed, like), steps);
  }

  std::optional<Violation> run_uniform(std::uint64_t seed, Profile profile,
                                       std::uint64_t& steps) override {
    const Script script = uniform_script(seed, profile);
    steps += script.steps.size();
    forget_violation();
    Lockstep<Tap<System>> all(tap_, Depth::full);
    return judged(all.run(script));
  }

  Recording record(const Script& script) override {
    Recording r;
    begin_anew();
    try {
      std::optional<Violation> seen;
      const Patience patience(system_, kPatience);
      do {
        r.script = without_expectations(script);
        take_down_all(r.script, script);
        seen = lockstep_.take_violation(without_expectations(script));
        r.violation = judged(seen);
      } while (seen && !r.violation);  // which holds, but not as it was taken down
    } catch (const SystemLimit& limit) {
      r.violation = beyond(limit.what(), lockstep_.steps(), without_expectations(script));
    } catch (const SystemFault& fault) {
      r.violation = unknown(fault.what(), lockstep_.steps(), without_expectations(script));
    }
    if (r.violation) cut(r.script, r.violation->step + 1);
    return r;
  }

  std::string refuses(Profile profile) const override {
    if constexpr (requires { System::refuses(profile); }) return System::refuses(profile);
    return {};
  }

  std::string abilities() const override {
    if constexpr (requires { system_.abilities(); }) return system_.abilities();
    return {};
  }

  bool repeats() const override { return !requires { System::kSlowToLookAt; }; }

  const Coverage& coverage() override { return lockstep_.coverage(); }

 private:
  /// What a script shows should hang on nothing that was run before: it has a new system.
  void begin_anew() {
    if constexpr (std::copyable<System>) system_ = unused_;
    violated_ = false;
    covered_ = lockstep_.coverage();
  }

  /// Random traces, which are many, have a new system where a violation left its mark on the old.
  void forget_violation() {
    if (violated_) return begin_anew();
    covered_ = lockstep_.coverage();
  }

  /// A trace that nobody compares covers nothing.
  Violation left_out(std::string why, std::size_t step, Script script) {
    lockstep_.coverage() = covered_;
    return beyond(std::move(why), step, std::move(script));
  }

  /// A violation, unless it says nothing of the system: then the trace is beyond it.
  std::optional<Violation> judged(std::optional<Violation> v) {
    violated_ = v.has_value();
    if constexpr (requires { system_.excuse(); }) {
      constexpr int kTries = 4;
      for (int tries = 0; v && tries < kTries; ++tries) {
        const std::size_t step = v->step;
        Script script = v->trace;
        std::string why = system_.excuse();
        if (why.empty() && !system_.was_of_want()) break;
        const bool late = why.empty() && is_late();
        const Patience patience(system_, late ? (1 + 3 * tries) * kPatience : kPatience * 0);
        if (why.empty()) v = lockstep_.run(script);
        if (!v && late) return std::nullopt;
        if (!v) why = "the machine ran short of something for a moment";
        if (!why.empty()) return left_out(std::move(why), step, std::move(script));
      }
    }
    if constexpr (requires { system_.keeps_order(); }) {
      if (v && !system_.keeps_order()) return judged_in_any_order(std::move(*v));
      if (v && lockstep_.was_crowded()) return judged_again(std::move(*v));
    }
    return v;
  }

  /// Whether the system was asked for what it may have been too late with: it is told to take its
  /// time then.
  bool is_late() const {
    if constexpr (requires { system_.may_be_late(); }) return system_.may_be_late();
    return false;
  }

  /// As long as it lives the system has so much time.
  class Patience {
   public:
    Patience(System& system, std::chrono::milliseconds time) : system_(system) { give(time); }
    ~Patience() { give({}); }
    Patience(const Patience&) = delete;
    Patience& operator=(const Patience&) = delete;

   private:
    void give(std::chrono::milliseconds time) {
      if constexpr (requires { system_.be_patient(time); }) system_.be_patient(time);
    }
    System& system_;
  };

  /// The verdict where those who can run at once run in the order in which they were woken, unless
  /// one of them sleeps on its way for a lock that somebody outside the trace holds. What the
  /// system does of itself it does again.
  std::optional<Violation> judged_again(Violation v) {
    constexpr int kTries = 4;
    for (int tries = 0; tries < kTries; ++tries)
      if (!lockstep_.run(v.trace))
        return left_out(std::string(kNotSeenAgain), v.step, std::move(v.trace));
    return v;
  }

  /// The verdict where those who can run at once run in any order: the trace holds if it does so in
  /// one of them. What never agrees is evidence only if nobody could run beside another.
  std::optional<Violation> judged_in_any_order(Violation v) {
    constexpr int kTries = 16;
    const Patience patience(system_, kPatience);
    for (int tries = 0; tries < kTries; ++tries) {
      bool crowded = lockstep_.was_crowded();
      if constexpr (requires { system_.was_alone(); }) crowded = crowded || !system_.was_alone();
      std::optional<Violation> again = lockstep_.run(v.trace);
      if (!again && crowded) return std::nullopt;
      if (!again)
        return left_out(std::string(kNotSeenAgain), v.step, std::move(v.trace));
      v = std::move(*again);
    }
    bool alone = !lockstep_.was_crowded();
    if constexpr (requires { system_.was_alone(); }) alone = alone && system_.was_alone();
    if (alone) return v;
    return left_out("it hangs on the order in which those run who can run at once", v.step,
                    std::move(v.trace));
  }

  std::optional<Violation> run_generated(Generator generator, std::uint64_t& steps) {
    Script script;
    script.world = generator.world();
    forget_violation();
    try {
      std::optional<Violation> seen;
      if (!go_on(generator, script)) seen = judged(lockstep_.take_violation(script));
      if (!is_beyond(seen)) steps += script.steps.size();
      return seen;
    } catch (const SystemLimit& limit) {
      return left_out(limit.what(), lockstep_.steps(), std::move(script));
    } catch (const SystemFault& fault) {
      return unknown(fault.what(), lockstep_.steps(), std::move(script));
    }
  }

  /// Makes a random trace while it is run. Answers whether it held.
  bool go_on(Generator& generator, Script& script) {
    lockstep_.begin(script.world);
    while (std::optional<Step> s = generator.next(lockstep_.model(), lockstep_.naming())) {
      if (s->binds != kNoName) script.names.push_back(canonical_name(s->binds));
      script.steps.push_back(std::move(*s));
      if (!lockstep_.step(script.steps.back())) return false;
    }
    return lockstep_.finish();
  }

  /// Runs a script that expects nothing and puts what was seen into it, up to the first violation.
  /// What the script `asks` is answered as well.
  void take_down_all(Script& script, const Script& asks) {
    const Naming& naming = lockstep_.naming();
    lockstep_.begin(script.world);
    for (std::size_t i = 0; i < script.steps.size(); ++i) {
      Step& s = script.steps[i];
      const bool holds = lockstep_.step(s);
      take_down(s, tap_.seen(), naming, lockstep_.model().world());
      for (const Expectation& e : asks.steps[i].expectations)
        s.expectations.push_back(
            take_down(e, tap_.view(number_of(e.task, naming.numbers())), naming));
      if (!holds) return;
    }
    lockstep_.finish();
  }

  System system_;
  std::conditional_t<std::copyable<System>, System, Nothing> unused_;
  bool violated_ = false;
  Coverage covered_;  // before the trace that is being run
  Tap<System> tap_{system_};
  Lockstep<Tap<System>> lockstep_{tap_, kDepth<System>};
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
  if (name.starts_with(kMutant)) {
    try {
      return opened<LoadedSystem>(std::string(name.substr(kMutant.size())));
    } catch (const SystemFault& fault) {
      return {.checker = nullptr, .known = true, .reason = fault.what()};
    }
  }
#ifdef FORKPROOF_LINUX
  if (name == "linux" || (name.starts_with("qemu:") && qemu::in_guest())) {
    try {
      return opened<kernel::System>();
    } catch (const SystemFault& fault) {
      return {.checker = nullptr,
              .known = true,
              .reason = fmt::format("system {} cannot be had here: {}", name, fault.what())};
    }
  }
#endif

  static constexpr std::string_view kLater[] = {"plugin:", "cmd:", "qemu:"};
  const auto begins = [&](std::string_view prefix) { return name.starts_with(prefix); };
  if (name == "linux" || std::ranges::any_of(kLater, begins))
    return {.checker = nullptr,
            .known = true,
            .reason = fmt::format("system {} is not built in", name)};
  return {.checker = nullptr,
          .known = false,
          .reason =
              fmt::format("no system is called {}; there are impl, spec, linux, canary, "
                          "qemu:KERNEL and mutant:PATH",
                          name)};
}

}  // namespace forkproof::harness
