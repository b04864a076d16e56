/// The ops that show what is counted: entries of signals, handlers that ran, and processor time.
/// Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

/// Where processor time is spent, and which of a process's times(2) answers.
enum class Mode : std::uint8_t { user, kernel };
inline constexpr std::array kModes{Word{"user", 0}, Word{"kernel", 1}};
enum class Account : std::uint8_t { utime, stime, cutime, cstime };
inline constexpr std::array kAccounts{Word{"utime", 0}, Word{"stime", 1}, Word{"cutime", 2},
                                      Word{"cstime", 3}};
inline constexpr std::uint32_t kTicksAtOnce = 4;

struct Sigq {
  static constexpr auto name = "sigq";
  static constexpr auto says =
      "Answers how many signals are queued for the caller's real user, in its user namespace.";
  static constexpr auto source = "proc(5) /proc/PID/status SigQ";
  static constexpr std::tuple args{};
  friend bool operator==(const Sigq&, const Sigq&) = default;
};

struct Caught {
  static constexpr auto name = "caught";
  static constexpr auto says =
      "Answers how many handlers have run in the calling thread since it was made, or its program "
      "was executed.";
  static constexpr auto source = "signal(7)";
  static constexpr std::tuple args{};
  friend bool operator==(const Caught&, const Caught&) = default;
};

struct Spend {
  static constexpr auto name = "spend";
  static constexpr auto says =
      "Uses so many ticks of processor time in the program, or in the kernel, which is seen in "
      "nothing but times; at most 4, else EINVAL.";
  static constexpr auto source = "times(2)";
  std::uint32_t ticks = 1;
  Mode in = Mode::user;
  static constexpr std::tuple args{Arg{"ticks", &Spend::ticks}, Arg{"in", &Spend::in}};
  friend bool operator==(const Spend&, const Spend&) = default;
};

struct Times {
  static constexpr auto name = "times";
  static constexpr auto says =
      "Answers the processor time, in ticks, that the caller's process has used in programs or in "
      "the kernel, or that the children have that it waited for.";
  static constexpr auto source = "times(2)";
  Account which = Account::utime;
  static constexpr std::tuple args{Arg{"which", &Times::which}};
  friend bool operator==(const Times&, const Times&) = default;
};

}  // namespace forkproof
