/// Pids: the bitmap that knows which numbers are taken against an ordered map of the runs of them,
/// up to the highest pid_max; and the numbers that a machine gives out against a std::set and the
/// rule.
///
/// The first byte says which of the two, and the bounds; then every op is a byte, with its number
/// in the three bytes behind it where it has one.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "fuzz/target.hpp"
#include "impl/machine.hpp"

namespace forkproof::fuzz {

const std::string_view kTargetName = "fuzz_pid";

namespace {

constexpr std::int32_t kPidMaxes[] = {301,     320,         400, 1000, 4160, kPidMaxDefault,
                                      300'000, kPidMaxLimit};
constexpr std::size_t kTakenMax =
    280'000;  // by one input: enough to fill a word of the third level

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}
  bool done() const { return at_ == bytes_.size(); }
  unsigned byte() { return done() ? 0U : bytes_[at_++]; }
  std::size_t number() { return byte() | byte() << 8 | byte() << 16; }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

/// Numbers, as runs of them that do not touch: the obvious account of what a bitmap does.
class Runs {
 public:
  bool taken(std::size_t n) const {
    const auto next = ends_.upper_bound(n);
    return next != ends_.begin() && std::prev(next)->second > n;
  }
  std::size_t first_free(std::size_t n) const {
    const auto next = ends_.upper_bound(n);
    const bool inside = next != ends_.begin() && std::prev(next)->second > n;
    return inside ? std::prev(next)->second : n;
  }
  std::size_t first_taken(std::size_t n) const {
    if (taken(n)) return n;
    const auto next = ends_.upper_bound(n);
    return next == ends_.end() ? impl::PidBitmap::kNumbers : next->first;
  }
  void take(std::size_t n) {
    std::size_t first = n, end = n + 1;
    if (const auto after = ends_.find(end); after != ends_.end()) {
      end = after->second;
      ends_.erase(after);
    }
    const auto before = ends_.lower_bound(n);
    if (before != ends_.begin() && std::prev(before)->second == n) {
      first = std::prev(before)->first;
      ends_.erase(std::prev(before));
    }
    ends_[first] = end;
  }
  void give_back(std::size_t n) {
    const auto at = std::prev(ends_.upper_bound(n));
    const auto [first, end] = *at;
    ends_.erase(at);
    if (first < n) ends_[first] = n;
    if (n + 1 < end) ends_[n + 1] = end;
  }

 private:
  std::map<std::size_t, std::size_t> ends_;  // by the first number of a run, the one behind it
};

/// The bitmap against the runs.
std::string bitmap_complaint(Reader& in) {
  impl::PidBitmap bitmap;
  Runs runs;
  const auto limit = static_cast<std::size_t>(kPidMaxes[in.byte() % std::size(kPidMaxes)]);
  std::size_t taken = 0, at = 0;
  const auto turn = [&](std::size_t n, bool take) {
    if (runs.taken(n) == take) return;
    take ? bitmap.take(n) : bitmap.give_back(n);
    take ? runs.take(n) : runs.give_back(n);
  };
  while (!in.done()) {
    const unsigned what = in.byte();
    const std::size_t n = what & 0x10 ? at : in.number() % limit;
    const bool take = what & 0x20;
    std::size_t count = 1;
    if (what & 0x40) count = 64;
    if (what & 0x80) count = std::size_t{1} << 4 * (1 + (what & 3));
    if (taken + count > kTakenMax) count = 1;
    taken += count;
    if (what & 8) at = bitmap.first_free(n);  // as an allocator would
    const std::size_t from = what & 8 ? std::min(at, limit - 1) : n;
    for (std::size_t k = from; k < std::min(from + count, limit); ++k) turn(k, take);
    at = std::min(from + count, limit - 1);
    for (const std::size_t p : {n, from, at, limit - 1})
      if (bitmap.taken(p) != runs.taken(p) || bitmap.first_free(p) != runs.first_free(p))
        return fmt::format("the bitmap is wrong about {}", p);
  }
  if (bitmap.first_taken(at) != runs.first_taken(at))
    return fmt::format("the bitmap is wrong about what is taken from {} on", at);
  return bitmap.sound() ? "" : "the summaries of the bitmap are not sound";
}

/// The pids of a machine in which init makes and reaps children, as the rule of its profile has it.
class Allocator {
 public:
  Allocator(Profile profile, std::int32_t pid_max) : profile_(profile), pid_max_(pid_max) {}

