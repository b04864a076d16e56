/// A program that nothing is wrong with until it is brought in.
#pragma once
#include <string>

namespace forkproof::harness::kernel {

/// Its bytes. Its only segment has more in the file than in memory, which the kernel sees when the
/// old program is gone.
std::string broken_program();

}  // namespace forkproof::harness::kernel
