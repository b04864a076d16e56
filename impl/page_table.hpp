/// Address spaces: page tables of two levels, shared between parent and child as long as nobody
/// writes.
///
/// A space has kNodes nodes of 64 entries. Fork shares each node whole, so its cost is that of the
/// nodes in use, not of the pages; a write copies the node first, then the frame, and the last
/// owner of a node or frame keeps it. A node holds one count on each frame it names.
///
/// Sources: mm/memory.c copy_page_range(), do_wp_page(); fork(2), madvise(2).
#pragma once
#include <array>
#include <vector>

#include "impl/bits/page_entry.hpp"
#include "impl/bits/page_index.hpp"
#include "impl/faults.hpp"
#include "impl/ring.hpp"
#include "spec/outcome.hpp"

namespace forkproof::impl {

struct Borrowers;  // the processes that use an address space
struct Kin;        // the spaces that may share pages: those that forks derived from one another

inline constexpr std::size_t kNodePages = std::size_t{1} << bits::kNodeShift;
inline constexpr std::size_t kNodes = kPages / kNodePages;

struct Frame {
  std::uint32_t users = 0;  // nodes that name it
  PageValue value = 0;
  friend bool operator==(const Frame&, const Frame&) = default;
};

struct Node {
  std::uint32_t users = 0;    // spaces that have it
  std::uint64_t mapped = 0;   // which entries are
  std::uint64_t advised = 0;  // which entries fork treats specially
  std::array<std::uint32_t, kNodePages> entries;  // zero where not mapped
  friend bool operator==(const Node&, const Node&) = default;
};

struct alignas(64) Space : Link<Kin> {
  std::uint64_t present = 0;  // which nodes there are
  Ring<Borrowers> borrowers;
  std::array<Index, kNodes> nodes;  // counts where present
  friend bool operator==(const Space& a, const Space& b);
};

class PageTables {
 public:
  Index make();
  /// The child's space: what fork leaves of `parent`. Nobody, and nothing done, where a record that
  /// it takes is made to fail: of the space, or of a node.
  Index fork(Index parent, auto& faults);
  void drop(Index space);
  /// Its pages go, and the record stays.
  void empty(Index space);
  void clear();

  /// The first of `pages` free pages in a row, lowest first, now mapped; kPages if there are none.
  PageNo map(Index space, Mapping mapping, PageNo pages);
  void unmap(Index space, PageNo from, PageNo pages);
  void advise(Index space, PageNo page, Advice advice);
  /// `page` must be mapped.
  PageValue read(Index space, PageNo page) const;
  void write(Index space, PageNo page, PageValue value);

  bool mapped(Index space, PageNo page) const { return entry(space, page) != 0; }
  bool shared(Index space, PageNo page) const {
    return bits::has(entry(space, page), bits::kShared);
  }
  /// Calls `f(space)` for each space in which `page` is the same shared page.
  void for_each_sharer(Index space, PageNo page, auto f) const {
    const std::uint32_t frame = bits::frame_of(entry(space, page));
    Index s = space;
    do {
      const std::uint32_t theirs = entry(s, page);
      if (bits::has(theirs, bits::kShared) && bits::frame_of(theirs) == frame) f(s);
      s = spaces_[s].next;
    } while (s != space);
  }
  void list(Index space, std::vector<PageView>& out) const;

  Space& operator[](Index space) { return spaces_[space]; }
  const Space& operator[](Index space) const { return spaces_[space]; }
  std::array<ArenaCounts, 3> counts() const {
    return {spaces_.counts(), nodes_.counts(), frames_.counts()};
  }
  std::size_t spaces() const { return spaces_.taken(); }

  bool same_as(const PageTables& other) const;
  /// `all` lists every space: each count is the number of those who hold it.
  bool sound(const std::vector<Index>& all) const;
  bool sound(Index space) const;

 private:
  std::uint32_t entry(Index space, PageNo page) const;
  std::uint64_t mapped_word(const Space& s, std::size_t n) const {
    return (s.present >> n & 1) != 0 ? nodes_[s.nodes[n]].mapped : 0;
  }
  PageNo free_run(const Space& s, PageNo pages) const;
  Node& own_node(Index space, std::size_t n);
  Node forked_node(const Node& from) const;
  Index keep_node(const Node& node);
  Index take_node();
  Index take_frame(PageValue value);
  void drop_node(Index node);
  void hold_frame(std::uint32_t entry);
  void drop_frame(std::uint32_t entry);

  Arena<Space> spaces_;
  Arena<Node> nodes_;
  Arena<Frame> frames_;
};

}  // namespace forkproof::impl
