/// How the values of a trace are written and read, once for each type of value. Ops, outcomes and
/// fields are made of these.
#pragma once
#include <charconv>
#include <concepts>
#include <limits>
#include <string>
#include <string_view>

#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof {

/// Whether a field that is a bare number reads as a signal.
constexpr bool is_signal_field(std::string_view field) { return field == "exit_signal"; }

// --- writing ---------------------------------------------------------------------------------

/// Appends values to `out`. `avoid` is the spelling to avoid where one bit has two words.
class ValueWriter {
 public:
  ValueWriter(std::string& out, Names names, std::string_view avoid = {})
      : out_(out), names_(names), avoid_(avoid) {}

  void operator()(std::integral auto number) {
    char digits[24];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
  }
  void operator()(std::string_view word) { out_ += word; }
  void operator()(Enumeration auto e) { word_or_number(words_of(e), static_cast<int>(e)); }
  void operator()(Pid pid) { (*this)(pid.n); }
  void operator()(Signal s) { word_or_number(kSignals, s.n); }
  void operator()(ExitSignal s) { word_or_number(kSignals, s.n); }
  void operator()(Limit limit) {
    if (limit.unlimited()) out_ += "unlimited";
    else (*this)(limit.n);
  }

  void operator()(PidsLimit limit) {
    if (limit == PidsLimit{}) out_ += "max";
    else (*this)(limit.n);
  }

  void operator()(TaskRef task) {
    const auto index = static_cast<std::size_t>(task.n);
    if (!task.named) return (*this)(task.n);
    out_ += index < names_.size() ? names_[index] : canonical_name(task.n);
  }

  void operator()(const Selector& s) {
    using Kind = Selector::Kind;
    if (s.kind == Kind::any) out_ += "any";
    if (s.kind == Kind::own_group) out_ += "own-group";
    if (s.kind == Kind::group) out_ += "group:";
    if (has_who(s)) (*this)(s.who);
  }

  void operator()(const IdSelector& s) {
    using Kind = IdSelector::Kind;
    if (s.kind != Kind::pidfd)
      return (*this)(Selector{static_cast<Selector::Kind>(s.kind), s.who});
    out_ += "pidfd:";
    (*this)(s.fd);
  }

  void operator()(const TidList& list) {
    if (list.size == 0) out_ += "none";
    const std::size_t start = out_.size();
    for (const std::int32_t number : list.numbers()) {
      if (out_.size() != start) out_ += ',';
      (*this)(number);
    }
  }

  void operator()(const Target& t) {
    using Kind = Target::Kind;
    if (t.kind == Kind::all) out_ += "all";
    if (t.kind == Kind::own_group) out_ += "own-group";
    if (t.kind == Kind::group) out_ += "group:";
    if (has_who(t)) (*this)(t.who);
  }

  template <class Kind>
  void operator()(Flags<Kind> flags) {
    std::uint64_t rest = flags.bits;
    const std::size_t start = out_.size();
    for (const Word& w : Kind::words) {
      if ((rest & w.value) == 0 || w.name == avoid_) continue;
      rest &= ~w.value;
      separate(start);
      out_ += w.name;
    }
    if (rest == 0 && out_.size() != start) return;
    separate(start);
    (*this)(rest);
  }

  void operator()(SigSet set) {
    if (set.empty()) out_ += "none";
    const std::size_t start = out_.size();
    for (; !set.empty(); set.remove(set.lowest())) {
      separate(start);
      (*this)(set.lowest());
    }
  }

 private:
  void separate(std::size_t start) {
    if (out_.size() != start) out_ += '|';
  }
  void word_or_number(std::span<const Word> words, std::int32_t number) {
    const auto word = name_of(words, static_cast<std::uint64_t>(std::int64_t{number}));
    if (word) out_ += *word;
    else (*this)(number);
  }

  std::string& out_;
  Names names_;
  std::string_view avoid_;
};

// --- reading ---------------------------------------------------------------------------------

template <std::integral N>
bool read_number(std::string_view word, N& number) {
  int base = 10;
  if (std::is_unsigned_v<N> && word.starts_with("0x")) word.remove_prefix(2), base = 16;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, base);
  return error == std::errc{} && end == word.data() + word.size();
}

/// Reads a value from a word, all of it. `Lookup` finds the index of a name, or kNoName.
template <class Lookup>
class ValueReader {
 public:
  explicit ValueReader(const Lookup& lookup) : lookup_(lookup) {}

  bool operator()(std::string_view word, std::integral auto& number) const {
    return read_number(word, number);
  }
  bool operator()(std::string_view word, Enumeration auto& e) const {
    const auto value = value_of(words_of(e), word);
    if (value) e = static_cast<std::remove_reference_t<decltype(e)>>(*value);
    return value.has_value();
  }
  bool operator()(std::string_view word, Signal& s) const { return signal(word, s.n); }
  bool operator()(std::string_view word, ExitSignal& s) const { return signal(word, s.n); }

  bool operator()(std::string_view word, Limit& limit) const {
    std::uint32_t number = 0;
    const bool unlimited = word == "unlimited";
    if (!unlimited && !read_number(word, number)) return false;
    limit = unlimited ? kUnlimited : Limit{number};
    return true;
  }
  bool operator()(std::string_view word, PidsLimit& limit) const {
    if (word == "max") return limit = {}, true;
    return read_number(word, limit.n);
  }

