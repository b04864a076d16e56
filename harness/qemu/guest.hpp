/// The inside of a guest: this program as its init, which runs one command and tells what came of
/// it over the serial line.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace forkproof::harness::qemu {

/// What the guest is to do: the arguments of the command, where it runs, and the files and folders
/// that it is to hand back.
struct Job {
  std::vector<std::string> arguments;
  std::string folder;
  std::vector<std::string> outputs;
};

inline constexpr const char* kInit = "/init";
inline constexpr const char* kJobFile = "/forkproof.job";
inline constexpr const char* kInputFile = "/forkproof.input";  // the command's standard input

/// The job as the guest finds it.
std::string print(const Job& job);

/// Whether this process is a guest's first one.
bool is_guest_init(std::string_view name);

/// What that one does; it ends with the machine.
[[noreturn]] void be_guest_init();

/// Whether this is a guest: then every system in a guest is the running kernel.
bool in_guest();

}  // namespace forkproof::harness::qemu
