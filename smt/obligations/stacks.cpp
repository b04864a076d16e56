/// Kernel stacks: whose an address is, and that nobody writes into a neighbour's. Every task, every
/// address, for stacks of 8 and of 16 KiB.
#include "impl/bits/kernel_stack.hpp"

#include "smt/claim.hpp"

namespace forkproof::smt {

namespace bits = impl::bits;
using z3::expr;

namespace {

constexpr unsigned kWide = 40;  // bits of an address: enough for all stacks

expr task(Claim& c, const char* name = "task") {
  const expr t = c.word(name, show_number, kWide);
  c.given(z3::ult(t, number(t, std::uint64_t{1} << 24)));
  return t;
}

/// By the layout: slot t is 2 * size bytes, the upper half of which is the stack.
expr slot(const expr& t, unsigned shift) { return t * number(t, std::uint64_t{2} << shift); }
expr base(const expr& t, unsigned shift) {
  return slot(t, shift) + number(t, std::uint64_t{1} << shift);
}
expr size(const expr& like, unsigned shift) { return number(like, std::uint64_t{1} << shift); }
expr is_in_stack(const expr& address, const expr& t, unsigned shift) {
  return z3::uge(address, base(t, shift)) && z3::ult(address, base(t, shift) + size(t, shift));
}

void for_both_sizes(auto f) {
  f(bits::kStackShift8K);
  f(bits::kStackShift16K);
}

void stack_is_aligned(Claim& c) {
  const expr t = task(c), other = task(c, "other");
  for_both_sizes([&](unsigned shift) {
    const expr at = bits::stack_of(Word{t}, shift), top = bits::stack_top(Word{t}, shift);
    c.holds(at == base(t, shift) && top == at + size(t, shift));
    c.holds((at & (size(t, shift) - number(t, 1))) == number(t, 0));
    c.holds(z3::implies(t != other, bits::stack_of(Word{other}, shift) != at));
  });
}

void mask_tells_whose(Claim& c) {
  const expr t = task(c), sp = c.word("stack pointer", show_number, kWide);
  for_both_sizes([&](unsigned shift) {
    const expr pushed = is_in_stack(sp - number(sp, 1), t, shift);
    c.holds(z3::implies(pushed, bits::current_of(Word{sp}, shift) == t));
  });
}

void overflow_is_seen(Claim& c) {
  const expr t = task(c), other = task(c, "other");
  const expr sp = c.word("stack pointer", show_number, kWide),
             bytes = c.word("bytes", show_number, kWide);
  for_both_sizes([&](unsigned shift) {
    const expr lowest = sp - bytes, end = base(t, shift) + number(t, bits::kThreadInfo);
    const expr mine = is_in_stack(sp - number(sp, 1), t, shift);
    const expr in_range = mine && z3::ule(bytes, size(t, shift)) && z3::ugt(bytes, number(t, 0));
    const expr holds = bits::stack_holds(Word{sp}, Word{bytes}, shift);
    c.holds(z3::implies(in_range && z3::ult(lowest, end), !holds));
    c.holds(z3::implies(in_range && z3::uge(lowest, end), holds));
    c.holds(z3::implies(in_range && other != t, !is_in_stack(lowest, other, shift)));
  });
}

constexpr Obligation kObligations[] = {
    {"stack.aligned",
     "Every task has a stack of 8 KiB or 16 KiB of its own, at a multiple of its size.",
     "kernel-fork STACK:1", "stack_of stack_top", "there are fewer than 2^24 tasks",
     stack_is_aligned},
    {"stack.current",
     "Masking any stack pointer of a task's stack gives that task, never a neighbour.",
     "kernel-fork STACK:2", "current_of", "there are fewer than 2^24 tasks", mask_tells_whose},
    {"stack.overflow",
     "A push has room if it stays above thread_info, in the own stack; one that has none is seen, "
     "and reaches no neighbour's stack.",
     "kernel-fork STACK:3", "stack_holds current_of stack_of",
     "there are fewer than 2^24 tasks, and no frame is larger than a stack", overflow_is_seen},
};

}  // namespace

std::span<const Obligation> stack_obligations() { return kObligations; }

}  // namespace forkproof::smt
