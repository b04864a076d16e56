/// Where pages and numbers are found: in range, and no two at one place.
#include "impl/bits/page_index.hpp"

#include "smt/claim.hpp"
#include "spec/words.hpp"

namespace forkproof::smt {

namespace bits = impl::bits;
using z3::expr;

namespace {

constexpr std::uint64_t kNodePages = 1u << bits::kNodeShift;
constexpr std::uint64_t kBlockNumbers = 1u << bits::kBlockShift;

/// A page of an address space.
expr page(Claim& c, const char* name = "page") {
  const expr p = c.word(name, show_number, 32);
  c.given(z3::ult(p, number(p, kPages)));
  return p;
}

void page_has_its_place(Claim& c) {
  const expr p = page(c);
  const expr node = bits::node_of(Word{p}), slot = bits::slot_of(Word{p});
  c.holds(z3::ult(node, number(p, kPages / kNodePages)) && z3::ult(slot, number(p, kNodePages)));
  c.holds(node * number(p, kNodePages) + slot == p);
}

void pages_do_not_alias(Claim& c) {
  const expr p = page(c), other = page(c, "other");
  c.given(p != other);
  c.holds(!(bits::node_of(Word{p}) == bits::node_of(Word{other}).e &&
            bits::slot_of(Word{p}) == bits::slot_of(Word{other}).e));
}

void page_comes_back(Claim& c) {
  const expr p = page(c);
  c.holds(bits::page_at(bits::node_of(Word{p}), bits::slot_of(Word{p})) == p);
}

/// In words twice as wide, where no sum overflows.
void range_is_within(Claim& c) {
  const expr p = c.word("page", show_number, 32), pages = c.word("pages", show_number, 32);
  const expr end = z3::zext(p, 32) + z3::zext(pages, 32);
  const expr within = pages != number(pages, 0) && z3::ule(end, c.value(kPages));
  c.holds(bits::range_fits(Word{p}, Word{pages}) == within);
}

void range_names_pages(Claim& c) {
  const expr p = c.word("page", show_number, 32), pages = c.word("pages", show_number, 32);
  const expr in_range = c.word("one of them", show_number, 32);
  c.given(z3::uge(in_range, p) && z3::ult(in_range - p, pages));
  c.holds(z3::implies(bits::range_fits(Word{p}, Word{pages}),
                      z3::ult(in_range, number(p, kPages))));
}

/// A number, and the place of its block among those that were made, counted from 1.
struct Numbered {
  expr n, kept_at;
  Numbered(Claim& c, const std::string& prefix)
      : n(c.word(prefix + "number")), kept_at(c.word(prefix + "block kept at")) {
    c.given(z3::uge(n, number(n, 1)) && z3::ult(n, number(n, kPidMaxLimit)));
    c.given(z3::uge(kept_at, number(n, 1)));
    c.given(z3::ule(kept_at, number(n, kPidMaxLimit / kBlockNumbers)));
  }
  expr entry() const { return bits::entry_at(Word{n}, Word{kept_at}); }
  expr block() const { return bits::block_of(Word{n}); }
};

void number_has_its_entry(Claim& c) {
  const Numbered x(c, "");
  const expr size = number(x.n, kBlockNumbers);
  c.holds(z3::ult(x.block(), number(x.n, kPidMaxLimit / kBlockNumbers)));
  c.holds(x.entry() == (x.kept_at - number(x.n, 1)) * size + z3::urem(x.n, size));
  c.holds(z3::ult(x.entry(), x.kept_at * size));
}

void numbers_do_not_alias(Claim& c) {
  const Numbered x(c, ""), y(c, "other ");
  c.given(x.n != y.n);
  c.given((x.block() == y.block()) == (x.kept_at == y.kept_at));
  c.holds(x.entry() != y.entry());
}

constexpr Obligation kIndices[] = {
    {"page.place", "Every page of an address space has a node and a slot in range.",
     "mmap.2 VALUE:1", "node_of slot_of", "", page_has_its_place},
    {"page.no-alias", "No two pages have one slot of one node.", "mmap.2 VALUE:1",
     "node_of slot_of", "", pages_do_not_alias},
    {"page.comes-back", "From its node and its slot a page is found again.", "mmap.2 VALUE:1",
     "page_at node_of slot_of", "", page_comes_back},
    {"page.range",
     "A range is accepted if and only if it is not empty and ends within the address space; no "
     "sum overflows.",
     "mmap.2 EINVAL:2", "range_fits", "", range_is_within},
    {"page.range-pages", "Every page of a range that is accepted is one of the address space.",
     "mmap.2 EINVAL:2", "range_fits", "", range_names_pages},
    {"number.entry", "Every number has an entry within its block.", "kernel-pid MAX:1",
     "block_of entry_at", "", number_has_its_entry},
    {"number.no-alias", "No two numbers have one entry.", "kernel-pid FREE:2", "block_of entry_at",
     "blocks are kept at different places", numbers_do_not_alias},
};

}  // namespace

std::span<const Obligation> index_obligations() { return kIndices; }

}  // namespace forkproof::smt
