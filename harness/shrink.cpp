/// Which scripts are simpler than one that fails, and the search for the simplest.
#include "harness/shrink.hpp"

#include <algorithm>

#include "spec/derive.hpp"

namespace forkproof::harness {

namespace {

/// Simpler values of one argument, simplest first. What is simpler is always less in some order.
void simpler(const Signal& s, auto&& f) {
  for (const Signal other : {sig::none, sig::term, sig::kill})
    if (other != s && (s.n < 0 || s.n > kSignalMax || other.n == 0 || s.n > 15)) f(other);
}
void simpler(const SigSet& s, auto&& f) {
  for (std::uint64_t left = s.bits; left != 0; left &= left - 1)
    f(SigSet{s.bits & ~(left & -left)});
}
template <class Kind>
void simpler(const Flags<Kind>& s, auto&& f) {
  for (std::uint64_t left = s.bits; left != 0; left &= left - 1)
    f(Flags<Kind>{s.bits & ~(left & -left)});
}
void simpler(const Limit& l, auto&& f) {
  if (!l.unlimited()) f(kUnlimited);
  if (!l.unlimited() && l.n > 0) f(Limit{l.n - 1});
}
void simpler(const ExitSignal& s, auto&& f) {
  if (s.n != ExitSignal{}.n) f(ExitSignal{});
}
void simpler(const PidsLimit& l, auto&& f) {
  if (l != PidsLimit{}) f(PidsLimit{});
}
void simpler(const std::int32_t& n, auto&& f) {
  if (n == 0) return;
  f(0);
  if (n < 0 || n > 1) f(1);
  if (n > kReservedPids) f(kReservedPids);
}
void simpler(const PageNo& n, auto&& f) {
  for (const PageNo less : {PageNo{0}, PageNo{1}, n / 2})
    if (less < n) f(less);
}
void simpler(const TaskRef& r, auto&& f) {
  if (!r.named) {
    f(TaskRef::name(0));
    return;
  }
  for (std::int32_t name = 0; name < r.n; ++name) f(TaskRef::name(name));
}
void simpler(const Selector& s, auto&& f) {
  if (s.kind == Selector::Kind::any) return;
  f(Selector{});
  if (s.kind == Selector::Kind::own_group) return;
  if (s.kind == Selector::Kind::group) f(Selector{.kind = Selector::Kind::task, .who = s.who});
  simpler(s.who, [&](TaskRef who) { f(Selector{.kind = s.kind, .who = who}); });
}
void simpler(const IdSelector& s, auto&& f) {
  if (s.kind == IdSelector::Kind::pidfd) {
    f(IdSelector{});
    return simpler(s.fd, [&](Descriptor fd) { f(IdSelector(fd)); });
  }
  simpler(Selector{static_cast<Selector::Kind>(s.kind), s.who},
          [&](const Selector& simple) { f(IdSelector(simple)); });
}
void simpler(const TidList& list, auto&& f) {
  if (list.size == 0) return;
  f(TidList{});
  TidList shorter = list;
  shorter.n[--shorter.size] = 0;
  if (shorter.size > 0) f(shorter);
}
void simpler(const Target& t, auto&& f) {
  if (t.kind == Target::Kind::all || t.kind == Target::Kind::own_group) return;
  if (t.kind == Target::Kind::group) f(Target{.kind = Target::Kind::task, .who = t.who});
  simpler(t.who, [&](TaskRef who) { f(Target{.kind = t.kind, .who = who}); });
}
template <Enumeration E>
void simpler(const E& e, auto&& f) {
  if (e != static_cast<E>(words_of(e).front().value)) f(static_cast<E>(words_of(e).front().value));
}

Op kill_by_name(TaskRef who, Signal signal) {
  Kill kill;
  kill.target = {.kind = Target::Kind::task, .who = who}, kill.signal = signal;
  return kill;
}

/// Ops that do less, for an op that makes a task.
void plainer(const Op& op, auto&& f) {
  if (creates(op) && !std::holds_alternative<Fork>(op)) f(Op{Fork{}});
  if (const auto* const clone = std::get_if<Clone3>(&op))
    f(Op{Clone{{}, {clone->flags.bits & legal_bits(CloneFlags{})}, ExitSignal{}}});
  if (std::holds_alternative<ExitGroup>(op)) f(Op{Exit{{}, std::get<ExitGroup>(op).code}});
  if (const auto* const tgkill = std::get_if<Tgkill>(&op))
    f(kill_by_name(tgkill->thread, tgkill->signal));
}

Script with_op(const Script& script, std::size_t step, const Op& op) {
  Script s = script;
  s.steps[step].op = op;
  return s;
}

/// Everybody who descends from `name`, itself included: by who made whom.
std::vector<bool> family_of(const Script& script, std::int32_t name) {
  std::vector<bool> in(script.names.size(), false);
  in[static_cast<std::size_t>(name)] = true;
  for (const Step& s : script.steps)
    if (s.binds != kNoName && in[static_cast<std::size_t>(s.actor)])
      in[static_cast<std::size_t>(s.binds)] = true;
  return in;
}

/// Without `name`: who made it does what it did.
Script without_middleman(const Script& script, std::int32_t name) {
  Script s = script;
  std::vector<bool> keep;
  std::int32_t maker = 0;
  for (const Step& step : s.steps) {
    keep.push_back(step.binds != name);
    if (step.binds == name) maker = step.actor;
  }
  const auto rename = [&](TaskRef& ref) {
    if (ref == TaskRef::name(name)) ref = TaskRef::name(maker);
  };
  for (Step& step : s.steps) {
    if (step.actor == name) step.actor = maker;
    for_each_ref(step.op, rename);
    if (step.outcome) rename(step.outcome->who);
    for (ExpectedReturn& r : step.returns) rename(r.task), rename(r.outcome.who);
    for (Expectation& e : step.expectations) rename(e.task), rename(e.value);
  }
  return select(s, keep);
}

}  // namespace

Script select(const Script& script, const std::vector<bool>& keep) {
  Script out;
  out.world = script.world;
  out.head = script.head;
  std::vector<std::int32_t> renamed(script.names.size(), kNoName);
  renamed[0] = 0;
  const auto rename = [&](TaskRef& ref) {
    if (!ref.named) return;
    const std::int32_t name = renamed[static_cast<std::size_t>(ref.n)];
    ref = name == kNoName ? TaskRef::number(kNeverAPid) : TaskRef::name(name);
  };
  for (std::size_t i = 0; i < script.steps.size(); ++i) {
    if (!keep[i] || renamed[static_cast<std::size_t>(script.steps[i].actor)] == kNoName) continue;
    Step s = script.steps[i];
    s.actor = renamed[static_cast<std::size_t>(s.actor)];
    if (s.binds != kNoName) {
      renamed[static_cast<std::size_t>(s.binds)] = static_cast<std::int32_t>(out.names.size());
      s.binds = static_cast<std::int32_t>(out.names.size());
      out.names.push_back(canonical_name(s.binds));
    }
    for_each_ref(s.op, rename);
    if (s.outcome) rename(s.outcome->who);
    for (ExpectedReturn& r : s.returns) rename(r.task), rename(r.outcome.who);
    for (Expectation& e : s.expectations) rename(e.task), rename(e.value);
    out.steps.push_back(std::move(s));
  }
  return out;
}

Script until_failure(const Violation& v) {
  std::vector<bool> keep(v.trace.steps.size(), true);
  for (std::size_t i = v.step + 1; i < keep.size(); ++i) keep[i] = false;
  return select(v.trace, keep);
}

Script without_expectations(Script script) {
  for (Step& s : script.steps) {
    s.outcome.reset();
    s.pid.reset();
    s.returns.clear();
    s.expectations.clear();
  }
  return script;
}

namespace {

using Candidates = std::vector<std::function<Script()>>;

void without_families(const Script& script, Candidates& out) {
  for (std::int32_t name = 1; name < static_cast<std::int32_t>(script.names.size()); ++name)
    out.push_back([&script, name] {
      const std::vector<bool> family = family_of(script, name);
      std::vector<bool> keep;
      for (const Step& s : script.steps)
        keep.push_back(!family[static_cast<std::size_t>(s.actor)] &&
                       (s.binds == kNoName || !family[static_cast<std::size_t>(s.binds)]));
      return select(script, keep);
    });
}

void without_runs(const Script& script, Candidates& out) {
  const std::size_t n = script.steps.size();
  for (std::int32_t name = 1; name < static_cast<std::int32_t>(script.names.size()); ++name)
    out.push_back([&script, name] { return without_middleman(script, name); });
  for (std::size_t size = n / 2; size > 0; size /= 2)
    for (std::size_t from = 0; from < n; from += size)
      out.push_back([&script, from, size, n] {
        std::vector<bool> keep(n, true);
        for (std::size_t i = from; i < std::min(from + size, n); ++i) keep[i] = false;
        return select(script, keep);
      });
}

/// Two steps that are nothing without each other go together.
void without_pairs(const Script& script, Candidates& out) {
  constexpr std::size_t kFew = 24;
  const std::size_t n = script.steps.size();
  if (n > kFew) return;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j)
      out.push_back([&script, i, j, n] {
        std::vector<bool> keep(n, true);
        keep[i] = keep[j] = false;
        return select(script, keep);
      });
}

/// How many names there are before step `i`.
std::int32_t bound_before(const Script& script, std::size_t i) {
  std::int32_t bound = 1;
  for (std::size_t before = 0; before < i; ++before) bound += script.steps[before].binds != kNoName;
  return bound;
}

/// Two who end by themselves instead of three steps that see to it: a namespace, say, its init, and
/// the end of that.
void with_ends_instead(const Script& script, Candidates& out) {
  constexpr std::size_t kFew = 8;
  const std::size_t n = script.steps.size();
  if (n > kFew) return;
  const auto instead = [&](std::size_t i, std::size_t j, std::size_t k, std::int32_t a,
                           std::int32_t b) {
    out.push_back([&script, i, j, k, a, b] {
      Script s = script;
      std::vector<bool> keep(s.steps.size(), true);
      keep[i] = keep[j] = false;
      s.steps[k] = {}, s.steps[k].actor = b, s.steps[k].op = Exit{};
      Step first = s.steps[k];
      first.actor = a;
      s.steps.insert(s.steps.begin() + static_cast<std::ptrdiff_t>(k), first);
      keep.insert(keep.begin() + static_cast<std::ptrdiff_t>(k), true);
      return select(s, keep);
    });
  };
  for (std::size_t k = 2; k < n; ++k)
    for (std::int32_t a = 1, bound = bound_before(script, k); a < bound; ++a)
      for (std::int32_t b = a + 1; b < bound && script.steps[k].binds == kNoName; ++b)
        for (std::size_t j = 1; j < k; ++j)
          for (std::size_t i = 0; i < j; ++i) instead(i, j, k, a, b);
}

/// A step that takes the lowest of something can go if what is counted from there moves along:
/// the descriptors above it, the bound of the pids and where their search begins, or that alone.
enum class Moves : std::uint8_t { descriptors, pids, cursor };

void move_along(Op& op, Moves moves) {
  if (auto* max = std::get_if<SetPidMax>(&op); max != nullptr && moves == Moves::pids) --max->value;
  if (auto* cursor = std::get_if<SetPidCursor>(&op)) {
    if (moves == Moves::pids) --cursor->value;
    if (moves == Moves::cursor) ++cursor->value;
  }
  if (moves != Moves::descriptors) return;
  std::visit(
      [](auto& o) {
        for_each_arg(o, [](const auto& arg, auto& value) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(value)>, Descriptor>)
            if (arg.name == "fd" && value > 0) --value;
        });
      },
      op);
}

