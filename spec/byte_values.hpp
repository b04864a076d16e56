/// The values of a trace as bytes, once for each type of value.
///
/// A type says in `common` what each byte stands for. Encoding looks for the first byte that stands
/// for the value, so the two directions cannot disagree; a value that no byte stands for follows an
/// escape in full.
#pragma once
#include <array>
#include <limits>
#include <string_view>
#include <vector>

#include "spec/derive.hpp"

namespace forkproof {

inline constexpr unsigned kEscape = 0xFF;

/// Values that are worth a byte of their own: the edges of what the ops tell apart.
inline constexpr std::array<std::int32_t, 7> kNotableNumbers{
    256,     400, kPidMaxDefault, kPidMaxLimit, std::numeric_limits<std::int32_t>::min(),
    -0x8000, std::numeric_limits<std::int32_t>::max()};
inline constexpr std::array<std::uint32_t, 8> kNotablePages{
    16, 64, 255, 256, kPages - 1, kPages, kPages + 1, 0xFFFFFFFF};
inline constexpr std::array kNotableSignals{32, 33, 34, 40, 63, 64, 65, -1};
inline constexpr std::array<std::int32_t, 8> kNotableLimits{
    PidsLimit::kMax, PidsLimit::kMax, PidsLimit::kMax,   PidsLimit::kMax,
    -2,              kPidsLimitMax,   kPidsLimitMax + 1, std::numeric_limits<std::int32_t>::max()};
inline constexpr std::array<std::int32_t, 16> kNotablePids{
    0, -1, 1, 2, 3, 4, 5, 7, -2, -3, 299, 300, 301, 302, kPidMaxDefault, kNeverAPid.n};
inline constexpr std::array<SigSet, 4> kNotableSets{
    SigSet{~std::uint64_t{0}}, kUnblockable, kStopSignals, kDefaultIgnored};
inline constexpr std::array<CloneFlags, 24> kNotableClones{
    CloneFlags{},
    clone_flag::vm | clone_flag::sighand | clone_flag::thread,
    clone_flag::vm | clone_flag::vfork,
    clone_flag::vm,
    clone_flag::vfork,
    clone_flag::parent,
    clone_flag::vm | clone_flag::sighand,
    clone_flag::sighand,
    clone_flag::thread,
    clone_flag::sighand | clone_flag::thread,
    clone_flag::vm | clone_flag::vfork | clone_flag::parent,
    clone_flag::vm | clone_flag::fs | clone_flag::files | clone_flag::sighand | clone_flag::thread,
    clone_flag::files,
    clone_flag::fs,
    clone_flag::fs | clone_flag::files,
    clone_flag::vm | clone_flag::sighand | clone_flag::thread | clone_flag::files,
    clone_flag::newpid,
    clone_flag::newuts,
    clone_flag::newns,
    clone_flag::newtime,
    clone_flag::newuts | clone_flag::newpid,
    clone_flag::newipc | clone_flag::newcgroup,
    clone_flag::newns | clone_flag::newtime,
    clone_flag::newnet};
inline constexpr std::array<WaitOptions, 16> kNotableWaits{
    WaitOptions{},
    wait_option::exited,
    wait_option::nohang,
    wait_option::exited | wait_option::nohang,
    wait_option::stopped,
    wait_option::continued,
    wait_option::exited | wait_option::nowait,
    wait_option::exited | wait_option::stopped | wait_option::continued,
    wait_option::all,
    wait_option::clone,
    wait_option::nothread,
    wait_option::all | wait_option::nohang,
    wait_option::clone | wait_option::nohang,
    wait_option::stopped | wait_option::continued | wait_option::nohang,
    wait_option::exited | wait_option::nowait | wait_option::nohang,
    wait_option::exited | wait_option::all};

constexpr auto notable(const auto& table, unsigned index) { return table[index % table.size()]; }

// --- what a byte other than the escape stands for ----------------------------------------------

constexpr std::int32_t common(std::int32_t, unsigned byte) {
  const auto n = static_cast<std::int32_t>(byte);
  if (byte < 200) return n;
  if (byte < 240) return kReservedPids - 10 + (n - 200);  // around the floor of the pids
  return byte < 248 ? 239 - n : notable(kNotableNumbers, byte - 248);
}
constexpr std::int64_t common(std::int64_t, unsigned byte) { return byte; }
constexpr std::uint32_t common(std::uint32_t, unsigned byte) {
  return byte < 0xE0 ? byte % 16 : notable(kNotablePages, byte);
}
constexpr Signal common(Signal, unsigned byte) {
  return {byte < 0xF0 ? static_cast<std::int32_t>(byte % 32) : notable(kNotableSignals, byte)};
}
constexpr PidsLimit common(PidsLimit, unsigned byte) {
  return {byte < 0xE0 ? static_cast<std::int32_t>(byte % 16) : notable(kNotableLimits, byte)};
}
constexpr ExitSignal common(ExitSignal, unsigned byte) {
  if (byte >= 0x80) return {static_cast<std::uint8_t>(byte - 0x80)};
  return {byte % 2 == 0 ? ExitSignal{}.n : std::uint8_t{0}};
}
constexpr SigSet common(SigSet, unsigned byte) {
  return byte < 0xF0 ? SigSet::of({static_cast<std::int32_t>(byte % 32)})
                     : notable(kNotableSets, byte);
}
constexpr Limit common(Limit, unsigned byte) {
  return byte < 0xE0 ? Limit{byte % 8} : kUnlimited;
}
constexpr CloneFlags common(CloneFlags, unsigned byte) { return notable(kNotableClones, byte); }
/// Those of clone, and from 16 on with one or the other flag that clone3 is used for.
constexpr Clone3Flags common(Clone3Flags, unsigned byte) {
  constexpr std::array kMore{CloneFlags{}, clone_flag::pidfd, clone_flag::clear_sighand,
                             clone_flag::newpid, clone_flag::into_cgroup};
  return {(notable(kNotableClones, byte) | notable(kMore, byte / 16)).bits};
}
constexpr WaitOptions common(WaitOptions, unsigned byte) { return notable(kNotableWaits, byte); }

/// A flag word of few flags: each bit of the byte is one of them.
template <class Kind>
constexpr Flags<Kind> common(Flags<Kind>, unsigned byte) {
  Flags<Kind> flags;
  for (const Word& w : Kind::words) {
    if (byte % 2 != 0) flags.bits |= w.value;
    byte /= 2;
  }
  return flags;
}

/// What follows the escape: the number in full, of as many bytes.
constexpr std::uint64_t whole(std::integral auto n) { return static_cast<std::uint64_t>(n); }
constexpr std::uint64_t whole(Signal s) { return whole(s.n); }
constexpr std::uint64_t whole(ExitSignal s) { return s.n; }
constexpr std::uint64_t whole(PidsLimit l) { return whole(l.n); }
constexpr std::uint64_t whole(SigSet s) { return s.bits; }
constexpr std::uint64_t whole(Limit l) { return l.n; }
constexpr std::uint64_t whole(FlagWord auto f) { return f.bits; }

template <class Value>
constexpr Value from_whole(std::uint64_t n) {
  if constexpr (std::integral<Value>) return static_cast<Value>(n);
  else if constexpr (FlagWord<Value>) return {n & legal_bits(Value{})};
  else if constexpr (std::is_same_v<Value, SigSet>) return {n};
  else if constexpr (std::is_same_v<Value, Limit>) return {n & 0xFFFFFFFF};
  else return {static_cast<decltype(Value::n)>(n)};
}

// --- reading ---------------------------------------------------------------------------------

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::int32_t bound = 1;  // how many names there are to refer to

