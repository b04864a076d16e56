/// What an implementation of the process lifecycle must offer to be held to the spec.
#pragma once
#include <array>
#include <concepts>
#include <vector>

#include "spec/ops.hpp"
#include "spec/outcome.hpp"

namespace forkproof::harness {

/// A system under test. In-process systems are used as they are, without a virtual call.
template <class S>
concept SystemUnderTest = requires(S& s, const S& c, const WorldSpec& world, Pid p, const Op& op,
                                   std::vector<PageView>& pages, std::vector<Pid>& tasks) {
  s.reset(world);                                             // a new world
  { s.apply(p, op) } -> std::convertible_to<const Effects&>;  // good until the next call
  { c.view(p) } -> std::same_as<TaskView>;     // State::dead where nobody has the number
  c.pages(p, pages);                           // ascending
  c.tasks(tasks);                              // all that are not yet released, ascending
  { c.sound() } -> std::same_as<bool>;         // its own invariants: all of them
  { c.sound(p, true) } -> std::same_as<bool>;  // ... those around one task; of its memory if asked
};

/// What random traces may have in them. A system that cannot take everything has a `kTraceScope`.
struct TraceScope {
  bool kthreads = true;  // the world may be one with kernel threads
  bool brief = false;    // they are short, for who leaves out a trace for one step of it
  bool own_root = true;  // nobody else queues signals of root's
  std::array<bool, kOps> without{};  // ops that none of them has, by their index
};

template <class System>
constexpr TraceScope trace_scope_of() {
  if constexpr (requires { System::kTraceScope; }) return System::kTraceScope;
  return {};
}

}  // namespace forkproof::harness
