/// Which number a new task gets: exactly one answer a profile, and the knobs that turn the search.
#include "spec/model.hpp"

namespace forkproof::spec {

bool Model::is_free(std::int32_t n) const { return !world_.numbers.contains(n); }

std::optional<std::int32_t> Model::lowest_free(std::int32_t from, std::int32_t below) const {
  for (std::int32_t n = from; n < below; ++n)
    if (is_free(n)) return n;
  return std::nullopt;
}

/// The number that the next task gets; nothing when the search of the profile finds none. Moves
/// the cursor.
std::optional<Pid> Model::fresh_pid() {
  std::optional<std::int32_t> found;
  if (linux_6()) {
    const std::int32_t floor = world_.cursor > kReservedPids ? kReservedPids : 1;
    const std::int32_t from = std::max(world_.cursor, floor);
    cover("pid.cyclic"_rule);
    found = lowest_free(from, world_.pid_max);
    if (!found && from > floor) {
      cover(floor == 1 ? "pid.wrap-low"_rule : "pid.wrap-floor"_rule);
      found = lowest_free(floor, world_.pid_max);
    }
  } else {
    const std::int32_t last = world_.cursor - 1;
    const std::int32_t from = world_.cursor >= world_.pid_max ? kReservedPids : world_.cursor;
    cover("pid.bitmap-next"_rule);
    found = lowest_free(from, world_.pid_max);
    if (!found && last == kReservedPids) cover("pid.bitmap-300"_rule);
    if (!found && last != kReservedPids) {
      cover("pid.bitmap-wrap"_rule);
      found = lowest_free(kReservedPids, world_.pid_max);
    }
  }
  if (!found) {
    cover("pid.cursor-stays"_rule);
    if (!linux_6()) cover("pid.bitmap-exhausted"_rule);
    return std::nullopt;
  }
  cover("pid.cursor-advances"_rule);
  if (*found == world_.pid_max - 1) cover("pid.below-max"_rule);
  world_.cursor = *found + 1;
  return Pid{*found};
}

void Model::give_back_if_free(Pid p) {
  const Number* const use = world_.numbers.find(p.n);
  if (use == nullptr) return;
  if (use->free())
    world_.numbers.erase(p.n);
  else if (!use->task)
    cover(use->group.empty() ? "pid.pinned-by-session"_rule : "pid.pinned-by-group"_rule);
}

Outcome Model::turn(const SetPidMax& op) {
  if (op.value < kPidMaxMin || op.value > kPidMaxLimit)
    return fails(Errno::inval, "world.pid-max-range"_rule);

  world_.pid_max = op.value;
  return answers(Outcome::success(), "world.pid-max"_rule);
}

Outcome Model::turn(const SetPidCursor& op) {
  if (op.value < 1 || op.value > world_.pid_max + 1)
    return fails(Errno::inval, "world.pid-cursor-range"_rule);

  world_.cursor = op.value;
  return answers(Outcome::success(), "world.pid-cursor"_rule);
}

}  // namespace forkproof::spec
