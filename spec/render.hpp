/// Pictures of a trace: the family that it makes, read off its lines. Nothing is run, so it shows
/// what the trace says, and of a script without outcomes only what it tries.
#pragma once
#include <string>

#include "spec/script.hpp"

namespace forkproof {

/// One line a task, under the task that made it: `└─ B  fork, exit 2, reaped by init`.
std::string tree(const Script& script);

/// The same for Graphviz.
std::string dot(const Script& script);

}  // namespace forkproof
