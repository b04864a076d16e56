/// The queue of signals: the entries of those that are pending, and for whom they count.
#include "spec/model.hpp"

#include <algorithm>

namespace forkproof::spec {

/// A signal is pending from now on, with an entry or without one. False: it finds no room, and is
/// lost for that.
bool Model::enter_queue(Pending& pending, Signal s, const Task& to, Sender sender) {
  const bool again = pending.has(s);
  const bool bare = linux_6() ? s == sig::kill || to.in_kernel() : sender == Sender::force;
  const bool real_time = s.n >= kFirstRealTimeSignal;
  const bool needs_room = real_time || sender == Sender::thread;
  if (!bare && needs_room && !has_room(to) && has_own_room(to))
    cover("limit.sigpending-namespace"_rule);
  if (bare || (needs_room && !has_room(to))) {
    if (!bare && real_time && (sender == Sender::thread || sender == Sender::child)) return false;
    cover(bare ? "queue.bare"_rule : real_time ? "queue.kill-no-room"_rule : "queue.no-room"_rule);
    pending.add(s);
    return true;
  }
  if (!needs_room && !has_room(to)) cover("queue.beyond"_rule);
  if (again && real_time) cover("queue.again"_rule);
  const UserNamespaceId ns = linux_6() ? to.attributes.user_ns : UserNamespaceId::none();
  world_.count_queued(ns, to.attributes.user, true);
  if (ns) cover("queue.namespaces"_rule);
  pending.queue.push_back({s, ns, to.attributes.user});
  pending.add(s);
  cover("queue.entry"_rule);
  return true;
}

/// Whether one entry more is within the limit of the process; and those of the user namespaces.
bool Model::has_own_room(const Task& to) const {
  const UserNamespaceId ns = linux_6() ? to.attributes.user_ns : UserNamespaceId::none();
  const Limit most = world().process_of(to).limits_of(Resource::sigpending).soft;
  return world().queued_for(ns, to.attributes.user) < most.n;
}
bool Model::has_room(const Task& to) const {
  return has_own_room(to) &&
         !has_no_room(linux_6() ? to.attributes.user_ns : UserNamespaceId::none());
}

/// A signal is taken: its oldest entry, and the signal with its last.
void Model::leave_queue(Pending& pending, Signal s) {
  const auto first = std::ranges::find(pending.queue, s, &Queued::signal);
  if (first != pending.queue.end()) {
    if (s.n >= kFirstRealTimeSignal) cover("queue.one-by-one"_rule);
    world_.count_queued(first->ns, first->user, false);
    pending.queue.erase(first);
  }
  if (std::ranges::find(pending.queue, s, &Queued::signal) == pending.queue.end())
    pending.remove(s);
}

/// Signals are pending no more, and their entries are given back.
void Model::flush(Pending& pending, SigSet which) {
  pending.bits &= ~which.bits;
  const auto gone = [&](const Queued& q) { return which.has(q.signal); };
  for (const Queued& q : pending.queue) {
    if (!gone(q)) continue;
    cover("queue.flushed"_rule);
    world_.count_queued(q.ns, q.user, false);
  }
  std::erase_if(pending.queue, gone);
}

/// A thread has ended. If it is not gone at once, what was queued for it alone counts as long as it
/// is there.
void Model::lose_entries(TaskId id) {
  Task& me = world_.tasks[id];
  const bool stays = world_.is_leader(id) || is_last_of_init(id) || me.trace.by;
  if (!stays || !linux_6() || me.pending.queue.empty()) return;
  if (does_as_most("queue.of-the-dead"_rule)) return;
  const SigSet before = me.pending;
  flush(me.pending, before);
  me.pending.bits = before.bits;
}

// --- what is seen of it --------------------------------------------------------------------------

Model::Answer Model::act(TaskId id, const Sigq&) {
  const Attributes& a = world().tasks[id].attributes;
  const UserNamespaceId ns = linux_6() ? a.user_ns : UserNamespaceId::none();
  const auto count = static_cast<std::int64_t>(world().queued_for(ns, a.user));
  return answers(Outcome::number(count), "queue.count"_rule);
}

Model::Answer Model::act(TaskId id, const Caught&) {
  const auto count = static_cast<std::int64_t>(world().tasks[id].caught);
  return answers(Outcome::number(count), "caught.count"_rule);
}

}  // namespace forkproof::spec
