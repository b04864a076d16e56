/// Scripts made of scripts, op by op.
#include "fuzz/mutator.hpp"

#include <algorithm>
#include <array>

#include "spec/byte_values.hpp"

namespace forkproof::fuzz {

namespace {

constexpr std::size_t kStepsEnough = 400;  // what is longer only shrinks

std::ptrdiff_t offset(std::size_t i) { return static_cast<std::ptrdiff_t>(i); }

/// How many names can be used before step `i`.
std::int32_t bound_before(const Script& s, std::size_t i) {
  std::int32_t bound = 1;
  for (std::size_t k = 0; k < i; ++k) bound += s.steps[k].binds != kNoName;
  return bound;
}

/// A name that no step binds yet.
std::int32_t fresh_name(Script& s) {
  s.names.emplace_back();
  return static_cast<std::int32_t>(s.names.size() - 1);
}

/// Calls `f` with each name that a plain step has, which may change it.
void for_each_name(Step& s, auto&& f) {
  f(s.actor);
  for_each_ref(s.op, [&](TaskRef& ref) {
    if (ref.named) f(ref.n);
  });
  if (s.binds != kNoName) f(s.binds);
}

void insert_step(Script& s, std::size_t i, Step step) {
  if (creates(step.op) && step.binds == kNoName) step.binds = fresh_name(s);
  if (is_by_world(step.op)) step.actor = 0;
  s.steps.insert(s.steps.begin() + offset(i), std::move(step));
}

/// What a generator, which looks at the model, does after the first steps of a script.
std::vector<Step> continuation(const Script& s, std::size_t after, std::size_t count,
                               std::uint64_t seed) {
  spec::Model model(s.world);
  spec::FirstChoice first;
  harness::Naming naming;
  naming.begin(model.world());
  const auto run = [&](const Step& step) {
    const Pid actor = is_by_world(step.op) ? Pid{} : naming.current(step.actor, model.world());
    const Effects& said = model.apply(actor, naming.resolved(step.op, actor, model.world()), first);
    naming.bind(step, actor, said, model.world());
  };
  for (std::size_t i = 0; i < after; ++i) run(s.steps[i]);

  harness::Generator generator(seed, s.world.profile);
  generator.take_up(bound_before(s, after));
  std::vector<Step> steps;
  while (steps.size() < count) {
    std::optional<Step> step = generator.next(model, naming);
    if (!step) break;
    run(*step);
    steps.push_back(std::move(*step));
  }
  return steps;
}

}  // namespace

constexpr Mutator::Change Mutator::kChanges[] = {&Mutator::insert,
                                                 &Mutator::go_on,
                                                 &Mutator::go_on,
                                                 &Mutator::go_on,
                                                 &Mutator::drop,
                                                 &Mutator::duplicate,
                                                 &Mutator::give_away,
                                                 &Mutator::copy_family,
                                                 &Mutator::exit_before_wait,
                                                 &Mutator::swap_neighbours,
                                                 &Mutator::change_arguments,
                                                 &Mutator::change_arguments,
                                                 &Mutator::change_world};

Script Mutator::mutate(Script s) {
  for (std::uint32_t n = 1 + dice_.below(4); n > 0; --n) {
    const Change change = dice_.one_of<Change>(kChanges);
    if (s.steps.empty())
      go_on(s);
    else if (s.steps.size() > kStepsEnough)
      drop(s);
    else
      (this->*change)(s);
    mend(s);
  }
  return s;
}

Script Mutator::cross(const Script& a, const Script& b) {
  Script s = a;
  s.steps.resize(dice_.below(a.steps.size() + 1));
  const std::int32_t bound = bound_before(s, s.steps.size());
  const auto shift = static_cast<std::int32_t>(a.names.size());
  s.names.resize(a.names.size() + b.names.size());
  const bool from_start = dice_.percent(50);
  for (std::size_t i = from_start ? 0 : dice_.below(b.steps.size() + 1); i < b.steps.size(); ++i) {
    Step step = b.steps[i];
    for_each_name(step, [&](std::int32_t& name) { name += name == 0 ? 0 : shift; });
    s.steps.push_back(std::move(step));
  }
  if (!from_start)  // whoever b made before is somebody of a
    for (std::size_t i = 0; i < s.steps.size(); ++i)
      for_each_name(s.steps[i], [&](std::int32_t& name) {
        const auto binds = [&](const Step& step) { return step.binds == name; };
        if (name >= shift && std::ranges::none_of(s.steps, binds)) name %= bound;
      });
  mend(s);
  return s;
}

std::int32_t Mutator::random_name(std::int32_t bound) {
  return static_cast<std::int32_t>(dice_.below(static_cast<std::size_t>(bound)));
}

/// Draws the arguments as any bytes would say them.
void Mutator::randomise(Op& op, std::int32_t bound) {
  std::array<std::uint8_t, 24> bytes{};
  for (std::uint8_t& b : bytes)
    b = static_cast<std::uint8_t>(dice_.percent(50) ? dice_.below(16) : dice_.below(256));
  ByteReader in{bytes};
  in.bound = bound;
  std::visit([&](auto& o) { for_each_arg(o, [&](const auto&, auto& value) { in(value); }); }, op);
}

Op Mutator::random_op(std::int32_t bound) {
  const bool favourite = focus_.has_favourite() && dice_.percent(50);
  Op op = default_op(favourite ? focus_.favourite() : dice_.one_of<std::size_t>(focus_.ops()));
  randomise(op, bound);
  if (auto* const clone = std::get_if<Clone>(&op); clone != nullptr && dice_.percent(50))
    clone->flags = from_whole<CloneFlags>(dice_.below(std::size_t{1} << 31));
  return op;
}

void Mutator::insert(Script& s) {
  const std::size_t i = dice_.below(s.steps.size() + 1);
  const std::int32_t bound = bound_before(s, i);
  Step step;
  step.actor = random_name(bound);
  step.op = random_op(bound);
  insert_step(s, i, std::move(step));
}

/// The generator goes on, at the end or before what is left of the script.
void Mutator::go_on(Script& s) {
  const std::size_t after = dice_.percent(50) ? s.steps.size() : dice_.below(s.steps.size() + 1);
  const std::int32_t bound = bound_before(s, after);
  const std::int32_t shift = static_cast<std::int32_t>(s.names.size()) - bound;
  std::vector<Step> steps = continuation(s, after, 1 + dice_.below(10), dice_.below(1U << 31));
  for (Step& step : steps)
    for_each_name(step, [&](std::int32_t& name) { name += name < bound ? 0 : shift; });
  s.names.resize(s.names.size() + steps.size());
  if (dice_.percent(30)) s.steps.resize(after);
  s.steps.insert(s.steps.begin() + offset(after), steps.begin(), steps.end());
}

/// One step, or a run of them.
void Mutator::drop(Script& s) {
  const std::size_t from = place(s), left = s.steps.size() - from;
  const std::size_t count = dice_.percent(70) ? 1 : 1 + dice_.below(left);
  s.steps.erase(s.steps.begin() + offset(from), s.steps.begin() + offset(from + count));
}

void Mutator::duplicate(Script& s) {
  const std::size_t from = place(s), to = from + 1 + dice_.below(s.steps.size() - from);
  Step step = s.steps[from];
  step.binds = kNoName;
  insert_step(s, to, std::move(step));
}

void Mutator::give_away(Script& s) {
  const std::size_t i = place(s);
  s.steps[i].actor = random_name(bound_before(s, i));
}

/// All that a task and its descendants do, done once more by a copy of the family.
void Mutator::copy_family(Script& s) {
  const std::size_t root = place(s);
  if (s.steps[root].binds == kNoName) return duplicate(s);
  const std::size_t names = s.names.size();
  std::vector<std::int32_t> copy_of(names, kNoName);
  std::vector<Step> copies;
  for (std::size_t i = root; i < s.steps.size(); ++i) {
    Step step = s.steps[i];
    const bool inside = i == root || copy_of[static_cast<std::size_t>(step.actor)] != kNoName;
    if (!inside) continue;
    if (step.binds != kNoName) copy_of[static_cast<std::size_t>(step.binds)] = fresh_name(s);
    for_each_name(step, [&](std::int32_t& name) {
      const std::int32_t copy = copy_of[static_cast<std::size_t>(name)];
      if (copy != kNoName) name = copy;
    });
    copies.push_back(std::move(step));
  }
  const std::size_t at = root + 1 + dice_.below(s.steps.size() - root);
  s.steps.insert(s.steps.begin() + offset(at), copies.begin(), copies.end());
}

/// Somebody dies just before somebody waits.
void Mutator::exit_before_wait(Script& s) {
  const std::size_t from = place(s);
  for (std::size_t k = 0; k < s.steps.size(); ++k) {
    const std::size_t i = (from + k) % s.steps.size();
    const Op& op = s.steps[i].op;
    if (!std::holds_alternative<Wait4>(op) && !std::holds_alternative<Waitid>(op)) continue;
    Step step;
    step.actor = random_name(bound_before(s, i));
    step.op = Exit{{}, static_cast<std::int32_t>(dice_.below(4))};
    return insert_step(s, i, std::move(step));
  }
  insert(s);
}

void Mutator::swap_neighbours(Script& s) {
  const std::size_t i = place(s);
  if (i > 0) std::swap(s.steps[i - 1], s.steps[i]);
}

void Mutator::change_arguments(Script& s) {
  const std::size_t i = place(s);
  const std::int32_t bound = bound_before(s, i);
  randomise(s.steps[i].op, bound);
  if (std::holds_alternative<Clone>(s.steps[i].op) && dice_.percent(50)) {
    auto& clone = std::get<Clone>(s.steps[i].op);
    const Word& flag = dice_.one_of<Word>(CloneKind::words);
    clone.flags.bits ^= flag.value;
  }
  if (auto* const clone = std::get_if<Clone3>(&s.steps[i].op))
    if (dice_.percent(50)) clone->flags.bits ^= dice_.one_of<Word>(Clone3Kind::words).value;
}

void Mutator::change_world(Script& s) {
  if (dice_.percent(50))
    s.world.profile = static_cast<Profile>(dice_.below(kProfiles.size()));
  else
    s.world.pid_max = dice_.percent(80) ? dice_.between(kPidMaxMin, 320) : kPidMaxDefault;
}

}  // namespace forkproof::fuzz
