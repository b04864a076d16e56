/// Address spaces: the operations.
#include "impl/page_table.hpp"

#include <algorithm>
#include <bit>

namespace forkproof::impl {
namespace {

constexpr std::uint32_t kUntouched = 0;  // the frame of a page that was never written

std::size_t place(std::uint64_t set) { return static_cast<std::size_t>(std::countr_zero(set)); }

/// Calls `f(n)` for each bit n of `set`, in order.
void for_each_bit(std::uint64_t set, auto f) {
  for (; set != 0; set &= set - 1) f(place(set));
}

std::uint64_t bit(std::size_t n) { return std::uint64_t{1} << n; }

}  // namespace

Index PageTables::make() {
  const Index i = spaces_.take();
  Space& s = spaces_[i];
  s.present = 0;
  s.borrowers = {};
  s.prev = s.next = i;
  return i;
}

Index PageTables::fork(Index parent, auto& faults) {
  if (faults.strike(CopyStep::copy_mm)) return kNobody;
  const Index child = make();
  Space& from = spaces_[parent];
  Space& to = spaces_[child];
  bool failed = false;
  for_each_bit(from.present, [&](std::size_t n) {
    const Index node = from.nodes[n];
    if (nodes_[node].advised == 0) {
      nodes_[node].users = bits::one_more(nodes_[node].users);
      to.nodes[n] = node;
      to.present |= bit(n);
    } else if (const Node copy = forked_node(nodes_[node]); copy.mapped != 0 && !failed) {
      failed = faults.strike(CopyStep::copy_mm);
      if (failed) return;
      to.nodes[n] = keep_node(copy);
      to.present |= bit(n);
    }
  });
  if (failed) {
    drop(child);
    return kNobody;
  }

  to.prev = parent;  // join the parent's kin
  to.next = from.next;
  spaces_[from.next].prev = child;
  from.next = child;
  return child;
}
template Index PageTables::fork(Index parent, Faults& faults);
template Index PageTables::fork(Index parent, NoFaults& faults);

/// The node that fork makes of one with advice in it; its frames do not know of it yet.
Node PageTables::forked_node(const Node& from) const {
  Node copy;
  copy.users = 1;
  copy.entries = {};
  for_each_bit(from.mapped, [&](std::size_t n) {
    copy.entries[n] = bits::forked(from.entries[n]);
    if (copy.entries[n] == 0) return;
    copy.mapped |= bit(n);
    if (bits::has(copy.entries[n], bits::kWipeOnFork)) copy.advised |= bit(n);
  });
  return copy;
}

Index PageTables::keep_node(const Node& node) {
  for_each_bit(node.mapped, [&](std::size_t n) { hold_frame(node.entries[n]); });
  const Index i = nodes_.take();
  nodes_[i] = node;
  return i;
}

void PageTables::drop(Index space) {
  empty(space);
  spaces_.give_back(space);
}

void PageTables::empty(Index space) {
  Space& s = spaces_[space];
  for_each_bit(s.present, [&](std::size_t n) { drop_node(s.nodes[n]); });
  spaces_[s.prev].next = s.next;
  spaces_[s.next].prev = s.prev;
  s.present = 0;
  s.prev = s.next = space;
}

void PageTables::clear() {
  spaces_.clear();
  nodes_.clear();
  frames_.clear();
}

PageNo PageTables::free_run(const Space& s, PageNo pages) const {
  PageNo run = 0;
  for (PageNo page = 0; page < kPages;) {
    const std::uint64_t word = mapped_word(s, bits::node_of(page)) >> bits::slot_of(page);
    const PageNo left = kNodePages - bits::slot_of(page);  // in this word
    const PageNo clear = std::min(left, static_cast<PageNo>(std::countr_zero(word)));
    run += clear;
    if (run >= pages) return page + clear - run;
    page += clear;
    if (clear == left) continue;
    page += static_cast<PageNo>(std::countr_one(word >> clear));
    run = 0;
  }
  return kPages;
}

PageNo PageTables::map(Index space, Mapping mapping, PageNo pages) {
  const PageNo first = pages <= kPages ? free_run(spaces_[space], pages) : kPages;
  if (first == kPages) return kPages;
  for (PageNo page = first; page < first + pages; ++page) {
    Node& node = own_node(space, bits::node_of(page));
    const std::size_t n = bits::slot_of(page);
    node.mapped |= bit(n);
    node.entries[n] = bits::kMapped;
    if (mapping == Mapping::shared) {  // its frame is there at once, or a fork would lose it
      const std::uint32_t shared = bits::kMapped | bits::kShared;
      node.entries[n] = bits::with_frame(shared, take_frame(0));
    }
  }
  return first;
}

void PageTables::unmap(Index space, PageNo from, PageNo pages) {
  for (PageNo page = from; page < from + pages; ++page) {
    if (!mapped(space, page)) continue;
    Node& node = own_node(space, bits::node_of(page));
    const std::size_t n = bits::slot_of(page);
    drop_frame(node.entries[n]);
    node.entries[n] = 0;
    node.mapped &= ~bit(n);
    node.advised &= ~bit(n);
    if (node.mapped != 0) continue;
    Space& s = spaces_[space];
    drop_node(s.nodes[bits::node_of(page)]);
    s.present &= ~bit(bits::node_of(page));
  }
}

void PageTables::advise(Index space, PageNo page, Advice advice) {
  Node& node = own_node(space, bits::node_of(page));
  const std::size_t n = bits::slot_of(page);
  std::uint32_t& e = node.entries[n];
  const bool about_wipe = advice == Advice::wipeonfork || advice == Advice::keeponfork;
  const bool given = advice == Advice::dontfork || advice == Advice::wipeonfork;
  e = bits::with_advice(e, about_wipe ? bits::kWipeOnFork : bits::kDontFork, given);
  const bool special = bits::is_advised(e);
  node.advised = special ? node.advised | bit(n) : node.advised & ~bit(n);
}

PageValue PageTables::read(Index space, PageNo page) const {
  const std::uint32_t frame = bits::frame_of(entry(space, page));
  return frame == kUntouched ? 0 : frames_[frame].value;
}

void PageTables::write(Index space, PageNo page, PageValue value) {
  const std::uint32_t e = entry(space, page);
  const std::uint32_t frame = bits::frame_of(e);
  const std::uint32_t node_users = nodes_[spaces_[space].nodes[bits::node_of(page)]].users;
  const std::uint32_t frame_users = frame == kUntouched ? 0 : frames_[frame].users;
  if (!bits::must_copy(e, node_users, frame_users)) {
    frames_[frame].value = value;
    return;
  }
  std::uint32_t& own = own_node(space, bits::node_of(page)).entries[bits::slot_of(page)];
  const Index fresh = take_frame(value);
  drop_frame(own);
  own = bits::with_frame(own, fresh);
}

void PageTables::list(Index space, std::vector<PageView>& out) const {
  const Space& s = spaces_[space];
  for_each_bit(s.present, [&](std::size_t at) {
    const Node& node = nodes_[s.nodes[at]];
    for_each_bit(node.mapped, [&](std::size_t n) {
      const PageNo page = bits::page_at(static_cast<PageNo>(at), static_cast<PageNo>(n));
      const bool is_shared = bits::has(node.entries[n], bits::kShared);
      out.push_back({page, is_shared ? Mapping::shared : Mapping::private_, read(space, page)});
    });
  });
}

std::uint32_t PageTables::entry(Index space, PageNo page) const {
  const Space& s = spaces_[space];
  const std::size_t n = bits::node_of(page);
  if (page >= kPages || (s.present >> n & 1) == 0) return 0;
  return nodes_[s.nodes[n]].entries[bits::slot_of(page)];
}

/// The node `n` of `space`, which may now be changed: made, or copied, if need be.
Node& PageTables::own_node(Index space, std::size_t n) {
  Space& s = spaces_[space];
  if ((s.present >> n & 1) == 0) {
    s.nodes[n] = take_node();
    s.present |= bit(n);
  } else if (nodes_[s.nodes[n]].users > 1) {
    const Index copy = nodes_.take();
    Node& from = nodes_[s.nodes[n]];
    from.users = bits::one_less(from.users);
    nodes_[copy] = from;
    nodes_[copy].users = 1;
    for_each_bit(from.mapped, [&](std::size_t e) { hold_frame(from.entries[e]); });
    s.nodes[n] = copy;
  }
  return nodes_[s.nodes[n]];
}

Index PageTables::take_node() {
  const Index i = nodes_.take();
  Node& node = nodes_[i];
  node.users = 1;
  node.mapped = node.advised = 0;
  node.entries = {};
  return i;
}

Index PageTables::take_frame(PageValue value) {
  const Index i = frames_.take();
  frames_[i] = {1, value};
  return i;
}

void PageTables::drop_node(Index i) {
  Node& node = nodes_[i];
  node.users = bits::one_less(node.users);
  if (node.users > 0) return;
  for_each_bit(node.mapped, [&](std::size_t n) { drop_frame(node.entries[n]); });
  nodes_.give_back(i);
}

void PageTables::hold_frame(std::uint32_t entry) {
  if (!bits::names_frame(entry)) return;
  std::uint32_t& users = frames_[bits::frame_of(entry)].users;
  users = bits::one_more(users);
}

void PageTables::drop_frame(std::uint32_t entry) {
  if (!bits::names_frame(entry)) return;
  const std::uint32_t frame = bits::frame_of(entry);
  std::uint32_t& users = frames_[frame].users;
  users = bits::one_less(users);
  if (users == 0) frames_.give_back(frame);
}

bool PageTables::sound(Index space) const {
  const Space& s = spaces_[space];
  bool good = spaces_[s.next].prev == space && spaces_[s.prev].next == space;
  for_each_bit(s.present, [&](std::size_t at) {
    const Node& node = nodes_[s.nodes[at]];
    good = good && node.users > 0 && node.mapped != 0 && (node.advised & ~node.mapped) == 0;
    const auto zeroes = std::count(node.entries.begin(), node.entries.end(), 0U);
    good = good && zeroes == std::popcount(~node.mapped);  // and so all others are zero
    for_each_bit(node.mapped, [&](std::size_t n) {
      const std::uint32_t e = node.entries[n];
      good = good && bits::has(e, bits::kMapped);
      good = good && bits::is_advised(e) == ((node.advised >> n & 1) != 0);
      const std::uint32_t frame = bits::frame_of(e);
      good = good && (frame == kUntouched || frames_[frame].users > 0);
    });
  });
  return good;
}

bool PageTables::sound(const std::vector<Index>& all) const {
  if (!spaces_.sound() || !nodes_.sound() || !frames_.sound()) return false;
  if (all.size() != spaces_.taken()) return false;
  std::vector<Index> nodes;  // each as often as it is held
  std::vector<Index> frames;
  for (const Index space : all) {
    if (!sound(space)) return false;
    const Space& s = spaces_[space];
    for_each_bit(s.present, [&](std::size_t at) { nodes.push_back(s.nodes[at]); });
  }
  std::sort(nodes.begin(), nodes.end());
  std::size_t distinct = 0;
  for (std::size_t i = 0; i < nodes.size(); ++distinct) {
    const Node& node = nodes_[nodes[i]];
    for_each_bit(node.mapped, [&](std::size_t n) {
      if (const Index f = bits::frame_of(node.entries[n]); f != kUntouched) frames.push_back(f);
    });
    for (const std::size_t next = i + node.users; i < next; ++i)
      if (i >= nodes.size() || &nodes_[nodes[i]] != &node) return false;
  }
  if (distinct != nodes_.taken()) return false;
  std::sort(frames.begin(), frames.end());
  distinct = 0;
  for (std::size_t i = 0; i < frames.size(); ++distinct) {
    const Frame& frame = frames_[frames[i]];
    for (const std::size_t next = i + frame.users; i < next; ++i)
      if (i >= frames.size() || &frames_[frames[i]] != &frame) return false;
  }
  return distinct == frames_.taken();
}

}  // namespace forkproof::impl