bool takes_descriptor(const Op& op) {
  return std::holds_alternative<Open>(op) || std::holds_alternative<Dup>(op) ||
         std::holds_alternative<PidfdOpen>(op);
}

void without_one_taken(const Script& script, Candidates& out) {
  const auto offer = [&](std::size_t i, Moves moves) {
    out.push_back([&script, i, moves] {
      std::vector<bool> keep(script.steps.size(), true);
      keep[i] = false;
      Script s = select(script, keep);
      for (Step& step : s.steps) move_along(step.op, moves);
      if (moves == Moves::pids && s.world.pid_max != kPidMaxDefault)
        s.world.pid_max = std::max(s.world.pid_max - 1, kPidMaxMin);
      return s;
    });
  };
  for (std::size_t i = 0; i < script.steps.size(); ++i) {
    const Op& op = script.steps[i].op;
    if (creates(op)) offer(i, Moves::pids), offer(i, Moves::cursor);
    if (takes_descriptor(op)) offer(i, Moves::descriptors);
  }
}

/// A number in place of a name pins whatever took numbers before: each name is tried instead.
void with_names(const Script& script, std::size_t i, Candidates& out) {
  const std::int32_t bound = bound_before(script, i);
  std::vector<std::size_t> numbers;  // which of the op's references are bare numbers
  std::size_t refs = 0;
  Op op = script.steps[i].op;
  for_each_ref(op, [&](const TaskRef& ref) {
    if (!ref.named) numbers.push_back(refs);
    ++refs;
  });
  for (const std::size_t number : numbers)
    for (std::int32_t name = 1; name < bound; ++name)
      out.push_back([&script, i, number, name] {
        Script s = script;
        std::size_t at = 0;
        for_each_ref(s.steps[i].op, [&](TaskRef& ref) {
          if (at++ == number) ref = TaskRef::name(name);
        });
        return s;
      });
}

