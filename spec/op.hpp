/// What an op is made of: the types of its arguments, how each is written, and what an op is to a
/// trace. The ops themselves are in spec/ops.hpp.
#pragma once
#include <array>
#include <span>
#include <string_view>

#include "spec/words.hpp"

namespace forkproof {

// --- the types of arguments ------------------------------------------------------------------

/// A task, by the name that a trace gave it (an index into the trace's names, 0 is init) or by a
/// bare number. `resolve` (spec/derive.hpp) turns names into numbers; systems see numbers only.
struct TaskRef {
  std::int32_t n = 0;
  bool named = false;

  static constexpr TaskRef number(Pid p) { return {p.n, false}; }
  static constexpr TaskRef name(std::int32_t index) { return {index, true}; }
  constexpr Pid pid() const { return {n}; }
  friend constexpr bool operator==(TaskRef, TaskRef) = default;
};

/// Whom `wait4` waits for. `who` counts only with `task` and `group`.
struct Selector {
  enum class Kind : std::uint8_t { any, task, group, own_group } kind = Kind::any;
  TaskRef who;
  friend constexpr bool operator==(const Selector&, const Selector&) = default;
};

/// Whom `waitid` waits for: as `wait4` does, or whom a pidfd stands for. `fd` counts only with
/// `pidfd`.
struct IdSelector {
  enum class Kind : std::uint8_t { any, task, group, own_group, pidfd } kind = Kind::any;
  TaskRef who;
  Descriptor fd = 0;

  constexpr IdSelector() = default;
  constexpr IdSelector(const Selector& s) : kind(static_cast<Kind>(s.kind)), who(s.who) {}
  constexpr IdSelector(Kind k, TaskRef w) : kind(k), who(w) {}
  constexpr explicit IdSelector(Descriptor d) : kind(Kind::pidfd), fd(d) {}
  friend constexpr bool operator==(const IdSelector&, const IdSelector&) = default;
};

/// Whom `kill` signals. `who` counts only with `task` and `group`.
struct Target {
  enum class Kind : std::uint8_t { task, group, own_group, all } kind = Kind::task;
  TaskRef who;
  friend constexpr bool operator==(const Target&, const Target&) = default;
};

/// The low byte of clone's flags word: 0..255, not checked by the call.
struct ExitSignal {
  std::uint8_t n = 17;
  friend constexpr bool operator==(ExitSignal, ExitSignal) = default;
};

/// The numbers that clone3 is asked for, that of the innermost pid namespace first.
struct TidList {
  std::array<std::int32_t, kTidsMax> n{};
  std::uint8_t size = 0;

  constexpr std::span<const std::int32_t> numbers() const { return {n.data(), size}; }
  constexpr void add(std::int32_t number) { n[size++] = number; }
  friend constexpr bool operator==(const TidList&, const TidList&) = default;
};

/// How many tasks a control group may have: `max` is any number of them.
struct PidsLimit {
  static constexpr std::int32_t kMax = -1;
  std::int32_t n = kMax;
  friend constexpr bool operator==(PidsLimit, PidsLimit) = default;
};

/// How an argument is written: a word that must be there, a word that is left out when it has its
/// default value, or `key=value`, left out likewise.
enum class Form : std::uint8_t { word, optional, key };

template <class Op, class Value>
struct Arg {
  std::string_view name;
  Value Op::*at;
  Form form = Form::word;
};
template <class Op, class Value>
Arg(std::string_view, Value Op::*) -> Arg<Op, Value>;
template <class Op, class Value>
Arg(std::string_view, Value Op::*, Form) -> Arg<Op, Value>;

// What an op is to a trace, beyond its arguments.

/// Its success is a new task, which the trace may name.
struct CreatesTask {
  friend bool operator==(const CreatesTask&, const CreatesTask&) = default;
};
/// Its actor is `world`.
struct ByWorld {
  friend bool operator==(const ByWorld&, const ByWorld&) = default;
};
/// It never returns to its actor.
struct NoOutcome {
  friend bool operator==(const NoOutcome&, const NoOutcome&) = default;
};
/// A function of the kernel, in worlds that have kernel threads only.
struct InKernel {
  friend bool operator==(const InKernel&, const InKernel&) = default;
};
/// Its actor is a kernel thread.
struct ByKthread : InKernel {
  friend bool operator==(const ByKthread&, const ByKthread&) = default;
};

}  // namespace forkproof
