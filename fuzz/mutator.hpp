/// Scripts made of scripts, op by op: insert, go on, drop, duplicate, give to another actor, copy a
/// family, exit before a wait, swap neighbours, change an argument or the world; and two crossed.
/// What comes out is well-formed. The same seed does the same.
#pragma once
#include "fuzz/focus.hpp"
#include "harness/generate.hpp"

namespace forkproof::fuzz {

class Mutator {
 public:
  Mutator(std::uint32_t seed, const Focus& focus) : dice_(seed), focus_(focus) {}

  /// One to four changes.
  Script mutate(Script script);

  /// The beginning of one and what of the other can follow it.
  Script cross(const Script& a, const Script& b);

 private:
  using Change = void (Mutator::*)(Script&);
  static const Change kChanges[];

  void insert(Script& s);
  void go_on(Script& s);
  void drop(Script& s);
  void duplicate(Script& s);
  void give_away(Script& s);
  void copy_family(Script& s);
  void exit_before_wait(Script& s);
  void swap_neighbours(Script& s);
  void change_arguments(Script& s);
  void change_world(Script& s);

  Op random_op(std::int32_t bound);
  void randomise(Op& op, std::int32_t bound);
  std::int32_t random_name(std::int32_t bound);
  std::size_t place(const Script& s) { return dice_.below(s.steps.size()); }

  harness::Dice dice_;
  const Focus& focus_;
};

}  // namespace forkproof::fuzz