/// Who is killed ends by itself instead; whom a descriptor stands for gets the signal by name.
void with_simpler_signal(const Script& script, std::size_t i, Candidates& out) {
  const auto instead = [&](std::int32_t actor, const Op& op) {
    out.push_back([&script, i, actor, op] {
      Script s = with_op(script, i, op);
      s.steps[i].actor = actor;
      return s;
    });
  };
  const Step& step = script.steps[i];
  if (const auto* const kill = std::get_if<Kill>(&step.op))
    if (kill->target.kind == Target::Kind::task && kill->target.who.named)
      instead(kill->target.who.n, Op{Exit{}});
  const auto* const send = std::get_if<PidfdSendSignal>(&step.op);
  for (std::int32_t name = 0; send != nullptr && name < bound_before(script, i); ++name)
    instead(step.actor, kill_by_name(TaskRef::name(name), send->signal));
}

void with_simpler_step(const Script& script, std::size_t i, Candidates& out) {
  const Step& step = script.steps[i];
  for (std::int32_t name = 0; name < step.actor && !is_by_world(step.op); ++name)
    out.push_back([&script, i, name] {
      Script s = script;
      s.steps[i].actor = name;
      return s;
    });
  const auto instead = [&](const Op& op) {
    out.push_back([&script, i, op] { return with_op(script, i, op); });
  };
  plainer(step.op, instead);
  std::visit(
      [&](const auto& o) {
        for_each_arg(o, [&](const auto& arg, const auto& value) {
          simpler(value, [&](const auto& less) {
            auto changed = o;
            changed.*(arg.at) = less;
            instead(Op{changed});
          });
        });
      },
      step.op);
}

