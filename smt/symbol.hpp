/// The word of the bit logic as a Z3 bit-vector: handed to the templates of impl/bits/, it makes
/// them formulas.
///
/// A twin is a template with one operation done wrong. No twin is written down: the operations
/// count themselves as a template runs, and the one that is asked for does something else. What an
/// obligation says around the templates is plain z3::expr, which no twin touches.
#pragma once
#include <z3++.h>

#include <cstdint>
#include <string>

namespace forkproof::smt {

/// Which operation of the templates is done wrong, on this thread, and what was met of them.
struct Fault {
  int wanted = -1;  // -1: none
  int met = 0;
  std::string what;  // `& became |`, once it was met
};
inline thread_local Fault fault;

/// Counts an operation. True if it is the one to be done wrong, as `what` says.
inline bool wrong(const char* what) {
  if (fault.met++ != fault.wanted) return false;
  fault.what = what;
  return true;
}

/// What comparisons answer.
struct Truth {
  z3::expr e;
  explicit Truth(z3::expr from) : e(std::move(from)) {}
  operator const z3::expr&() const { return e; }

  friend Truth operator!(const Truth& a) { return Truth{wrong("a ! left out") ? a.e : !a.e}; }
  friend Truth operator&&(const Truth& a, const Truth& b) {
    return Truth{wrong("&& became ||") ? a.e || b.e : a.e && b.e};
  }
  friend Truth operator||(const Truth& a, const Truth& b) {
    return Truth{wrong("|| became &&") ? a.e && b.e : a.e || b.e};
  }
};

struct Word {
  z3::expr e;
  explicit Word(z3::expr from) : e(std::move(from)) {}
  operator const z3::expr&() const { return e; }

  unsigned width() const { return e.get_sort().bv_size(); }

  friend Word operator~(const Word& a) { return Word{wrong("a ~ left out") ? a.e : ~a.e}; }
  friend Word operator&(const Word& a, const Word& b) {
    return Word{wrong("& became |") ? a.e | b.e : a.e & b.e};
  }
  friend Word operator|(const Word& a, const Word& b) {
    return Word{wrong("| became &") ? a.e & b.e : a.e | b.e};
  }
  friend Word operator^(const Word& a, const Word& b) {
    return Word{wrong("^ became |") ? a.e | b.e : a.e ^ b.e};
  }
  friend Word operator+(const Word& a, const Word& b) {
    return Word{wrong("+ became -") ? a.e - b.e : a.e + b.e};
  }
  friend Word operator-(const Word& a, const Word& b) {
    return Word{wrong("- became +") ? a.e + b.e : a.e - b.e};
  }
  friend Truth operator==(const Word& a, const Word& b) {
    return Truth{wrong("== became !=") ? a.e != b.e : a.e == b.e};
  }
  friend Truth operator!=(const Word& a, const Word& b) {
    return Truth{wrong("!= became ==") ? a.e == b.e : a.e != b.e};
  }
};

/// A constant that no twin touches.
inline z3::expr number(const z3::expr& like, std::uint64_t k) {
  return like.ctx().bv_val(k, like.get_sort().bv_size());
}

inline Word constant(const Word& like, std::uint64_t k) {
  return Word{number(like.e, wrong("a constant one greater") ? k + 1 : k)};
}

inline Word shift_left(const Word& w, unsigned by) {
  return Word{z3::shl(w.e, number(w.e, wrong("a shift one further") ? by + 1 : by))};
}

inline Word shift_right(const Word& w, unsigned by) {
  return Word{z3::lshr(w.e, number(w.e, wrong("a shift one further") ? by + 1 : by))};
}

inline Word bit_at(const Word& place) {
  const z3::expr one = number(place.e, 1);
  return Word{z3::shl(one, wrong("the next bit") ? place.e + one : place.e)};
}

/// Bit n of the answer is set if the bit that is alone is at a place whose bit n is.
inline Word place_of(const Word& single) {
  z3::expr place = number(single.e, wrong("the next place") ? 1 : 0);
  for (std::uint64_t n = 0; (1u << n) < single.width(); ++n) {
    std::uint64_t places = 0;
    for (unsigned i = 0; i < single.width(); ++i) places |= std::uint64_t{i >> n & 1} << i;
    const z3::expr zero = number(single.e, 0);
    const z3::expr hit = (single.e & number(single.e, places)) != zero;
    place = place + z3::ite(hit, number(single.e, std::uint64_t{1} << n), zero);
  }
  return Word{place};
}

inline Word ite(const Truth& when, const Word& a, const Word& b) {
  return Word{wrong("a choice turned round") ? z3::ite(when.e, b.e, a.e)
                                             : z3::ite(when.e, a.e, b.e)};
}

Word choose(const Truth& when, const auto& then, const auto& otherwise) {
  return ite(when, then(), otherwise());
}

inline Truth less(const Word& a, const Word& b) {
  return Truth{wrong("< became <=") ? z3::ule(a.e, b.e) : z3::ult(a.e, b.e)};
}

}  // namespace forkproof::smt
