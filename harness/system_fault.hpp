/// That a system cannot tell what happened, or cannot be asked: no verdict on it.
#pragma once
#include <stdexcept>

namespace forkproof::harness {

class SystemFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// That a trace needs what the system has not. Says nothing of the system: the trace is left out
/// and counted.
class SystemLimit : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace forkproof::harness
