/// Scripts as bytes. Reading and writing stand side by side, so that they can be compared.
#include "spec/bytes.hpp"

#include <algorithm>
#include <unordered_set>

#include "spec/byte_values.hpp"
#include "spec/text.hpp"

namespace forkproof {
namespace {

/// First bytes that say more of the step before them; all others are ops.
enum More : unsigned { kMoreName = 0xFB, kMorePid, kMoreOutcome, kMoreReturn, kMoreExpect };
static_assert(kOps <= kMoreName, "each op needs a first byte");

// The world's byte: its lowest bit is the profile, the next three choose a pid_max, which after the
// last of the choices follows in four bytes. Zero is a small world, in which numbers soon wrap.
// One value of the highest four is a world with kernel threads.
constexpr std::array<std::int32_t, 7> kPidMaxes{310, 301, 302, 320, 400, 1000, kPidMaxDefault};

/// The number of the range that any number stands for; those of the range stand for themselves.
std::int32_t into_range(std::int64_t n, std::int64_t least, std::int64_t most) {
  const std::int64_t size = most - least + 1;
  return static_cast<std::int32_t>(least + ((n - least) % size + size) % size);
}

constexpr unsigned kKthreads = 0xA;

void read(ByteReader& in, WorldSpec& world) {
  const unsigned b = in.byte();
  const std::size_t choice = (b >> 1) % 8;
  world.kthreads = b >> 4 == kKthreads;
  world.profile = static_cast<Profile>(b % 2);
  if (choice < kPidMaxes.size()) {
    world.pid_max = kPidMaxes[choice];
  } else {
    const auto any = static_cast<std::int64_t>(in.number(4));
    world.pid_max = into_range(any, kPidMaxMin, kPidMaxLimit);
  }
}

void write(ByteWriter& out, const WorldSpec& world) {
  const auto choice = std::ranges::find(kPidMaxes, world.pid_max) - kPidMaxes.begin();
  const unsigned kthreads = world.kthreads ? kKthreads << 4 : 0;
  out.byte(kthreads | static_cast<unsigned>(choice) << 1 | static_cast<unsigned>(world.profile));
  if (static_cast<std::size_t>(choice) == kPidMaxes.size()) out.number(whole(world.pid_max), 4);
}

constexpr unsigned kOutcomes = static_cast<unsigned>(Outcome::Kind::change);  // without `nothing`

void read(ByteReader& in, Outcome& o) {
  using Kind = Outcome::Kind;
  o = Outcome::of(static_cast<Kind>(in.byte() % kOutcomes + 1));
  if (o.kind == Kind::value) in(o.value);
  if (o.kind == Kind::error) in(o.error);
  if (o.kind == Kind::task || o.kind == Kind::blocks || o.kind == Kind::change) in(o.who);
  if (o.kind == Kind::change) in(o.change);
  const bool has_code = o.kind == Kind::change && o.change != Change::continued;
  if (has_code || o.kind == Kind::dies) in(o.code);
}

void write(ByteWriter& out, const Outcome& o) {
  using Kind = Outcome::Kind;
  out.byte(static_cast<unsigned>(o.kind) - 1);
  if (o.kind == Kind::value) out(o.value);
  if (o.kind == Kind::error) out(o.error);
  if (o.kind == Kind::task || o.kind == Kind::blocks || o.kind == Kind::change) out(o.who);
  if (o.kind == Kind::change) out(o.change);
  const bool has_code = o.kind == Kind::change && o.change != Change::continued;
  if (has_code || o.kind == Kind::dies) out(o.code);
}

void read(ByteReader& in, Expectation& e) {
  in(e.task);
  e.field = static_cast<std::uint8_t>(in.byte() % kFields);
  with_field(e.field, [&]<class V>(const Field<V>&) {
    std::conditional_t<std::is_same_v<V, Pid>, TaskRef, V> value{};
    in(value);
    set_value(e, value);
  });
}

void write(ByteWriter& out, const Expectation& e) {
  out(e.task);
  out.byte(e.field);
  with_field(e.field, [&]<class V>(const Field<V>&) {
    if constexpr (std::is_same_v<V, Pid>)
      out(e.value);
    else if constexpr (FlagWord<V> || std::is_same_v<V, SigSet>)
      out(V{e.bits});
    else
      out(static_cast<V>(e.value.n));
  });
}

class Decoder {
 public:
  explicit Decoder(std::span<const std::uint8_t> bytes) : in_(bytes) {}

