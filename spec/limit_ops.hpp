/// The ops about limits of resources, about the users and capabilities that they hang on, and about
/// what was used. Registered in spec/ops.hpp.
#pragma once
#include <tuple>

#include "spec/op.hpp"

namespace forkproof {

struct Setrlimit {
  static constexpr auto name = "setrlimit";
  static constexpr auto says =
      "Sets the soft and the hard limit of a resource for the caller's process.";
  static constexpr auto source = "setrlimit(2)";
  Resource resource = Resource::nproc;
  Limit soft, hard;
  static constexpr std::tuple args{Arg{"resource", &Setrlimit::resource},
                                   Arg{"soft", &Setrlimit::soft}, Arg{"hard", &Setrlimit::hard}};
  friend bool operator==(const Setrlimit&, const Setrlimit&) = default;
};

struct Getrlimit {
  static constexpr auto name = "getrlimit";
  static constexpr auto says =
      "Answers the soft or the hard limit of a resource of the caller's process, -1 for none.";
  static constexpr auto source = "getrlimit(2)";
  Resource resource = Resource::nproc;
  LimitKind kind = LimitKind::soft;
  static constexpr std::tuple args{Arg{"resource", &Getrlimit::resource},
                                   Arg{"kind", &Getrlimit::kind, Form::optional}};
  friend bool operator==(const Getrlimit&, const Getrlimit&) = default;
};

struct Setresuid {
  static constexpr auto name = "setresuid";
  static constexpr auto says =
      "Makes somebody the real user of the calling thread; the effective and the saved one stay "
      "root.";
  static constexpr auto source = "setresuid(2), the system call";
  User user = User::alice;
  static constexpr std::tuple args{Arg{"user", &Setresuid::user}};
  friend bool operator==(const Setresuid&, const Setresuid&) = default;
};

struct Capset {
  static constexpr auto name = "capset";
  static constexpr auto says =
      "Says which of the capabilities of a trace the calling thread has in effect: any of them.";
  static constexpr auto source = "capset(2)";
  Capabilities effective;
  static constexpr std::tuple args{Arg{"effective", &Capset::effective}};
  friend bool operator==(const Capset&, const Capset&) = default;
};

struct Getrusage {
  static constexpr auto name = "getrusage";
  static constexpr auto says =
      "Answers how many batches of page faults the caller's process, the children that it waited "
      "for, or the calling thread has had.";
  static constexpr auto source = "getrusage(2) ru_minflt";
  Whose whose = Whose::self;
  static constexpr std::tuple args{Arg{"whose", &Getrusage::whose}};
  friend bool operator==(const Getrusage&, const Getrusage&) = default;
};

struct Fault {
  static constexpr auto name = "fault";
  static constexpr auto says =
      "Causes so many batches of page faults, which is seen in nothing but the usage; at most 4, "
      "else EINVAL.";
  static constexpr auto source = "getrusage(2) ru_minflt";
  std::uint32_t batches = 1;
  static constexpr std::tuple args{Arg{"batches", &Fault::batches}};
  friend bool operator==(const Fault&, const Fault&) = default;
};

}  // namespace forkproof