  bool operator()(std::string_view word, TaskRef& task) const {
    if (const std::int32_t index = lookup_(word); index != kNoName) {
      task = TaskRef::name(index);
      return true;
    }
    task.named = false;
    return read_number(word, task.n);
  }

  bool operator()(std::string_view word, Selector& s) const {
    using Kind = Selector::Kind;
    if (word == "any") return s = {Kind::any, {}}, true;
    if (word == "own-group") return s = {Kind::own_group, {}}, true;
    return task_or_group(word, s);
  }
  bool operator()(std::string_view word, IdSelector& s) const {
    constexpr std::string_view kPidfd = "pidfd:";
    if (word.starts_with(kPidfd)) {
      s = IdSelector(Descriptor{0});
      return read_number(word.substr(kPidfd.size()), s.fd);
    }
    Selector plain;
    if (!(*this)(word, plain)) return false;
    return s = plain, true;
  }
  bool operator()(std::string_view word, TidList& list) const {
    list = {};
    if (word == "none") return true;
    return each_part(word, [&](std::string_view part) {
      std::int32_t number = 0;
      if (list.size == kTidsMax || !read_number(part, number)) return false;
      return list.add(number), true;
    }, ',');
  }
  bool operator()(std::string_view word, Target& t) const {
    using Kind = Target::Kind;
    if (word == "all") return t = {Kind::all, {}}, true;
    if (word == "own-group") return t = {Kind::own_group, {}}, true;
    return task_or_group(word, t);
  }

  template <class Kind>
  bool operator()(std::string_view word, Flags<Kind>& flags) const {
    flags = {};
    if (word == "none") return true;
    return each_part(word, [&](std::string_view part) {
      std::uint64_t bits = 0;
      if (const auto named = value_of(Kind::words, part)) bits = *named;
      else if (!read_number(part, bits)) return false;
      flags.bits |= bits;
      return (bits & ~legal_bits(flags)) == 0;
    });
  }

  bool operator()(std::string_view word, SigSet& set) const {
    set = {};
    if (word == "none" || word == "0") return true;
    return each_part(word, [&](std::string_view part) {
      Signal s;
      if (!(*this)(part, s) || !valid(s)) return false;
      set.add(s);
      return true;
    });
  }

 private:
  template <std::integral N>
  static bool signal(std::string_view word, N& number) {
    const auto named = value_of(kSignals, word);
    if (!named) return read_number(word, number);
    number = static_cast<N>(*named);
    return true;
  }

  bool task_or_group(std::string_view word, auto& s) const {
    using Kind = decltype(s.kind);
    constexpr std::string_view kGroup = "group:";
    const bool group = word.starts_with(kGroup);
    if (group) word.remove_prefix(kGroup.size());
    s.kind = group ? Kind::group : Kind::task;
    return (*this)(word, s.who);
  }

  static bool each_part(std::string_view word, auto&& read, char between = '|') {
    while (true) {
      const std::size_t bar = word.find(between);
      if (!read(word.substr(0, bar))) return false;
      if (bar == std::string_view::npos) return true;
      word.remove_prefix(bar + 1);
    }
  }

  const Lookup& lookup_;
};

// --- what a type reads as, for messages --------------------------------------------------------

template <class Value>
std::string describe() {
  if constexpr (std::is_same_v<Value, TaskRef>) return "a task made above, or a pid";
  if constexpr (std::is_same_v<Value, Selector>)
    return "`any`, `own-group`, a task made above, a pid, or `group:` and one of these";
  if constexpr (std::is_same_v<Value, IdSelector>)
    return "`any`, `own-group`, a task made above, a pid, `group:` and one of these, or `pidfd:` "
           "and a descriptor";
  if constexpr (std::is_same_v<Value, TidList>)
    return "up to " + std::to_string(kTidsMax) + " numbers joined by `,`";
  if constexpr (std::is_same_v<Value, Target>)
    return "a task made above, a pid, `group:` and one of these, `own-group` or `all`";
  if constexpr (std::is_same_v<Value, PidsLimit>) return "a number of tasks, or `max`";
  if constexpr (std::is_same_v<Value, Signal> || std::is_same_v<Value, ExitSignal>)
    return "a signal, such as SIGTERM or 0";
  if constexpr (std::is_same_v<Value, Limit>) return "a number up to 4294967295, or `unlimited`";
  if constexpr (std::is_same_v<Value, SigSet>)
    return "signals joined by `|`, such as SIGUSR1|40, or `none`";
  if constexpr (std::integral<Value>)
    return "a number from " + std::to_string(std::numeric_limits<Value>::min()) + " to " +
           std::to_string(std::numeric_limits<Value>::max());
  if constexpr (FlagWord<Value> || Enumeration<Value>) {
    std::string list = FlagWord<Value> ? "flags joined by `|`, of" : "one of";
    std::span<const Word> words;
    if constexpr (FlagWord<Value>) words = [] <class K>(Flags<K>) -> std::span<const Word> {
      return K::words;
    }(Value{});
    else words = words_of(Value{});
    for (const Word& w : words) list += ' ', list += w.name;
    return list;
  }
}

}  // namespace forkproof
