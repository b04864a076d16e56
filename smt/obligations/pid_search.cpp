/// The search for the next number: each profile answers exactly the number that its policy names.
///
/// Which numbers are taken is free. What `first_free` finds is known by its contract, which
/// pid_word.cpp proves; of the numbers that it passes, the contract is told for the one number `m`
/// of which a conclusion speaks. `m` being any number, that is as good as all.
#include "impl/bits/pid_search.hpp"

#include <fmt/format.h>

#include <set>

#include "smt/claim.hpp"
#include "spec/words.hpp"

namespace forkproof::smt {

namespace bits = impl::bits;
using z3::expr;

namespace {

/// A search: the state that it starts from, and what came of it.
struct Search {
  Claim& c;
  expr cursor, pid_max, m;
  z3::func_decl taken;
  expr found;

  explicit Search(Claim& claim, bool idr)
      : c(claim), cursor(c.word("cursor")), pid_max(c.word("pid_max")), m(c.word("m")),
        taken(c.set("taken")), found(cursor) {
    c.given(z3::uge(cursor, at(1)) && z3::ule(cursor, at(kPidMaxLimit + 1)));
    c.given(z3::uge(pid_max, at(kPidMaxMin)) && z3::ule(pid_max, at(kPidMaxLimit)));
    const auto first_free = [&](const Word& from) { return Word{lowest_from(from)}; };
    const Word at_cursor{cursor}, below{pid_max};
    found = idr ? bits::idr_search(at_cursor, below, first_free)
                : bits::bitmap_search(at_cursor, below, first_free);
    c.tell("found", found);
    c.tell("m is taken", taken(m), show_truth);
    c.wish(z3::ule(pid_max, at(310)) && z3::uge(cursor, at(280)) && z3::ule(cursor, pid_max));
    c.wish(z3::ule(found, at(400)) && z3::ult(m, at(400)));
  }

  expr at(std::int32_t n) const { return number(cursor, static_cast<std::uint64_t>(n)); }
  expr succeeds() const { return !bits::passes(Word{found}, Word{pid_max}); }
  expr free(const expr& n) const { return !taken(n); }
  /// `m` is free, from `from` on and below pid_max.
  expr m_is_free_from(const expr& from) const {
    return free(m) && z3::uge(m, from) && z3::ult(m, pid_max);
  }
  /// Where the policies begin, and where they come back to.
  expr idr_floor() const { return z3::ite(z3::ugt(cursor, at(300)), at(300), at(1)); }
  expr idr_from() const { return cursor; }
  expr bitmap_from() const { return z3::ite(z3::ult(cursor, pid_max), cursor, at(300)); }

