/// Answers of solvers, kept in a folder: a file for each formula, which holds the formula too, so
/// that no other formula is ever taken for it.
#pragma once
#include <string>

#include "smt/prover.hpp"

namespace forkproof::smt {

class Cache {
 public:
  /// `solver` with its version: another one is asked anew. An empty folder keeps nothing.
  Cache(std::string folder, std::string solver);

  /// Answers `q` if the formula was answered before.
  bool recall(Query& q) const;
  /// Keeps a definite answer. A folder that cannot be written keeps nothing.
  void keep(const Query& q) const;

 private:
  std::string path_of(const Query& q) const;

  std::string folder_, solver_;
};

}  // namespace forkproof::smt
