/// Which ops a target is about. Those of other kinds become ops of these, so that no byte is wasted
/// and every byte string stays a script.
#pragma once
#include <array>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "spec/derive.hpp"

namespace forkproof::fuzz {

class Focus {
 public:
  /// All ops.
  Focus();
  /// These and all that make tasks. The first of them is the favourite: every second op that the
  /// mutator inserts is one.
  explicit Focus(std::initializer_list<std::string_view> ops);

  std::span<const std::size_t> ops() const { return ops_; }
  bool has_favourite() const { return favourite_ != kOps; }
  std::size_t favourite() const { return favourite_; }

  /// Puts ops of the focus in place of all others, and takes away what the script expects and how
  /// it calls its tasks: a script that is run for what the spec says, and for nothing else.
  Script plain(Script script) const;

 private:
  std::array<bool, kOps> has_{};
  std::vector<std::size_t> ops_;
  std::size_t favourite_ = kOps;
};

}  // namespace forkproof::fuzz
