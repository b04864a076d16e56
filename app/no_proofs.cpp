/// `forkproof prove` where the build found no Z3.
#include "app/commands.hpp"

namespace forkproof::app {

namespace {

constexpr const char* kWhy = "prove: this build has no Z3 (Debian: libz3-dev), and so no proofs";

}  // namespace

int prove(const ProveOptions&) { throw Failure{kCannotRun, kWhy}; }

std::string prove_all(harness::Results&) { return kWhy; }

}  // namespace forkproof::app
