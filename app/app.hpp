/// The command as a function: parses the arguments, runs one command, answers the exit status.
#pragma once

namespace forkproof::app {

int run(int argc, char** argv);

}  // namespace forkproof::app
