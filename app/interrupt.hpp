/// SIGINT and SIGTERM, which end a campaign cleanly: the first asks, the second kills.
#pragma once

namespace forkproof::app {

/// From now on the signals are taken down, each once; then it has its default effect again.
void watch_for_interrupt();

bool interrupted();

}  // namespace forkproof::app
