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

/// Why a namespace with these numbers in use does not give the one that is asked for.
Model::Answer Model::refuses_number(std::int32_t n, std::int32_t pid_max, bool began, auto&& may,
                                    const auto& used) {
  if (n < 1 || n >= pid_max) return fails(Errno::inval, "clone3.set-tid-range"_rule);
  if (n != kInit.n && !began) return fails(Errno::inval, "clone3.set-tid-first"_rule);
  if (!may()) return fails(Errno::perm, "clone3.set-tid-owner"_rule);
  if (used.contains(n)) return fails(Errno::exist, "clone3.set-tid-in-use"_rule);
  cover("clone3.set-tid"_rule);
  cover("clone3.set-tid-cursor"_rule);
  return std::nullopt;
}

/// The numbers of a new task in `ns` and in all namespaces above it, the innermost first: those
/// that are asked for, then such as a search finds. If one cannot be had, the cursors of those
/// below it have moved all the same. Answers why not; nothing if all is well.
Model::Answer Model::fresh_numbers(TaskId maker, NamespaceId ns, const TidList& tids,
                                   Numbers& numbers) {
  std::size_t asked = 0;
  const auto number_in = [&](NamespaceId at, std::int32_t& cursor, std::int32_t pid_max, bool began,
                             const auto& used, Pid& number) -> Answer {
    if (asked == tids.size) {
      const std::optional<std::int32_t> found = search(cursor, pid_max, used);
      number.n = found.value_or(0);
      return found ? Answer{} : fails(Errno::again, "pid.exhausted"_rule);
    }
    number.n = tids.n[asked++];
    const auto may = [&] { return capable(maker, world().owner_of(at)); };
    return refuses_number(number.n, pid_max, began, may, used);
  };
  if (tids.size > static_cast<std::size_t>(world_.level_of(ns)) + 1)
    return fails(Errno::inval, "clone3.set-tid-depth"_rule);

  Answer refused;
  for (NamespaceId at = ns; at && !refused; at = world_.namespaces[at].parent) {
    Namespace& inner = world_.namespaces[at];
    Pid number;
    refused = number_in(at, inner.cursor, pid_max_of(at), inner.began, inner.numbers, number);
    cover("pidns.number-each"_rule);
    numbers.inner.push_back({at, number});
  }
  if (!refused)
    refused = number_in(NamespaceId::none(), world_.cursor, world_.pid_max, true, world_.numbers,
                        numbers.number);
  const bool first = ns && world_.namespaces[ns].numbers.empty();
  if (refused && first && world_.namespaces[ns].accepts) {
    cover("pidns.first-again"_rule);
    world_.namespaces[ns].cursor = 1;
  }
  if (!refused && ns && !world_.namespaces[ns].accepts)
    return fails(Errno::nomem, "pidns.dead"_rule);
  return refused;
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
