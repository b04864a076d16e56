/// Copy on write: the words of a page table, and when a write must copy.
///
/// The machine shares whole nodes of 64 entries. Beside it stands the plain account: each space has
/// an entry of its own, and a frame counts those. `node_users` spaces share the node that is looked
/// at; `elsewhere` entries of the plain account, in other nodes, name the same frame.
#include "impl/bits/page_entry.hpp"

#include "smt/claim.hpp"
#include "spec/words.hpp"

namespace forkproof::smt {

namespace bits = impl::bits;
using z3::expr;

namespace {

expr zero(const expr& like) { return number(like, 0); }
expr one(const expr& like) { return number(like, 1); }
expr has(const expr& entry, std::uint64_t flag) {
  return (entry & number(entry, flag)) != zero(entry);
}
expr frame(const expr& entry) { return z3::lshr(entry, number(entry, bits::kFrameShift)); }
expr flags(const expr& entry) { return entry & number(entry, bits::kEntryFlags); }

expr entry(Claim& c, const char* name = "entry") { return c.word(name, show_entry, 32); }
/// A frame that an entry has room for.
expr frame_number(Claim& c) {
  const expr f = c.word("frame", show_number, 32);
  c.given(z3::ult(f, number(f, 1u << (32 - bits::kFrameShift))));
  return f;
}

void frame_is_read_back(Claim& c) {
  const expr e = entry(c), f = frame_number(c);
  const expr now = bits::with_frame(Word{e}, Word{f});
  c.holds(bits::frame_of(Word{now}) == f);
  c.holds(flags(now) == flags(e));
}

void frames_do_not_alias(Claim& c) {
  const expr e = entry(c), f = frame_number(c), other = c.word("other frame", show_number, 32);
  c.given(z3::ult(other, number(other, 1u << (32 - bits::kFrameShift))) && other != f);
  c.holds(bits::with_frame(Word{e}, Word{f}) != bits::with_frame(Word{e}, Word{other}).e);
}

void flag_is_its_bit(Claim& c) {
  const expr e = entry(c);
  for (const std::uint64_t flag :
       {bits::kMapped, bits::kShared, bits::kDontFork, bits::kWipeOnFork})
    c.holds(bits::has(Word{e}, flag) == has(e, flag));
}

void advice_sets_one_flag(Claim& c) {
  const expr e = entry(c), given = c.truth("given");
  for (const std::uint64_t flag : {bits::kDontFork, bits::kWipeOnFork}) {
    const expr after = bits::with_advice(Word{e}, flag, Truth{given});
    c.holds(has(after, flag) == given);
    c.holds((after & ~number(e, flag)) == (e & ~number(e, flag)));
  }
}

void advised_entries_are_marked(Claim& c) {
  const expr e = entry(c);
  c.holds(bits::is_advised(Word{e}) == (has(e, bits::kDontFork) || has(e, bits::kWipeOnFork)));
}

void dontfork_leaves_nothing(Claim& c) {
  const expr e = entry(c);
  c.given(has(e, bits::kDontFork));
  c.holds(bits::forked(Word{e}) == zero(e));
}

void wipeonfork_leaves_zeroes(Claim& c) {
  const expr e = entry(c);
  c.given(has(e, bits::kWipeOnFork) && !has(e, bits::kDontFork));
  const expr child = bits::forked(Word{e});
  c.holds(frame(child) == zero(e) && flags(child) == flags(e));
}

void unadvised_is_the_same(Claim& c) {
  const expr e = entry(c);
  c.given(!bits::is_advised(Word{e}));
  c.holds(bits::forked(Word{e}) == e);
}

// --- writes --------------------------------------------------------------------------------------

/// An entry in a node that some spaces share, and the frame that it names, which so many nodes
/// name. Frame 0 is nobody's: the page has not been written.
struct Page {
  expr e, node_users, frame_users;
  explicit Page(Claim& c)
      : e(entry(c)), node_users(c.word("spaces that share the node", show_number, 32)),
        frame_users(c.word("nodes that name the frame", show_number, 32)) {
    c.given(z3::uge(node_users, one(e)) && z3::ult(node_users, number(e, 1u << 31)));
    c.given(z3::ult(frame_users, number(e, 1u << 31)));
    c.given((frame(e) == zero(e)) == (frame_users == zero(e)));
  }
  expr copies(const expr& nodes, const expr& frames) const {
    return bits::must_copy(Word{e}, Word{nodes}, Word{frames});
  }
  expr is_private() const { return !has(e, bits::kShared); }
};

void writable_means_alone(Claim& c) {
  const Page p(c);
  c.given(p.is_private());
  c.holds(z3::implies(!p.copies(p.node_users, p.frame_users),
                      p.node_users == one(p.e) && p.frame_users == one(p.e)));
}

void last_owner_keeps(Claim& c) {
  const Page p(c);
  c.given(p.node_users == one(p.e) && p.frame_users == one(p.e));
  c.holds(!p.copies(p.node_users, p.frame_users));
}

void first_write_takes_a_frame(Claim& c) {
  const Page p(c);
  c.given(p.is_private() && p.frame_users == zero(p.e));
  c.holds(p.copies(p.node_users, p.frame_users));
}

void shared_is_written_in_place(Claim& c) {
  const Page p(c);
  c.given(!p.is_private());
  c.holds(!p.copies(p.node_users, p.frame_users));
}

/// fork shares the node: parent and child see it, with one user more.
void fork_protects_both_by_node(Claim& c) {
  const Page p(c);
  c.given(p.is_private());
  c.holds(p.copies(p.node_users + one(p.e), p.frame_users));
}

/// fork copies the entry: parent's and child's node name the frame, with one user more.
void fork_protects_both_by_frame(Claim& c) {
  const Page p(c);
  c.given(p.is_private() && !has(p.e, bits::kDontFork) && !has(p.e, bits::kWipeOnFork));
  c.given(frame(p.e) != zero(p.e));
  const expr child = bits::forked(Word{p.e});
  const expr users = p.frame_users + one(p.e);
  c.holds(p.copies(p.node_users, users));
  c.holds(bits::must_copy(Word{child}, Word{one(p.e)}, Word{users}));
}

/// Before the copy is written the node is the writer's own, and the frame too if it stays.
void other_space_keeps_its_copy(Claim& c) {
  const Page p(c);
  const expr fresh = frame_number(c);
  c.given(p.is_private() && p.copies(p.node_users, p.frame_users));
  c.given(fresh != frame(p.e) && fresh != zero(fresh));
  const expr own = bits::with_frame(Word{p.e}, Word{fresh});
  c.holds(frame(own) != frame(p.e) && flags(own) == flags(p.e));
  c.holds(!bits::must_copy(Word{own}, Word{one(p.e)}, Word{one(p.e)}));
}

/// The plain account, for a frame that somebody has: one node of `node_users` spaces, and other
/// nodes that name it, whose spaces are `elsewhere`.
void sharing_nodes_refines(Claim& c) {
  const Page p(c);
  const expr elsewhere = c.word("entries elsewhere", show_number, 32);
  c.given(frame(p.e) != zero(p.e));
  c.given(z3::ult(elsewhere, number(elsewhere, 1u << 30)));
  c.given(z3::ult(p.node_users, number(p.e, 1u << 30)));
  c.given((elsewhere == zero(p.e)) == (p.frame_users == one(p.e)));
  c.given(z3::uge(elsewhere, p.frame_users - one(p.e)));  // a node has a space, or more
  const expr plain = p.node_users + elsewhere;            // entries that name the frame
  const expr by_plain = p.is_private() && z3::ugt(plain, one(p.e));
  c.holds(p.copies(p.node_users, p.frame_users) == by_plain);
}

constexpr const char* kCounts =
    "the counts are right: `users` of a node are the spaces that have it, of a frame the nodes "
    "that name it (`PageTables::sound` counts them anew), and below 2^30";
constexpr const char* kFresh =
    "the counts are right, and a fresh frame is nobody's yet, and not frame 0 (as the arena "
    "promises)";
constexpr const char* kFrames = "there are fewer than 2^28 frames";

constexpr Obligation kEntries[] = {
    {"entry.frame", "An entry gives back the frame that was put into it, and keeps its flags.",
     "kernel-mm COPY:2", "with_frame frame_of", kFrames, frame_is_read_back},
    {"entry.frames-apart", "Entries with different frames differ.", "kernel-mm COPY:2",
     "with_frame", kFrames, frames_do_not_alias},
    {"entry.flags", "A flag of an entry is its bit.", "kernel-mm COPY:1", "has", "",
     flag_is_its_bit},
    {"entry.advice", "An advice about fork sets or clears its flag, and nothing else.",
     "madvise.2 DONTFORK:2", "with_advice mask_if", "", advice_sets_one_flag},
    {"entry.advised", "Fork looks at an entry if and only if it has an advice.",
     "kernel-mm COPY:1", "is_advised has", "", advised_entries_are_marked},
    {"fork.dontfork", "A child gets nothing of a page with DONTFORK.", "madvise.2 DONTFORK:1",
     "forked has", "", dontfork_leaves_nothing},
    {"fork.wipeonfork", "A child gets zeroes for a page with WIPEONFORK, under the same advice.",
     "madvise.2 WIPE:1", "forked has", "", wipeonfork_leaves_zeroes},
    {"fork.node-is-copy", "Without advice a child's entry is its parent's: a node can be shared.",
     "kernel-mm COPY:1", "forked is_advised", "", unadvised_is_the_same},
    {"cow.writable-means-alone",
     "A private page that is written in place has one node that names it, and one space that has "
     "the node.",
     "kernel-mm COPY:2", "must_copy", kCounts, writable_means_alone},
    {"cow.last-owner-keeps", "The last owner of a page writes in place.", "kernel-mm COPY:2",
     "must_copy", kCounts, last_owner_keeps},
    {"cow.first-write", "The first write to a private page takes a frame.", "mmap.2 ZERO:1",
     "must_copy frame_of is_zero", kCounts, first_write_takes_a_frame},
    {"cow.shared-in-place", "A shared page is written in place, whoever has it.",
     "mmap.2 SHARED:1", "must_copy has", kCounts, shared_is_written_in_place},
    {"cow.fork-protects-node",
     "After a fork that shares the node neither side writes a private page in place.",
     "kernel-mm COPY:2", "must_copy", kCounts, fork_protects_both_by_node},
    {"cow.fork-protects-frame",
     "After a fork that copies the entry neither side writes a private page in place.",
     "kernel-mm COPY:2", "must_copy forked", kCounts, fork_protects_both_by_frame},
    {"cow.copy-is-alone",
     "After a copy the writer's entry names another frame, with the same flags, and the next "
     "write is in place.",
     "kernel-mm COPY:2", "must_copy with_frame", kFresh, other_space_keeps_its_copy},
    {"cow.nodes-refine-entries",
     "Sharing whole nodes copies a page exactly when an account with an entry for each space "
     "would.",
     "kernel-mm COPY:2", "must_copy mask_if", kCounts, sharing_nodes_refines},
};

}  // namespace

std::span<const Obligation> entry_obligations() { return kEntries; }

}  // namespace forkproof::smt
