/// The pid bitmap: one word, one step from a level to the next. As each step is proved for any
/// word and any height, the whole allocator follows by induction over its levels.
#include "impl/bits/pid_word.hpp"

#include <fmt/format.h>

#include "impl/pid_bitmap.hpp"
#include "smt/claim.hpp"
#include "spec/words.hpp"

namespace forkproof::smt {

namespace bits = impl::bits;
using z3::expr;

namespace {

/// More numbers than any level has things: no index that occurs is larger.
constexpr std::uint64_t kThingsMax = impl::PidBitmap::kNumbers;

expr has(const expr& word, const expr& bit) { return (word & bit) != number(word, 0); }
expr full(const expr& word) { return word == ~number(word, 0); }
expr place(const expr& n) { return n & number(n, 63); }
/// Bit number `n mod 64` of `word`, by the definition of a bit.
expr bit_number(const expr& word, const expr& n) {
  return z3::lshr(word, place(n)).extract(0, 0) == word.ctx().bv_val(1, 1);
}
expr set_bit(const expr& n) { return z3::shl(number(n, 1), place(n)); }

/// A thing of any level.
expr thing(Claim& c, const char* name) {
  const expr n = c.word(name);
  c.given(z3::ult(n, number(n, kThingsMax)));
  return n;
}

void bit_is_the_numbers(Claim& c) {
  const expr n = thing(c, "n"), other = thing(c, "other");
  const Word bit = bits::bit_of(Word{n});
  c.holds(bit == set_bit(n));
  c.holds(bits::word_of(Word{n}) == z3::udiv(n, number(n, 64)));
  const expr same_word = bits::word_of(Word{n}) == bits::word_of(Word{other}).e;
  c.holds(z3::implies(same_word && set_bit(n) == set_bit(other), n == other));
}

void number_comes_back(Claim& c) {
  const expr n = thing(c, "n");
  c.holds(bits::thing_at(bits::word_of(Word{n}), bits::bit_of(Word{n})) == n);
}

void lowest_zero(Claim& c) {
  const expr word = c.word("word", show_bits), from = c.word("from"), other = c.word("other");
  c.given(z3::ult(from, number(from, 64)) && z3::ult(other, number(other, 64)));
  const expr found = bits::next_clear(Word{word}, Word{set_bit(from)});
  const expr none = found == number(word, 0);
  const expr candidate = !bit_number(word, other) && z3::uge(other, from);
  c.holds(z3::implies(!none, !has(word, found) && z3::uge(found, set_bit(from))));
  c.holds(z3::implies(!none, (found & (found - number(found, 1))) == number(found, 0)));
  c.holds(z3::implies(candidate, !none && z3::ule(found, set_bit(other))));
  c.wish(z3::ult(from, number(from, 32)));
}

void take_sets_one_bit(Claim& c) {
  const expr word = c.word("word", show_bits), bit = c.single("bit"), other = c.single("other");
  const expr after = bits::take_in(Word{word}, Word{bit}).word;
  c.holds(has(after, bit));
  c.holds(z3::implies(other != bit, has(after, other) == has(word, other)));
}

void give_back_clears_one_bit(Claim& c) {
  const expr word = c.word("word", show_bits), bit = c.single("bit"), other = c.single("other");
  const expr after = bits::give_back_in(Word{word}, Word{bit}).word;
  c.holds(!has(after, bit));
  c.holds(z3::implies(other != bit, has(after, other) == has(word, other)));
}

/// A word `child`, its bit `at` in the word above it, and what a step makes of both.
void summary_is_kept(Claim& c, auto lower, auto upper) {
  const expr child = c.word("child", show_bits), parent = c.word("parent", show_bits);
  const expr bit = c.single("bit"), at = c.single("child's bit"),
             other = c.single("neighbour's bit");
  c.given(has(parent, at) == full(child));
  c.given(other != at);

  const auto change = lower(Word{child}, Word{bit});
  const expr after = change.word, above = upper(Word{parent}, Word{at}).word;
  const expr parent_after = z3::ite(change.rises, above, parent);
  c.holds(has(parent_after, at) == full(after));
  c.holds(has(parent_after, other) == has(parent, other));
}

void take_keeps_summary(Claim& c) {
  const auto take = [](const Word& w, const Word& bit) { return bits::take_in(w, bit); };
  summary_is_kept(c, take, take);
}

void give_back_keeps_summary(Claim& c) {
  const auto give = [](const Word& w, const Word& bit) { return bits::give_back_in(w, bit); };
  summary_is_kept(c, give, give);
}

void taken_is_its_bit(Claim& c) {
  const expr word = c.word("word", show_bits), n = thing(c, "n");
  c.holds(bits::has_bit(Word{word}, bits::bit_of(Word{n})) == bit_number(word, n));
}

void full_is_all_bits(Claim& c) {
  const expr word = c.word("word", show_bits), clear = c.single("clear");
  c.holds(bits::is_full(Word{word}) == full(word));
  c.holds(z3::implies(!has(word, clear), !bits::is_full(Word{word})));
}

/// `m` is any thing of the level that still has a free number in or below it: by the summary, its
/// bit is clear. The search stands at `n` and sees the word of `n`.
void climbing_skips_nothing(Claim& c) {
  const expr word = c.word("word", show_bits), n = thing(c, "n"), m = thing(c, "m");
  const expr m_word = z3::lshr(m, number(m, 6));
  c.given(z3::implies(m_word == z3::lshr(n, number(n, 6)), !bit_number(word, m)));
  c.given(z3::uge(m, n));
  c.given(bits::next_clear(Word{word}, Word{set_bit(n)}) == number(word, 0));
  c.holds(z3::uge(m_word, bits::search_above(Word{n})));
}

void climbing_goes_on(Claim& c) {
  const expr n = thing(c, "n"), m = thing(c, "m");
  c.given(z3::uge(z3::lshr(m, number(m, 6)), bits::search_above(Word{n})));
  c.holds(z3::ugt(m, n));
  c.holds(z3::ule(bits::search_above(Word{n}), number(n, kThingsMax / 64)));
}

void finding_is_least(Claim& c) {
  const expr word = c.word("word", show_bits), n = thing(c, "n"), m = thing(c, "m");
  const Word found = bits::next_clear(Word{word}, bits::bit_of(Word{n}));
  c.given(z3::implies(z3::lshr(m, number(m, 6)) == z3::lshr(n, number(n, 6)),
                      !bit_number(word, m)));
  c.given(z3::uge(m, n));
  const expr at = bits::thing_at(bits::word_of(Word{n}), found);
  const expr is_found = found != number(word, 0);
  c.holds(z3::implies(is_found, z3::uge(at, n) && z3::ule(at, m) && !bit_number(word, at)));
  c.holds(z3::implies(is_found, z3::lshr(at, number(at, 6)) == z3::lshr(n, number(n, 6))));
}

void descending_is_least(Claim& c) {
  const expr child = c.word("child", show_bits), n = thing(c, "n"), m = thing(c, "m");
  c.given(z3::ult(n, number(n, kThingsMax / 64)));
  c.given(!full(child));  // as its bit above is clear
  const expr m_word = z3::lshr(m, number(m, 6));
  c.given(z3::uge(m_word, n));
  c.given(z3::implies(m_word == n, !bit_number(child, m)));
  const expr at = bits::search_below(Word{n}, Word{child});
  c.holds(z3::lshr(at, number(at, 6)) == n && !bit_number(child, at));
  c.holds(z3::ule(at, m));
}

void levels_cover_all(Claim& c) {
  const expr n = c.word("n");
  Word at{n};
  for (std::size_t level = 0; level < impl::PidBitmap::kLevels; ++level) at = bits::word_of(at);
  c.holds(at.e == z3::udiv(n, number(n, kThingsMax)));
  c.holds(z3::implies(z3::ult(n, number(n, kPidMaxLimit)), at.e == number(n, 0)));
}

void free_is_unused(Claim& c) {
  const expr task = c.word("task"), group = c.word("group"), sessions = c.word("sessions");
  const expr zero = number(task, 0);
  c.holds(bits::in_use(Word{task}, Word{group}, Word{sessions}) ==
          (task != zero || group != zero || sessions != zero));
}

/// A world in which the numbers 320 + i are taken whose bit i is set in `word`; then one more.
std::string word_trace(const Values& v) {
  constexpr std::uint64_t kBase = 320;
  const std::uint64_t word = v.at("word");
  std::string steps = "world profile=linux-6\n";
  const auto fork_at = [&](std::uint64_t n, const std::string& name) {
    steps += fmt::format("world: pid_cursor {}\ninit: fork as {}\n", n, name);
  };
  for (std::uint64_t i = 0; i < 64; ++i)
    if ((word >> i & 1) != 0) fork_at(kBase + i, fmt::format("T{}", i));
  fork_at(kBase + v.at("from"), "Next");
  return steps;
}

constexpr Obligation kObligations[] = {
    {"pid.bit-of", "Each number has one bit of one word, and no two numbers share one.",
     "kernel-pid IDR:1", "word_of bit_of", "", bit_is_the_numbers},
    {"pid.number-of", "From its word and its bit a number is found again.", "kernel-pid IDR:1",
     "word_of bit_of thing_at", "", number_comes_back},
    {"pid.lowest-zero",
     "The next clear bit is clear, alone, at or above the start, and no clear one lies between.",
     "kernel-pid IDR:1", "next_clear at_or_above lowest_set", "", lowest_zero, word_trace},
    {"pid.take-one-bit", "Taking a number sets its bit, and changes no other.", "kernel-pid FREE:2",
     "take_in", "", take_sets_one_bit},
    {"pid.give-back-one-bit", "Giving a number back clears its bit, and changes no other.",
     "kernel-pid FREE:3", "give_back_in", "", give_back_clears_one_bit},
    {"pid.take-keeps-summary",
     "On any level, taking keeps a summary bit equal to `the word below is full`, and does not "
     "touch the neighbours' bits.",
     "kernel-pid IDR:1", "take_in is_full", "", take_keeps_summary},
    {"pid.give-back-keeps-summary",
     "On any level, giving back keeps a summary bit equal to `the word below is full`, and does "
     "not touch the neighbours' bits.",
     "kernel-pid FREE:3", "give_back_in is_full", "", give_back_keeps_summary},
    {"pid.taken", "A number is taken if and only if its bit is set.", "kernel-pid FREE:2",
     "has_bit bit_of", "", taken_is_its_bit},
    {"pid.full", "A word is full if and only if none of its bits is clear.", "kernel-pid IDR:1",
     "is_full is_zero", "", full_is_all_bits},
    {"pid.climb-skips-nothing",
     "A search that finds nothing in a word and goes on a level up leaves no free number behind.",
     "kernel-pid IDR:1", "next_clear search_above word_of", "", climbing_skips_nothing},
    {"pid.climb-goes-on",
     "What a search a level up looks at lies above where it was, and within the level.",
     "kernel-pid IDR:1", "search_above word_of", "", climbing_goes_on},
    {"pid.found-is-least",
     "What a search finds on a level is clear, in the word it looked at, and nothing free lies "
     "between it and the start.",
     "kernel-pid IDR:1", "next_clear bit_of thing_at word_of", "", finding_is_least},
    {"pid.descend-is-least",
     "A level down, the first clear bit of a word that is not full is the least free thing there, "
     "and nothing free lies before it.",
     "kernel-pid IDR:1", "search_below thing_at lowest_clear", "", descending_is_least},
    {"pid.levels-cover-all",
     "All 4,194,304 numbers have their place: on the top level they are in the first word.",
     "kernel-pid MAX:1", "word_of", "", levels_cover_all},
    {"pid.free-is-unused",
     "A number is in use if and only if it stands for a task, a group or a session.",
     "kernel-pid FREE:2", "in_use", "", free_is_unused},
};

}  // namespace

std::span<const Obligation> pid_word_obligations() { return kObligations; }

}  // namespace forkproof::smt