  std::optional<std::int32_t> make() {
    const std::int32_t last = cursor_ - 1;
    std::int32_t floor = kReservedPids, from = cursor_;
    if (profile_ == Profile::linux_6) {
      if (cursor_ <= kReservedPids) floor = 1;
      from = std::max(from, floor);
    } else if (from >= pid_max_) {
      from = floor;
    }
    std::optional<std::int32_t> n = free_in(from);
    const bool looks_below = profile_ == Profile::linux_6 ? from > floor : last != kReservedPids;
    if (!n && looks_below) n = free_in(floor);
    if (n) cursor_ = *n + 1, taken_.insert(*n);
    return n;
  }
  void free(std::int32_t n) { taken_.erase(n); }
  std::int32_t nth(std::size_t k) const {
    return *std::next(taken_.begin(), static_cast<std::ptrdiff_t>(k % taken_.size()));
  }
  bool turn_max(std::int32_t n) { return turn(n, kPidMaxMin, kPidMaxLimit, pid_max_); }
  bool turn_cursor(std::int32_t n) { return turn(n, 1, pid_max_ + 1, cursor_); }

 private:
  static bool turn(std::int32_t n, std::int32_t least, std::int32_t most, std::int32_t& knob) {
    if (n < least || n > most) return false;
    knob = n;
    return true;
  }
  std::optional<std::int32_t> free_in(std::int32_t from) const {
    auto at = taken_.lower_bound(from);
    for (; at != taken_.end() && *at == from; ++at) ++from;
    return from < pid_max_ ? std::optional{from} : std::nullopt;
  }

  Profile profile_;
  std::int32_t pid_max_;
  std::int32_t cursor_ = 2;
  std::set<std::int32_t> taken_{1};
};

std::string machine_complaint(Reader& in) {
  const unsigned world = in.byte();
  const WorldSpec spec{.profile = static_cast<Profile>(world % 2),
                       .pid_max = kPidMaxes[world / 2 % std::size(kPidMaxes)]};
  impl::Machine machine(spec);
  Allocator rule(spec.profile, spec.pid_max);
  const auto knob = [](bool turned) {
    return turned ? Outcome::success() : Outcome::failure(Errno::inval);
  };
  machine.apply(kInit, Sigaction{sig::chld, Disposition::ignore, {}});  // the dead go at once
  while (!in.done()) {
    const unsigned what = in.byte();
    if (what < 0xA0) {
      for (unsigned k = what < 0x80 ? 1 : 1 + what % 32 * 8; k > 0; --k) {
        const std::optional<std::int32_t> n = rule.make();
        const Outcome wanted = n ? Outcome::task(Pid{*n}) : Outcome::failure(Errno::again);
        if (machine.apply(kInit, Fork{}).outcome != wanted)
          return fmt::format("fork does not answer {}", n ? *n : -1);
      }
    } else if (what < 0xE0) {
      const std::int32_t n = rule.nth(in.byte() | in.byte() << 8);
      if (n == kInit.n) continue;
      machine.apply(Pid{n}, Exit{{}, 0});
      rule.free(n);
    } else {
      const auto n = static_cast<std::int32_t>(in.number() % (kPidMaxLimit + 2));
      const bool is_max = what >= 0xF0;
      const Outcome wanted = knob(is_max ? rule.turn_max(n) : rule.turn_cursor(n));
      const Op op = is_max ? Op{SetPidMax{{}, n}} : Op{SetPidCursor{{}, n}};
      if (machine.apply(Pid{}, op).outcome != wanted)
        return fmt::format("the knob turns wrongly at {}", n);
    }
  }
  return machine.sound() ? "" : "the machine is not sound";
}

class PidTarget final : public Target {
 public:
  std::string_view extension() const override { return ".pid"; }
  bool holds(Bytes input) override { return complaint(input).empty(); }
  Finding explain(Bytes input) override {
    return plain_finding(complaint(input), input, extension());
  }

 private:
  static std::string complaint(Bytes input) {
    Reader in{input};
    return in.byte() % 2 == 0 ? bitmap_complaint(in) : machine_complaint(in);
  }
};

}  // namespace

Target& target() {
  static PidTarget t;
  return t;
}

}  // namespace forkproof::fuzz
