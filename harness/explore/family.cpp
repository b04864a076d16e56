/// Families as rows of words.
#include "harness/explore/family.hpp"

#include <algorithm>

namespace forkproof::harness {

std::span<const std::uint64_t> Family::write(const spec::World& world) {
  row_.clear();
  leaders_.clear();
  parents_.clear();
  row_.push_back(world.over);
  if (world.over) return row_;
  if (numbers_) row_.push_back(static_cast<std::uint64_t>(world.cursor));
  list(world, world.task_of(kInit), 0);
  for (std::size_t i = 0; i < leaders_.size(); ++i) {
    row_.push_back(parents_[i]);
    write_process(world, leaders_[i]);
  }
  return row_;
}

void Family::list(const spec::World& world, spec::TaskId leader, std::uint64_t parent) {
  leaders_.push_back(leader);
  parents_.push_back(parent);
  const std::uint64_t place = leaders_.size();
  for (const spec::TaskId thread : world.process_of(world.tasks[leader]).threads)
    for (const auto& [age, child] : world.tasks[thread].children) list(world, child, place);
}

void Family::write_process(const spec::World& world, spec::TaskId leader) {
  using Kind = spec::Call::Kind;
  using Whom = spec::WaitQuery::Whom;
  const spec::Task& t = world.tasks[leader];
  const bool waits = t.call.kind == Kind::wait;
  row_.push_back(static_cast<std::uint64_t>(t.call.kind) << 2 | std::uint64_t{t.zombie} << 1 |
                 std::uint64_t{t.flags.has(task_flag::forknoexec)});
  if (numbers_) row_.push_back(static_cast<std::uint64_t>(t.tid.n));
  if (waits) row_.push_back(static_cast<std::uint64_t>(t.call.query.whom));
  if (waits && t.call.query.whom == Whom::process)
    row_.push_back(place_of(world.task_of(t.call.query.number)));
  if (t.call.kind == Kind::vfork) row_.push_back(place_of(t.call.child));
}

std::uint64_t Family::place_of(spec::TaskId id) const {
  const auto at = std::ranges::find(leaders_, id);
  return at == leaders_.end() ? 0 : static_cast<std::uint64_t>(at - leaders_.begin()) + 1;
}

}  // namespace forkproof::harness
