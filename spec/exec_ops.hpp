/// exec, whole and failing, and personality. Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

/// The steps of an exec that can fail when there is no way back, by the names of the kernel's
/// functions; `load_binary` is what brings the new program in, when all else is done.
enum class ExecStep : std::uint8_t {
  none,
  unshare_files,
  exec_task_namespaces,
  unshare_sighand,
  load_binary
};
inline constexpr std::array kExecSteps{
    Word{"unshare_files", 1}, Word{"exec_task_namespaces", 2},
    Word{"unshare_sighand", 3}, Word{"load_binary", 4}};

struct Exec {
  static constexpr auto name = "exec";
  static constexpr auto says =
      "Replaces the program of the caller's process: its other threads end, its memory is new.";
  static constexpr auto source = "execve(2)";
  static constexpr std::tuple args{};
  friend bool operator==(const Exec&, const Exec&) = default;
};

struct ExecFails {
  static constexpr auto name = "exec_fails";
  static constexpr auto says =
      "An exec within which a step fails, if it has anything to do: mostly the caller dies of it.";
  static constexpr auto source = "execve(2) NOTES: past the point of no return";
  ExecStep step = ExecStep::load_binary;
  static constexpr std::tuple args{Arg{"step", &ExecFails::step}};
  friend bool operator==(const ExecFails&, const ExecFails&) = default;
};

/// personality(2): what of it the lifecycle knows.
struct PersonaKind {
  static constexpr std::array words{Word{"ADDR_NO_RANDOMIZE", 0x40000}};
};
using Persona = Flags<PersonaKind>;
namespace persona_flag {
inline constexpr Persona addr_no_randomize{0x40000};
}

struct Personality {
  static constexpr auto name = "personality";
  static constexpr auto says =
      "Says whether the memory of the programs that the caller executes is to be laid out at "
      "random, and answers what it said before.";
  static constexpr auto source = "personality(2)";
  Persona persona;
  static constexpr std::tuple args{Arg{"persona", &Personality::persona}};
  friend bool operator==(const Personality&, const Personality&) = default;
};

}  // namespace forkproof
