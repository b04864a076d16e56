/// What follows from the declarations of the ops and of the visible state, once for all of them:
/// names, arguments, references to tasks, fields. Adding an op or a field changes nothing here.
#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "spec/ops.hpp"
#include "spec/outcome.hpp"
#include "spec/script.hpp"

namespace forkproof {

// --- enumerations ----------------------------------------------------------------------------

/// The words of an enumeration: `words_of(Mapping{})` is `private shared`.
constexpr std::span<const Word> words_of(Profile) { return kProfiles; }
constexpr std::span<const Word> words_of(Disposition) { return kDispositions; }
constexpr std::span<const Word> words_of(MaskHow) { return kMaskHows; }
constexpr std::span<const Word> words_of(Mapping) { return kMappings; }
constexpr std::span<const Word> words_of(Advice) { return kAdvices; }
constexpr std::span<const Word> words_of(State) { return kStates; }
constexpr std::span<const Word> words_of(Change) { return kChanges; }
constexpr std::span<const Word> words_of(Errno) { return kErrnos; }
constexpr std::span<const Word> words_of(Comm) { return kComms; }
constexpr std::span<const Word> words_of(Policy) { return kPolicies; }
constexpr std::span<const Word> words_of(User) { return kUsers; }
constexpr std::span<const Word> words_of(Resource) { return kResources; }
constexpr std::span<const Word> words_of(LimitKind) { return kLimitKinds; }
constexpr std::span<const Word> words_of(Whose) { return kWhose; }
constexpr std::span<const Word> words_of(Sleep) { return kSleeps; }
constexpr std::span<const Word> words_of(WakeMask) { return kWakeMasks; }
constexpr std::span<const Word> words_of(RebootCommand) { return kReboots; }
constexpr std::span<const Word> words_of(IdMap) { return kIdMaps; }
constexpr std::span<const Word> words_of(Mode) { return kModes; }
constexpr std::span<const Word> words_of(Account) { return kAccounts; }
constexpr std::span<const Word> words_of(Timeout) { return kTimeouts; }
constexpr std::span<const Word> words_of(NsKind) { return kNamespaceKinds; }
constexpr std::span<const Word> words_of(Clone3Args) { return kClone3Args; }
constexpr std::span<const Word> words_of(ExecStep) { return kExecSteps; }

template <class E>
concept Enumeration = std::is_enum_v<E> && requires(E e) { words_of(e); };

template <class T>
inline constexpr bool is_flags = false;
template <class Kind>
inline constexpr bool is_flags<Flags<Kind>> = true;
template <class T>
concept FlagWord = is_flags<T>;

/// The bits that a flag word of a trace may have. Those that have a name: the others of clone and
/// sigaction would do things that the spec does not speak of. The waits refuse what they do not
/// know, so theirs may have any of the 32; clone3 and the calls about pidfds do so, too, but may
/// come to know more, so theirs may have some that no kernel will.
template <class Kind>
constexpr std::uint64_t legal_bits(Flags<Kind>) {
  if (std::is_same_v<Kind, WaitKind>) return 0xFFFFFFFF;
  std::uint64_t bits = 0;
  if (std::is_same_v<Kind, Clone3Kind>) bits = std::uint64_t{1} << 63 | 0x7F;
  if (std::is_same_v<Kind, PidfdKind>) bits = 0xF;
  if (std::is_same_v<Kind, PidfdSignalKind>) bits = 0x80000000;
  for (const Word& w : Kind::words) bits |= w.value;
  return bits;
}

// --- ops by name and by number ---------------------------------------------------------------

/// The names of the ops, in the order of the register.
inline constexpr auto kOpNames = []<std::size_t... I>(std::index_sequence<I...>) {
  return std::array<std::string_view, kOps>{std::variant_alternative_t<I, Op>::name...};
}(std::make_index_sequence<kOps>{});

inline std::string_view name_of(const Op& op) { return kOpNames[op.index()]; }

constexpr std::optional<std::size_t> op_index(std::string_view name) {
  for (std::size_t i = 0; i < kOps; ++i)
    if (kOpNames[i] == name) return i;
  return std::nullopt;
}

/// The ops in the order of the register, their arguments at their defaults.
inline constexpr auto kDefaultOps = []<std::size_t... I>(std::index_sequence<I...>) {
  return std::array<Op, kOps>{std::variant_alternative_t<I, Op>{}...};
}(std::make_index_sequence<kOps>{});

inline Op default_op(std::size_t index) { return kDefaultOps[index]; }

/// The flags that an op makes a task with, where it says them.
inline CloneFlags clone_flags_of(const Op& op) {
  if (const auto* clone = std::get_if<Clone>(&op)) return clone->flags;
  if (const auto* clone = std::get_if<Clone3>(&op)) return {clone->flags.bits};
  return {};
}

/// Whether a creation makes its caller sleep until the child execs or dies.
inline bool sleeps_for_child(const Op& op) {
  return std::holds_alternative<Vfork>(op) || clone_flags_of(op).has(clone_flag::vfork);
}

/// What `-> NAME` says of a creating step: the task was made, and a vfork's maker sleeps.
inline Outcome made_by(const Step& step) {
  Outcome outcome = Outcome::task(TaskRef::name(step.binds));
  if (sleeps_for_child(step.op)) outcome.kind = Outcome::Kind::blocks;
  return outcome;
}

// --- arguments -------------------------------------------------------------------------------

/// Calls `f(arg, value)` for each argument of one op type, in order; `value` is const if `op` is.
template <class O>
constexpr void for_each_arg([[maybe_unused]] O& op, auto&& f) {
  std::apply([&](const auto&... arg) { (f(arg, op.*(arg.at)), ...); },
             std::remove_const_t<O>::args);
}

template <class S>
inline constexpr bool is_selector =
    std::is_same_v<S, Selector> || std::is_same_v<S, IdSelector> || std::is_same_v<S, Target>;

/// Whether the member `who` of a selector or target counts.
template <class S>
  requires is_selector<S>
constexpr bool has_who(const S& s) {
  return s.kind == S::Kind::task || s.kind == S::Kind::group;
}

/// Calls `f` for the reference to a task that an argument is or has, if any.
template <class Value>
constexpr void for_ref_of([[maybe_unused]] Value& value, [[maybe_unused]] auto&& f) {
  using V = std::remove_const_t<Value>;
  if constexpr (std::is_same_v<V, TaskRef>) {
    f(value);
  } else if constexpr (is_selector<V>) {
    if (has_who(value)) f(value.who);
  }
}

/// Calls `f(TaskRef&)` for each reference to a task among the arguments.
template <class AnyOp>
  requires std::same_as<std::remove_const_t<AnyOp>, Op>
constexpr void for_each_ref(AnyOp& op, auto&& f) {
  std::visit([&](auto& o) {
    for_each_arg(o, [&](const auto&, auto& value) { for_ref_of(value, f); });
  }, op);
}

/// The number that `ref` stands for, where `numbers[i]` is that of name `i`. What was never bound
/// is kNeverAPid: write it into `numbers`, or leave the end of `numbers` out.
constexpr Pid number_of(TaskRef ref, std::span<const Pid> numbers) {
  if (!ref.named) return ref.pid();
  const auto index = static_cast<std::size_t>(ref.n);
  return index < numbers.size() ? numbers[index] : kNeverAPid;
}

constexpr TaskRef resolve(TaskRef ref, std::span<const Pid> numbers) {
  return TaskRef::number(number_of(ref, numbers));
}

/// The op with every name replaced by its number, as systems take it. Does not allocate.
inline Op resolve(const Op& op, std::span<const Pid> numbers) {
  Op resolved = op;
  for_each_ref(resolved, [&](TaskRef& ref) { ref = resolve(ref, numbers); });
  return resolved;
}

constexpr Outcome resolve(Outcome outcome, std::span<const Pid> numbers) {
  outcome.who = resolve(outcome.who, numbers);
  return outcome;
}

// --- fields of the visible state -------------------------------------------------------------

inline constexpr std::size_t kFields = std::tuple_size_v<decltype(TaskView::fields())>;

/// Calls `f(index, field)` for each field of TaskView.
constexpr void for_each_field(auto&& f) {
  std::size_t index = 0;
  std::apply([&](const auto&... field) { (f(index++, field), ...); }, TaskView::fields());
}

/// Calls `f(field)` for the field with this index.
constexpr void with_field(std::size_t index, auto&& f) {
  for_each_field([&](std::size_t i, const auto& field) {
    if (i == index) f(field);
  });
}

constexpr std::string_view field_name(std::size_t index) {
  std::string_view name;
  with_field(index, [&](const auto& field) { name = field.name; });
  return name;
}

constexpr std::optional<std::size_t> field_index(std::string_view name) {
  std::optional<std::size_t> found;
  for_each_field([&](std::size_t i, const auto& field) {
    if (field.name == name) found = i;
  });
  return found;
}

/// Puts the value of a field where an expectation of its type keeps it.
constexpr void set_value(Expectation& e, Enumeration auto v) {
  e.value.n = static_cast<std::int32_t>(v);
}
constexpr void set_value(Expectation& e, Pid v) { e.value = TaskRef::number(v); }
constexpr void set_value(Expectation& e, TaskRef v) { e.value = v; }
constexpr void set_value(Expectation& e, Signal v) { e.value.n = v.n; }
constexpr void set_value(Expectation& e, std::int32_t v) { e.value.n = v; }
constexpr void set_value(Expectation& e, FlagWord auto v) { e.bits = v.bits; }
constexpr void set_value(Expectation& e, SigSet v) { e.bits = v.bits; }

/// What `task` shows in one field, as the expectation that it meets.
constexpr Expectation expectation_of(TaskRef task, std::size_t field, const TaskView& view) {
  Expectation e;
  e.task = task;
  e.field = static_cast<std::uint8_t>(field);
  with_field(field, [&](const auto& f) { set_value(e, view.*(f.at)); });
  return e;
}

/// Whether the view shows what is expected of it.
constexpr bool meets(const TaskView& view, const Expectation& e, std::span<const Pid> numbers) {
  const Expectation shown = expectation_of(e.task, e.field, view);
  return shown.bits == e.bits && shown.value == resolve(e.value, numbers);
}

}  // namespace forkproof