  Script run() {
    read(in_, script_.world);
    while (!in_.done()) {
      const unsigned first = in_.byte();
      if (first >= kMoreName)
        more(first);
      else if (script_.steps.size() < kStepsMax)
        step(first);
      else
        break;
    }
    name_the_unnamed(script_.names);
    return std::move(script_);
  }

 private:
  void step(unsigned first) {
    Step& s = script_.steps.emplace_back();
    s.op = default_op(first % kOps);
    if (!is_by_world(s.op)) {
      const unsigned actor = in_.byte();
      s.actor = in_.name(actor < ByteReader::kName ? actor : in_.number(4)).n;
    }
    std::visit([&](auto& o) { for_each_arg(o, [&](const auto&, auto& value) { in_(value); }); },
               s.op);
    if (!creates(s.op)) return;
    s.binds = in_.bound++;
    script_.names.emplace_back();
  }

  /// Before the first step it says something of nothing, and is read and dropped.
  void more(unsigned what) {
    Step nothing;
    Step& s = script_.steps.empty() ? nothing : script_.steps.back();
    if (what == kMoreName) name(s);
    if (what == kMorePid) pin(s);
    if (what == kMoreOutcome) outcome(s);
    if (what == kMoreReturn) {
      ExpectedReturn& r = s.returns.emplace_back();
      in_(r.task);
      read(in_, r.outcome);
    }
    if (what == kMoreExpect) read(in_, s.expectations.emplace_back());
  }

  void name(const Step& s) {
    std::string name(in_.byte() % (kNameMax + 1), '\0');
    for (char& c : name) c = static_cast<char>(in_.byte());
    if (s.binds == kNoName || !is_name(name) || !given_.insert(name).second) return;
    script_.names[static_cast<std::size_t>(s.binds)] = name;
  }

  void pin(Step& s) {
    std::int32_t n = 0;
    in_(n);
    if (s.binds != kNoName) s.pid = Pid{into_range(n, 1, kPidMaxLimit)};
  }

  void outcome(Step& s) {
    read(in_, s.outcome.emplace());
    if (has_no_outcome(s.op)) s.outcome = Outcome::of(Outcome::Kind::not_run);
  }

  ByteReader in_;
  Script script_;
  std::unordered_set<std::string> given_;
};

void write(ByteWriter& out, const Step& s, std::string_view name) {
  out.byte(static_cast<unsigned>(s.op.index()));
  if (!is_by_world(s.op)) {
    const bool fits = s.actor < static_cast<std::int32_t>(ByteReader::kName);
    out.byte(fits ? static_cast<unsigned>(s.actor) : ByteReader::kName);
    if (!fits) out.number(whole(s.actor), 4);
  }
  std::visit(
      [&](const auto& o) { for_each_arg(o, [&](const auto&, const auto& value) { out(value); }); },
      s.op);

  if (!name.empty()) {
    out.byte(kMoreName), out.byte(static_cast<unsigned>(name.size()));
    out.bytes.insert(out.bytes.end(), name.begin(), name.end());
  }
  if (s.pid) out.byte(kMorePid), out(s.pid->n);
  if (s.outcome) out.byte(kMoreOutcome), write(out, *s.outcome);
  for (const ExpectedReturn& r : s.returns)
    out.byte(kMoreReturn), out(r.task), write(out, r.outcome);
  for (const Expectation& e : s.expectations) out.byte(kMoreExpect), write(out, e);
}

}  // namespace

std::vector<std::uint8_t> encode(const Script& script) {
  ByteWriter out;
  write(out, script.world);
  for (const Step& s : script.steps) {
    const std::string_view name =
        s.binds == kNoName ? std::string_view{} : script.names[static_cast<std::size_t>(s.binds)];
    write(out, s, name == canonical_name(s.binds) ? std::string_view{} : name);
  }
  return std::move(out.bytes);
}

Script decode(std::span<const std::uint8_t> bytes) { return Decoder{bytes}.run(); }

}  // namespace forkproof
