/// A line of things in the order of their places: what a std::map from places to ids would be, in
/// one piece of memory.
///
/// Places are mostly added in order, at the end. Adding there is O(1), finding O(log), and erasing
/// leaves a gap that is closed when half of the line is gaps, so that it is O(log) on average.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace forkproof::spec {

/// A place in an order of arrival, from `World::next_place`. Later is greater.
using Place = std::uint64_t;

template <class Id>
class Line {
 public:
  using value_type = std::pair<Place, Id>;

  /// Goes over the things, and steps over the gaps.
  class const_iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = Line::value_type;
    using difference_type = std::ptrdiff_t;
    using pointer = const value_type*;
    using reference = const value_type&;

    const_iterator() = default;
    reference operator*() const { return (*all_)[at_]; }
    pointer operator->() const { return &(*all_)[at_]; }
    const_iterator& operator++() {
      do ++at_;
      while (at_ < all_->size() && !(*all_)[at_].second);
      return *this;
    }
    const_iterator operator++(int) { return std::exchange(*this, std::next(*this)); }
    const_iterator& operator--() {
      do --at_;
      while (!(*all_)[at_].second);
      return *this;
    }
    const_iterator operator--(int) { return std::exchange(*this, std::prev(*this)); }
    friend bool operator==(const_iterator a, const_iterator b) { return a.at_ == b.at_; }

   private:
    friend class Line;
    const_iterator(const std::vector<value_type>& all, std::size_t at) : all_(&all), at_(at) {}
    const std::vector<value_type>* all_ = nullptr;
    std::size_t at_ = 0;
  };

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const_iterator begin() const { return {all_, first_}; }
  const_iterator end() const { return {all_, all_.size()}; }
  auto rbegin() const { return std::reverse_iterator(end()); }
  auto rend() const { return std::reverse_iterator(begin()); }

  const_iterator find(Place place) const {
    const std::size_t at = lower_bound(place);
    const bool here = at < all_.size() && all_[at].first == place && all_[at].second;
    return here ? const_iterator(all_, at) : end();
  }
  bool contains(Place place) const { return find(place) != end(); }

  /// Puts a thing in its place, instead of the one that is there.
  void put(Place place, Id id) {
    const std::size_t at = lower_bound(place);
    if (at == all_.size() || all_[at].first != place) {
      all_.insert(all_.begin() + static_cast<std::ptrdiff_t>(at), {place, id});
      ++size_;
    } else {
      size_ += all_[at].second ? 0 : 1;
      all_[at].second = id;
    }
    first_ = std::min(first_, at);
  }
  void erase(Place place) {
    const std::size_t at = lower_bound(place);
    if (at == all_.size() || all_[at].first != place || !all_[at].second) return;
    all_[at].second = Id{};
    --size_;
    while (first_ < all_.size() && !all_[first_].second) ++first_;
    if (2 * size_ >= all_.size()) return;
    std::erase_if(all_, [](const value_type& v) { return !v.second; });
    first_ = 0;
  }
  void clear() { all_.clear(), size_ = first_ = 0; }

 private:
  /// Where `place` is, or would have to go. The end is looked at first: most things go there.
  std::size_t lower_bound(Place place) const {
    if (all_.empty() || all_.back().first < place) return all_.size();
    const auto at = std::ranges::lower_bound(all_, place, {}, &value_type::first);
    return static_cast<std::size_t>(at - all_.begin());
  }

  std::vector<value_type> all_;  // ascending by place; a gap has no id
  std::size_t size_ = 0;         // without the gaps
  std::size_t first_ = 0;        // the first that is no gap
};

}  // namespace forkproof::spec
