/// Which number a new task gets: exactly one answer a profile, and the knobs that turn the search.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

namespace {

/// The lowest number from `from` on, below `below`, that is not in use.
std::optional<std::int32_t> lowest_free(std::int32_t from, std::int32_t below, const auto& used) {
  for (std::int32_t n = from; n < below; ++n)
    if (!used.contains(n)) return n;
  return std::nullopt;
}

}  // namespace

/// The number that the next task gets in one namespace; nothing when the search of the profile
/// finds none. Moves the cursor.
std::optional<std::int32_t> Model::search(std::int32_t& cursor, std::int32_t pid_max,
                                          const auto& used) {
  std::optional<std::int32_t> found;
  if (linux_6()) {
    const std::int32_t floor = cursor > kReservedPids ? kReservedPids : 1;
    const std::int32_t from = std::max(cursor, floor);
    cover("pid.cyclic"_rule);
    found = lowest_free(from, pid_max, used);
    if (!found && from > floor) {
      cover(floor == 1 ? "pid.wrap-low"_rule : "pid.wrap-floor"_rule);
      found = lowest_free(floor, pid_max, used);
    }
  } else {
    const std::int32_t last = cursor - 1;
    const std::int32_t from = cursor >= pid_max ? kReservedPids : cursor;
    cover("pid.bitmap-next"_rule);
    found = lowest_free(from, pid_max, used);
    if (!found && last == kReservedPids) cover("pid.bitmap-300"_rule);
    if (!found && last != kReservedPids) {
      cover("pid.bitmap-wrap"_rule);
      found = lowest_free(kReservedPids, pid_max, used);
    }
  }
  if (!found) {
    cover("pid.cursor-stays"_rule);
    if (!linux_6()) cover("pid.bitmap-exhausted"_rule);
    return std::nullopt;
  }
  cover("pid.cursor-advances"_rule);
  if (*found == pid_max - 1) cover("pid.below-max"_rule);
  cursor = *found + 1;
  return found;
}

/// The numbers of a new task in `ns` and in all namespaces above it, the innermost first. If one
/// has none, the cursors of those below it have moved all the same.
std::optional<Model::Numbers> Model::fresh_numbers(NamespaceId ns) {
  Numbers numbers;
  std::optional<std::int32_t> found;
  for (NamespaceId at = ns; at; at = world_.namespaces[at].parent) {
    Namespace& inner = world_.namespaces[at];
    const std::int32_t pid_max = linux_6() ? kPidMaxLimit : world_.pid_max;
    found = search(inner.cursor, pid_max, inner.numbers);
    cover("pidns.number-each"_rule);
    if (!found) break;
    numbers.inner.push_back({at, Pid{*found}});
  }
  if (!ns || found) found = search(world_.cursor, world_.pid_max, world_.numbers);
  if (found) {
    numbers.number = Pid{*found};
    return numbers;
  }
  if (ns && world_.namespaces[ns].numbers.empty() && world_.namespaces[ns].accepts) {
    cover("pidns.first-again"_rule);
    world_.namespaces[ns].cursor = 1;
  }
  return std::nullopt;
}

void Model::use_numbers(TaskId id, Numbers numbers) {
  Task& t = world_.tasks[id];
  t.tid = numbers.number;
  for (const InnerNumber& inner : numbers.inner)
    world_.namespaces[inner.ns].numbers[inner.number.n] = t.tid;
  Number& use = world_.numbers[t.tid.n];
  use.task = id;
  use.use = t.born;
  use.inner = std::move(numbers.inner);
}

void Model::give_back_if_free(Pid p) {
  const Number* const use = world_.numbers.find(p.n);
  if (use == nullptr) return;
  if (use->free()) {
    const std::vector<InnerNumber> inner = use->inner;
    world_.numbers.erase(p.n);
    for (auto at = inner.rbegin(); at != inner.rend(); ++at) leave_number(*at);
  } else if (!use->task) {
    cover(use->group.empty() ? "pid.pinned-by-session"_rule : "pid.pinned-by-group"_rule);
  }
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
