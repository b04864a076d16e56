/// That a system cannot tell what happened: no verdict on it, neither good nor bad.
#pragma once
#include <stdexcept>

namespace forkproof::harness {

class SystemFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace forkproof::harness