bool is_wait(const Step& s) {
  return std::holds_alternative<Wait4>(s.op) || std::holds_alternative<Waitid>(s.op);
}

/// A wait that comes last does not sleep through what the others do. Those that already do stay.
void with_wait_last(const Script& script, std::size_t i, Candidates& out) {
  const auto at = script.steps.begin() + static_cast<std::ptrdiff_t>(i);
  if (!is_wait(*at) || std::all_of(at, script.steps.end(), is_wait)) return;
  out.push_back([&script, i] {
    Script s = script;
    const auto wait = s.steps.begin() + static_cast<std::ptrdiff_t>(i);
    std::rotate(wait, wait + 1, s.steps.end());
    return s;
  });
}

/// All numbers, or else so few that they soon run out.
void with_simpler_world(const Script& script, Candidates& out) {
  const auto instead = [&](std::int32_t pid_max) {
    out.push_back([&script, pid_max] {
      Script s = script;
      s.world.pid_max = pid_max;
      return s;
    });
  };
  if (script.world.kthreads)
    out.push_back([&script] {
      Script s = script;
      s.world.kthreads = false;
      return s;
    });
  const std::int32_t now = script.world.pid_max;
  if (now == kPidMaxDefault) return;
  instead(kPidMaxDefault);
  for (std::int32_t few = kPidMaxMin; few < std::min(now, kPidMaxMin + 3); ++few) instead(few);
}

}  // namespace

std::vector<std::function<Script()>> smaller(const Script& script) {
  Candidates out;
  without_families(script, out);
  without_runs(script, out);
  for (std::size_t i = 0; i < script.steps.size(); ++i) with_simpler_step(script, i, out);
  for (std::size_t i = 0; i < script.steps.size(); ++i) with_simpler_signal(script, i, out);
  for (std::size_t i = 0; i < script.steps.size(); ++i) with_names(script, i, out);
  for (std::size_t i = 0; i < script.steps.size(); ++i) with_wait_last(script, i, out);
  without_one_taken(script, out);
  without_pairs(script, out);
  with_ends_instead(script, out);
  with_simpler_world(script, out);
  return out;
}

Violation minimize(Violation violation, const Run& run) {
  using Kind = Violation::Kind;
  const bool expectation = violation.kind == Kind::expectation;
  const auto still_fails = [&](const Script& script) -> std::optional<Violation> {
    std::optional<Violation> v = run(script);
    if (v && (v->kind == Kind::beyond || v->kind == Kind::unknown)) return std::nullopt;
    if (v && expectation && (v->kind != violation.kind || v->observed != violation.observed))
      return std::nullopt;
    return v;
  };
  for (Script start : {until_failure(violation), without_expectations(until_failure(violation))})
    if (std::optional<Violation> v = still_fails(start)) violation = std::move(*v);

  for (bool shrunk = true; shrunk;) {
    shrunk = false;
    const Script current = violation.trace;
    for (const auto& candidate : smaller(current)) {
      std::optional<Violation> v = still_fails(candidate());
      if (!v) continue;
      v->trace = until_failure(*v);
      violation = std::move(*v);
      shrunk = true;
      break;
    }
  }
  return violation;
}

}  // namespace forkproof::harness
