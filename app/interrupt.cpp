/// SIGINT and SIGTERM, which end a campaign cleanly: the first asks, a later one kills. Some send
/// a signal twice in a row, to the process and to its group; that counts as one.
#include "app/interrupt.hpp"

#include <signal.h>

#include <cstdint>
#include <ctime>

namespace forkproof::app {

namespace {

constexpr std::int64_t kOneSignal = 500'000'000;  // ns in which several count as one
volatile sig_atomic_t caught = 0;
std::int64_t caught_at = 0;

std::int64_t now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

void catch_signal(int signal) {
  if (caught != 0 && now() - caught_at > kOneSignal) {
    ::signal(signal, SIG_DFL);
    ::raise(signal);  // it comes when this handler returns
    return;
  }
  if (caught == 0) caught_at = now();
  caught = 1;
}

}  // namespace

void watch_for_interrupt() {
  struct sigaction action {};
  action.sa_handler = catch_signal;  // without SA_RESTART: a read that waits for input gives up
  ::sigemptyset(&action.sa_mask);
  ::sigaddset(&action.sa_mask, SIGINT);
  ::sigaddset(&action.sa_mask, SIGTERM);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return caught != 0; }

}  // namespace forkproof::app
