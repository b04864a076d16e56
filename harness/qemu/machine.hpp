/// A guest in qemu: one kernel, one file system in memory, one serial line. It ends with this
/// process, whatever that dies of.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "harness/qemu/frames.hpp"

namespace forkproof::harness::qemu {

/// Why the file cannot be booted; empty if it seems to be a kernel for x86-64.
std::string why_no_kernel(const std::string& path);

/// Why there is no qemu; empty if there is.
std::string why_no_qemu();

struct Ended {
  std::optional<int> status;  // of the command, if it came to its end
  std::string why;            // else what happened
};

/// Boots the kernel and takes down what the guest says. `stop` is asked now and then; once it says
/// yes the command inside is told to stop. A guest of which nothing is heard for long has hung.
Ended run(const std::string& kernel, std::string_view initramfs,
          const std::function<void(Frame, std::string_view)>& take,
          const std::function<bool()>& stop);

}  // namespace forkproof::harness::qemu
