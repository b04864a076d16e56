/// poll of one descriptor: what it says, and who sleeps until it says something.
#include <algorithm>
#include <iterator>

#include "spec/model.hpp"

namespace forkproof::spec {

/// What poll says of a descriptor now; 0 of one that cannot be read yet.
std::int64_t Model::poll_now(TaskId id, Descriptor fd) {
  namespace ev = poll_event;
  const auto says = [&](std::int64_t events, RuleId rule) { return cover(rule), events; };
  if (fd < 0) return says(0, "poll.negative"_rule);
  if (!world().files[world().tasks[id].files].has(fd)) return says(ev::nval, "poll.closed"_rule);
  const OpenFile* const pidfd = pidfd_at(id, fd);
  if (pidfd == nullptr) return says(ev::in, "poll.file"_rule);
  const TaskId target = find_target(*pidfd);
  if (!target) return says(ev::in | ev::hup, "pidfd.poll-gone"_rule);
  if (ready(target)) return says(ev::in, "pidfd.poll-dead"_rule);
  if (world().tasks[target].zombie) cover("pidfd.poll-threads"_rule);
  return says(0, "pidfd.poll-alive"_rule);
}

/// Who sleeps is woken by whom its descriptor stands for now, whatever becomes of the descriptor.
Model::Answer Model::act(TaskId id, const Poll& op) {
  const std::int64_t events = poll_now(id, op.fd);
  if (events != 0 || op.timeout == Timeout::zero)
    return answers(Outcome::number(events), fired().back());
  WaitQuery query{.whom = WaitQuery::Whom::process};
  if (const OpenFile* const pidfd = pidfd_at(id, op.fd))
    query.number = pidfd->target, query.use = pidfd->use;
  world_.tasks[id].call = {
      .kind = Call::Kind::poll, .query = query, .again = op, .since = next_place()};
  std::erase_if(world_.pollers, [&](TaskId other) {
    return other == id || !world_.tasks.has(other) || !is_polling(other);
  });
  world_.pollers.push_back(id);
  touch(id);
  answers({}, "poll.sleeps"_rule);
  return std::nullopt;
}

/// Whether a task sleeps in a poll, and was not taken out of it to stop or to freeze.
bool Model::is_polling(TaskId id) const {
  const Task& t = world().tasks[id];
  return t.call.kind == Call::Kind::poll && !t.call.interrupted;
}

/// Those who began to poll the task that has a number, the last first.
std::vector<TaskId> Model::pollers_of(Pid number) const {
  std::vector<TaskId> found;
  if (world().pollers.empty()) return found;
  const Place use = world().numbers.find(number.n)->use;
  std::ranges::copy_if(world().pollers, std::back_inserter(found), [&](TaskId id) {
    if (!world().tasks.has(id) || !is_polling(id)) return false;
    const WaitQuery& query = world().tasks[id].call.query;
    return query.number == number && query.use == use;
  });
  std::ranges::reverse(found);
  return found;
}

void Model::wake_pollers(Pid number) {
  for (const TaskId id : pollers_of(number)) {
    cover("pidfd.poll-woken"_rule);
    crowded_ = true;  // before the task that ends is gone, or another has reaped it
    wake(id);
  }
}

/// Whether somebody polls a process whose parent sleeps in a wait, and may find it reaped.
bool Model::may_be_reaped_first(const Task& leader) {
  const auto waits = [&](TaskId id) { return world().tasks[id].call.kind == Call::Kind::wait; };
  return !pollers_of(leader.tid).empty() &&
         std::ranges::any_of(world().process_of(world().tasks[leader.parent]).threads, waits) &&
         !does_as_most("pidfd.poll-or-reaped"_rule);
}

/// A task that is to be gone at once wakes those who poll it. They may have looked already.
void Model::wake_pollers_at_last(TaskId gone) {
  const Task& t = world().tasks[gone];
  const bool thread = !world().is_leader(gone);
  for (const TaskId id : pollers_of(t.tid)) {
    Task& poller = world_.tasks[id];
    const OpenFile* const pidfd = pidfd_at(id, std::get<Poll>(poller.call.again).fd);
    if (pidfd == nullptr || world_.target_of(*pidfd) != gone) continue;
    if (!thread && !poller.queued) continue;
    if (does_as_most("pidfd.poll-or-reaped"_rule)) continue;
    poller.call = {.kind = Call::Kind::held, .result = Outcome::number(poll_event::in)};
    wake(id);
  }
  wake_pollers(t.tid);
}

}  // namespace forkproof::spec
