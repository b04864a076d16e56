/// The list of all obligations, and of what is not proved.
#include "smt/obligation.hpp"

namespace forkproof::smt {

std::vector<const Obligation*> obligations() {
  std::vector<const Obligation*> all;
  for (const auto file : {pid_word_obligations, pid_search_obligations, clone_obligations,
                          signal_obligations, wait_obligations, entry_obligations,
                          index_obligations})
    for (const Obligation& o : file()) all.push_back(&o);
  return all;
}

}  // namespace forkproof::smt
