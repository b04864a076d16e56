/// Commands on `--system qemu:KERNEL`: the whole command runs in a guest that boots that kernel,
/// and what it prints, writes and answers is passed on.
#pragma once
#include <string>
#include <vector>

#include "app/commands.hpp"

namespace forkproof::app {

/// What a command reads and writes, besides its standard streams.
struct Traffic {
  std::vector<std::string> inputs;   // files, and folders of traces
  std::vector<std::string> outputs;  // files, and folders, that can be written here
  bool json = false;                 // whether a verdict is one object on standard output
};

/// What these commands read and write. Fails where they would before they begin.
Traffic traffic_of(const CheckOptions& options);
Traffic traffic_of(const ReplayOptions& options);
Traffic traffic_of(const FileOptions& options);
Traffic traffic_of(const RecordOptions& options);

/// Whether the command is to run in a guest, and this is none.
bool wants_guest(const std::string& system);

/// Runs the command in a guest. Answers its exit status.
int run_in_guest(const std::string& system, const std::vector<std::string>& arguments,
                 const Traffic& traffic);

}  // namespace forkproof::app