 private:
  expr lowest_from(const expr& from) {
    const char* const names[] = {"first", "second"};
    const std::string name = names[searches_++];
    const expr lowest = c.word(name + " found");
    c.tell(name + " from", from);
    c.given(z3::uge(lowest, from) && free(lowest));
    c.given(z3::implies(z3::uge(m, from) && z3::ult(m, lowest), taken(m)));
    return lowest;
  }
  int searches_ = 0;
};

void never_in_use(Claim& c, bool idr) {
  const Search s(c, idr);
  c.holds(z3::implies(s.succeeds(), s.free(s.found) && z3::ult(s.found, s.pid_max)));
}

void idr_in_range(Claim& c) {
  const Search s(c, true);
  c.holds(z3::implies(s.succeeds(), z3::uge(s.found, s.idr_floor())));
  c.holds(s.succeeds() == z3::ult(s.found, s.pid_max));
}

void bitmap_in_range(Claim& c) {
  const Search s(c, false);
  c.holds(z3::implies(s.succeeds(), z3::uge(s.found, s.at(300)) || z3::uge(s.found, s.cursor)));
  c.holds(s.succeeds() == z3::ult(s.found, s.pid_max));
}

/// If a number is free from `from` on, the answer is the first such.
void next_is_lowest(const Search& s, const expr& from) {
  s.c.holds(z3::implies(s.m_is_free_from(from),
                        s.succeeds() && z3::uge(s.found, from) && z3::ule(s.found, s.m)));
}

/// If none is, it is the first from the floor.
void wrap_is_lowest(const Search& s, const expr& from, const expr& floor) {
  const expr wrapped = s.succeeds() && z3::ult(s.found, from);
  s.c.holds(z3::implies(wrapped, !s.m_is_free_from(from)));
  s.c.holds(z3::implies(wrapped && s.m_is_free_from(floor), z3::ule(s.found, s.m)));
  s.c.holds(z3::implies(wrapped, z3::uge(s.found, floor)));
}

void idr_next(Claim& c) {
  const Search s(c, true);
  next_is_lowest(s, s.idr_from());
}

void bitmap_next(Claim& c) {
  const Search s(c, false);
  next_is_lowest(s, s.bitmap_from());
}

void idr_wraps(Claim& c) {
  const Search s(c, true);
  wrap_is_lowest(s, s.idr_from(), s.idr_floor());
}

void bitmap_wraps(Claim& c) {
  const Search s(c, false);
  wrap_is_lowest(s, s.bitmap_from(), s.at(300));
}

void idr_exhausted(Claim& c) {
  const Search s(c, true);
  c.holds(z3::implies(!s.succeeds(), !s.m_is_free_from(s.idr_floor())));
}

void idr_spares_low_numbers(Claim& c) {
  const Search s(c, true);
  c.given(z3::ugt(s.cursor, s.at(300)));
  c.holds(z3::implies(s.succeeds(), z3::uge(s.found, s.at(300))));
}

void bitmap_exhausted(Claim& c) {
  const Search s(c, false);
  const expr last_was_300 = s.cursor == s.at(301);
  c.holds(z3::implies(!s.succeeds(), !s.m_is_free_from(s.bitmap_from())));
  c.holds(z3::implies(!s.succeeds() && !last_was_300, !s.m_is_free_from(s.at(300))));
}

void bitmap_gives_up(Claim& c) {
  const Search s(c, false);
  c.given(s.cursor == s.at(301));
  c.holds(z3::implies(s.succeeds(), z3::uge(s.found, s.bitmap_from())));
}

void bitmap_wraps_to_300(Claim& c) {
  const Search s(c, false);
  const expr below = z3::ult(s.found, s.bitmap_from()) || z3::uge(s.cursor, s.pid_max);
  const expr wrapped = s.succeeds() && below;
  c.holds(z3::implies(wrapped, z3::uge(s.found, s.at(300))));
  c.holds(z3::implies(wrapped && s.m == s.at(300) && s.free(s.m), s.found == s.m));
}

/// A world in which the numbers are taken that the searches pass; then one more is made.
std::string search_trace(const Values& v, const char* profile) {
  const std::uint64_t pid_max = v.at("pid_max");
  std::set<std::uint64_t> taken;
  for (const char* name : {"first", "second"})
    if (const auto from = v.find(std::string(name) + " from"); from != v.end())
      for (std::uint64_t n = from->second;
           n < std::min(pid_max, v.at(std::string(name) + " found")); ++n)
        taken.insert(n);
  if (v.at("m is taken") != 0) taken.insert(v.at("m"));
  if (taken.size() > 1000 || v.at("cursor") > pid_max + 1) return {};

  std::string steps = fmt::format("world profile={}\n", profile);
  for (const std::uint64_t n : taken)
    if (n > 1 && n < kPidMaxDefault)
      steps += fmt::format("world: pid_cursor {}\ninit: fork as T{}\n", n, n);
  return steps + fmt::format("world: pid_max {}\nworld: pid_cursor {}\ninit: fork as Next\n",
                             pid_max, v.at("cursor"));
}

std::string idr_trace(const Values& v) { return search_trace(v, "linux-6"); }
std::string bitmap_trace(const Values& v) { return search_trace(v, "linux-4.12"); }

constexpr const char* kIdr = "idr_search idr_first idr_floor passes";
constexpr const char* kBitmap = "bitmap_search bitmap_first passes";
constexpr const char* kContract =
    "first_free answers the lowest number from its argument on that is not taken (pid.*)";

constexpr Obligation kObligations[] = {
    {"idr.never-in-use", "No number that is in use is given out (6.x).", "kernel-pid IDR:1", kIdr,
     kContract, [](Claim& c) { never_in_use(c, true); }, idr_trace},
    {"idr.in-range", "No number below the floor is given out, and none from pid_max on (6.x).",
     "kernel-pid MAX:2", kIdr, kContract, idr_in_range, idr_trace},
    {"idr.next", "If a number is free from the cursor on, the lowest such is given out (6.x).",
     "kernel-pid IDR:1", kIdr, kContract, idr_next, idr_trace},
    {"idr.wrap", "If none is, the lowest free one from the floor on is given out (6.x).",
     "kernel-pid IDR:2", kIdr, kContract, idr_wraps, idr_trace},
    {"idr.spares-low-numbers", "Once the cursor is above 300 no lower number is given out (6.x).",
     "kernel-pid IDR:2", kIdr, kContract, idr_spares_low_numbers, idr_trace},
    {"idr.exhausted", "EAGAIN means that no number is free from the floor to pid_max - 1 (6.x).",
     "kernel-pid IDR:4", kIdr, kContract, idr_exhausted, idr_trace},
    {"bitmap.never-in-use", "No number that is in use is given out (4.12).",
     "kernel-pid BITMAP:1", kBitmap, kContract, [](Claim& c) { never_in_use(c, false); },
     bitmap_trace},
    {"bitmap.in-range",
     "A number below 300 is given out only from the cursor on, and none from pid_max on (4.12).",
     "kernel-pid MAX:2", kBitmap, kContract, bitmap_in_range, bitmap_trace},
    {"bitmap.next",
     "If a number is free from the cursor on, or from 300 where that is at pid_max, the lowest "
     "such is given out (4.12).",
     "kernel-pid BITMAP:1", kBitmap, kContract, bitmap_next, bitmap_trace},
    {"bitmap.wrap", "If none is, the lowest free one from 300 on is given out (4.12).",
     "kernel-pid BITMAP:2", kBitmap, kContract, bitmap_wraps, bitmap_trace},
    {"bitmap.wrap-to-300",
     "After the wrap 300 is given out if it is free, and no number below it (4.12).",
     "kernel-pid BITMAP:2", kBitmap, kContract, bitmap_wraps_to_300, bitmap_trace},
    {"bitmap.gives-up-at-300",
     "If the last number given was 300 the search does not come round (4.12).",
     "kernel-pid BITMAP:3", kBitmap, kContract, bitmap_gives_up, bitmap_trace},
    {"bitmap.exhausted",
     "EAGAIN means that no number is free from the cursor on, nor, unless the last one was 300, "
     "from 300 on (4.12).",
     "kernel-pid BITMAP:4", kBitmap, kContract, bitmap_exhausted, bitmap_trace},
};

}  // namespace

std::span<const Obligation> pid_search_obligations() { return kObligations; }

}  // namespace forkproof::smt
