/// Reading the inputs of a target from files.
#pragma once
#include <string>
#include <vector>

#include "fuzz/target.hpp"

namespace forkproof::fuzz {

struct Input {
  std::string path;
  Buffer bytes;
};

struct Inputs {
  std::vector<Input> all;           // sorted by path
  std::vector<std::string> errors;  // why a path has none
};

/// The files, and all below the folders. A trace as text becomes bytes where the target takes
/// traces.
Inputs read_inputs(const std::vector<std::string>& paths);

}  // namespace forkproof::fuzz
