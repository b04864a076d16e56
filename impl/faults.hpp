/// Failures on demand: of all that can fail while a task is made, each step and each record that it
/// takes, the n-th does.
///
/// copy_process is compiled twice, with and without them, so that a machine in which none is asked
/// for pays one test a call.
#pragma once
#include <optional>

#include "impl/steps.hpp"

namespace forkproof::impl {

class Faults {
 public:
  /// 0: none.
  void arm(unsigned nth) {
    left_ = nth;
    struck_.reset();
  }
  bool armed() const { return left_ > 0; }
  /// Whether this is the one. It strikes once.
  bool strike(CopyStep at) {
    if (left_ == 0 || --left_ > 0) return false;
    struck_ = at;
    return true;
  }
  std::optional<CopyStep> struck() const { return struck_; }

 private:
  unsigned left_ = 0;
  std::optional<CopyStep> struck_;
};

struct NoFaults {
  static constexpr bool strike(CopyStep) { return false; }
};

}  // namespace forkproof::impl
