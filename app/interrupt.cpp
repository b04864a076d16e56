/// SIGINT and SIGTERM, which end a campaign cleanly: the first asks, the second kills.
#include "app/interrupt.hpp"

#include <signal.h>

namespace forkproof::app {

namespace {
volatile sig_atomic_t caught = 0;
}

void watch_for_interrupt() {
  struct sigaction action {};
  action.sa_handler = [](int) { caught = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // a read that waits for input gives up
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return caught != 0; }

}  // namespace forkproof::app
