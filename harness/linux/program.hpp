/// The program of the puppets, as bytes that the build puts into the library.
#pragma once
#include <string_view>

namespace forkproof::harness::kernel {

extern const std::string_view kProgram;

}  // namespace forkproof::harness::kernel
