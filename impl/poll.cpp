/// poll of a pidfd, for who does not wait and for who does.
///
/// Those who sleep are in one list of the machine, mostly an empty one: an end costs no more where
/// nobody polls. Each remembers the number, and the generation of it, that wakes it, and looks at
/// its descriptor again when it is woken: that may be another file by then.
///
/// Sources: fs/select.c do_poll(), do_restart_poll(); fs/pidfs.c pidfd_poll(); kernel/signal.c
/// do_notify_pidfd(), kernel/pid.c __change_pid().
#include <algorithm>

#include "impl/machine.hpp"

namespace forkproof::impl {

Outcome Machine::perform(Task& t, const Poll& op) {
  if (const std::int64_t events = poll_once(t, op.fd); events != 0 || op.timeout == Timeout::zero)
    return Outcome::number(events);
  t.args = {};
  t.args.options = static_cast<std::uint32_t>(op.fd);
  return begin_poll(t);
}

/// What can be said of a descriptor at once.
std::int64_t Machine::poll_once(const Task& t, Descriptor fd) const {
  namespace ev = poll_event;
  if (fd < 0) return 0;
  if (!has_open(t, fd)) return ev::nval;
  const OpenFile* const pidfd = pidfd_at(t, fd);
  if (pidfd == nullptr) return ev::in;
  const Task* const target = target_of(*pidfd);
  if (target == nullptr) return ev::in | ev::hup;
  return is_gone(*target) ? ev::in : 0;
}

/// The descriptor is the one that the call was given, as it is now.
Outcome Machine::begin_poll(Task& t) {
  const auto fd = static_cast<Descriptor>(t.args.options);
  if (const std::int64_t events = poll_once(t, fd)) return Outcome::number(events);
  const OpenFile* const pidfd = fd < 0 ? nullptr : pidfd_at(t, fd);
  t.args.number = pidfd == nullptr ? 0 : pidfd->target;
  t.args.generation = pidfd == nullptr ? 0 : pidfd->generation;
  t.call = Call::poll;
  set_state(t, bits::kInterruptible);
  pollers_.push_back(id(t));
  touch(t);
  return Outcome::of(Outcome::Kind::blocks);
}

bool Machine::polls(const Task& t) const {
  return std::ranges::find(pollers_, id(t)) != pollers_.end();
}

void Machine::look_in_poll(Task& t) {
  if (!polls(t)) return;
  const std::int64_t events = poll_once(t, static_cast<Descriptor>(t.args.options));
  if (events == 0) return;
  stop_polling(t);
  keep(t, Outcome::number(events));
}

void Machine::stop_polling(Task& t) {
  if (std::erase(pollers_, id(t)) > 0) set_state(t, bits::kRunning);
}

/// The task with the number has ended, or is no longer found by it.
void Machine::wake_those_in_poll(std::int32_t number) {
  const std::uint32_t generation = numbers_.find(number).generation;
  for (std::size_t i = pollers_.size(); i-- > 0;) {
    Task& t = tasks_[pollers_[i]];
    if (t.args.number == number && t.args.generation == generation) wake(t, bits::kInterruptible);
  }
}

/// Whether those in the list sleep in a poll, each there once.
bool Machine::sound_pollers() const {
  return std::ranges::all_of(pollers_, [&](Index i) {
    const Task& t = tasks_[i];
    return t.call == Call::poll && !t.halted() && !t.frozen && !t.zombie() &&
           std::ranges::count(pollers_, i) == 1;
  });
}

}  // namespace forkproof::impl
