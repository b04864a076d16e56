/// Numbers: which one a new task gets, what pins it, and the world's knobs.
///
/// Sources: kernel/pid.c alloc_pid(), __change_pid(), and alloc_pidmap() before 4.15; lib/idr.c
/// idr_alloc_cyclic(); forkproof.md WORLD:3.
#include "impl/bits/pid_search.hpp"
#include "impl/machine.hpp"

namespace forkproof::impl {

/// The number that the next task gets; 0: there is none.
std::int32_t Machine::find_number() const {
  const auto cursor = static_cast<std::uint64_t>(cursor_);
  const auto pid_max = static_cast<std::uint64_t>(pid_max_);
  const auto first_free = [&](std::uint64_t from) { return taken_.first_free(from); };
  const std::uint64_t n = profile_ == Profile::linux_6
                              ? bits::idr_search(cursor, pid_max, first_free)
                              : bits::bitmap_search(cursor, pid_max, first_free);
  return bits::passes(n, pid_max) ? 0 : static_cast<std::int32_t>(n);
}

/// The cursor moves only when a number is taken.
void Machine::take_number(std::int32_t n) {
  taken_.take(static_cast<std::size_t>(n));
  cursor_ = n + 1;
}

void Machine::join_group(Process& p, std::int32_t n) {
  Number& number = numbers_[n];
  if (number.group == kNobody) {
    number.group = groups_.take();
    groups_[number.group] = {n, p.sid, {}, 0};
  }
  p.group = number.group;
  Group& g = groups_[p.group];
  g.members.push_back(processes_, id(p));
  g.stopped += p.flags & process_flag::stopped;
}

void Machine::leave_group(Process& p) {
  Group& g = groups_[p.group];
  g.stopped -= p.flags & process_flag::stopped;
  g.members.remove(processes_, id(p));
  if (g.members.empty()) {
    numbers_[g.number].group = kNobody;
    groups_.give_back(p.group);
    free_pid(g.number);
  }
  p.group = kNobody;
}

Outcome Machine::perform(const SetPidMax& op) {
  if (op.value < kPidMaxMin || op.value > kPidMaxLimit) return Outcome::failure(Errno::inval);
  pid_max_ = op.value;
  return Outcome::success();
}

Outcome Machine::perform(const SetPidCursor& op) {
  if (op.value < 1 || op.value > pid_max_ + 1) return Outcome::failure(Errno::inval);
  cursor_ = op.value;
  return Outcome::success();
}

}  // namespace forkproof::impl