  bool done() const { return at_ == bytes_.size(); }
  unsigned byte() { return done() ? 0U : bytes_[at_++]; }
  std::uint64_t number(std::size_t size) {
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < size; ++i) n |= std::uint64_t{byte()} << (8 * i);
    return n;
  }

  void operator()(auto& value) {
    using Value = std::remove_reference_t<decltype(value)>;
    const unsigned b = byte();
    value = b == kEscape ? from_whole<Value>(number(sizeof value)) : common(Value{}, b);
  }
  void operator()(Enumeration auto& e) {
    using E = std::remove_reference_t<decltype(e)>;
    e = static_cast<E>(notable(words_of(e), byte()).value);
  }
  void operator()(TaskRef& task) {
    const unsigned b = byte();
    if (b < kNumbers) task = name(b);
    else if (b < kName) task = TaskRef::number({notable(kNotablePids, b - kNumbers)});
    else if (b == kName) task = name(number(4));
    else task = TaskRef::number({from_whole<std::int32_t>(number(4))});
  }
  void operator()(Selector& s) { task_or_group(s, Selector::Kind::own_group); }
  void operator()(Target& t) { task_or_group(t, Target::Kind::all); }
  void operator()(IdSelector& s) {
    task_or_group(s, IdSelector::Kind::pidfd);
    if (s.kind == IdSelector::Kind::pidfd) (*this)(s.fd);
  }
  void operator()(TidList& list) {
    list = {};
    for (std::size_t left = byte() % (kTidsMax + 1); left > 0; --left) {
      std::int32_t number = 0;
      (*this)(number);
      list.add(number);
    }
  }

  TaskRef name(std::uint64_t n) const {
    return TaskRef::name(static_cast<std::int32_t>(n % static_cast<std::uint64_t>(bound)));
  }

  static constexpr unsigned kNumbers = 0xE0, kName = 0xFE;  // below the numbers, names

 private:
  void task_or_group(auto& s, auto last) {
    const auto kinds = static_cast<unsigned>(last) + 1;
    s = {};
    s.kind = static_cast<decltype(last)>(byte() % kinds);
    if (has_who(s)) (*this)(s.who);
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

// --- writing ---------------------------------------------------------------------------------

class ByteWriter {
 public:
  std::vector<std::uint8_t> bytes;

  void byte(unsigned b) { bytes.push_back(static_cast<std::uint8_t>(b)); }
  void number(std::uint64_t n, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) byte(static_cast<unsigned>(n >> (8 * i)) & 0xFF);
  }

  template <class Value>
  void operator()(Value value) {
    unsigned b = 0;
    while (b < kEscape && common(Value{}, b) != value) ++b;
    byte(b);
    if (b == kEscape) number(whole(value), sizeof value);
  }
  void operator()(Enumeration auto e) {
    const auto words = words_of(e);
    unsigned b = 0;
    while (words[b].value != static_cast<std::uint64_t>(e)) ++b;
    byte(b);
  }
  void operator()(TaskRef task) {
    if (task.named) return name(task.n);
    unsigned b = 0;
    while (b < kNotablePids.size() && kNotablePids[b] != task.n) ++b;
    if (b < kNotablePids.size()) return byte(ByteReader::kNumbers + b);
    byte(kEscape);
    number(whole(task.n), 4);
  }
  void operator()(const Selector& s) { task_or_group(s); }
  void operator()(const Target& t) { task_or_group(t); }
  void operator()(const IdSelector& s) {
    task_or_group(s);
    if (s.kind == IdSelector::Kind::pidfd) (*this)(s.fd);
  }
  void operator()(const TidList& list) {
    byte(list.size);
    for (const std::int32_t number : list.numbers()) (*this)(number);
  }

 private:
  void name(std::int32_t index) {
    if (whole(index) < ByteReader::kNumbers) return byte(static_cast<unsigned>(index));
    byte(ByteReader::kName);
    number(whole(index), 4);
  }
  void task_or_group(const auto& s) {
    byte(static_cast<unsigned>(s.kind));
    if (has_who(s)) (*this)(s.who);
  }
};

}  // namespace forkproof
