/// Children that can be waited for.
#pragma once
#include <signal.h>

namespace forkproof::harness {

/// While there is one, a child that ends stays until it is waited for: were SIGCHLD ignored, as who
/// started us may have seen to, it would be gone.
class WaitableChildren {
 public:
  WaitableChildren() : before_(::signal(SIGCHLD, SIG_DFL)) {}
  ~WaitableChildren() { ::signal(SIGCHLD, before_); }
  WaitableChildren(const WaitableChildren&) = delete;
  WaitableChildren& operator=(const WaitableChildren&) = delete;

 private:
  void (*before_)(int);
};

}  // namespace forkproof::harness
