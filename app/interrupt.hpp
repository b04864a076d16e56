/// SIGINT and SIGTERM, which end a campaign cleanly: the first asks, a later one kills.
#pragma once

namespace forkproof::app {

/// From now on a first signal is taken down; one that comes half a second later or more kills.
void watch_for_interrupt();

bool interrupted();

}  // namespace forkproof::app
