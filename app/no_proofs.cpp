/// `forkproof prove` where the build found no Z3.
#include "app/commands.hpp"

namespace forkproof::app {

int prove(const ProveOptions&) {
  throw Failure{kCannotRun, "prove: this build has no Z3 (Debian: libz3-dev), and so no proofs"};
}

}  // namespace forkproof::app
