/// Queued signals: which of them have an entry, whom it is counted for, and when it goes.
///
/// Sources: kernel/signal.c __send_signal_locked(), __sigqueue_alloc(), collect_signal(),
/// flush_sigqueue_mask(); kernel/ucount.c inc_rlimit_get_ucounts(); fs/proc/array.c task_sig().
#include <array>
#include <vector>

#include "impl/machine.hpp"

namespace forkproof::impl {

void SignalQueues::push(std::uint64_t list, Sigqueue entry) {
  const Index i = entries_.take(), last = lasts_.find(list);
  entry.next = last == kNobody ? i : entries_[last].next;
  entries_[i] = entry;
  if (last != kNobody) entries_[last].next = i;
  lasts_.set(list, i);
}

/// Before 5.14 users are counted whatever their user namespace.
Index Users::signals_in(const Task& t) const {
  return profile_ == Profile::linux_4_12 ? kNobody : attributes_of(t).user_ns;
}

/// An entry more, or less: for the user, and in each namespace above for root, who made what is in
/// there.
void Users::charge_signal(Index ns, User user, bool in) {
  std::size_t place = static_cast<std::size_t>(user);
  while (true) {
    std::uint64_t& count = (ns == kNobody ? user_signals_ : user_ns_[ns].signals)[place];
    in ? ++count : --count;
    if (ns == kNobody) return;
    ns = user_ns_[ns].parent;
    place = 0;
  }
}

std::uint64_t Users::signals_of(const Task& t) const {
  const Index ns = signals_in(t);
  const auto place = static_cast<std::size_t>(attributes_of(t).user);
  return ns == kNobody ? user_signals_[place] : user_ns_[ns].signals[place];
}

bool Users::may_queue(const Task& to) const {
  if (signals_of(to) >= limits_of(process_of(to))[Resource::sigpending].soft.n) return false;
  for (Index ns = signals_in(to); ns != kNobody; ns = user_ns_[ns].parent) {
    const Index above = user_ns_[ns].parent;
    const std::uint64_t count = above == kNobody ? user_signals_[0] : user_ns_[above].signals[0];
    if (count >= user_ns_[ns].most_signals.n) return false;
  }
  return true;
}

/// Makes the signal pending. False: there was no room for its entry, and who sent it wanted one.
bool Users::queue_signal(SigSet& pending, std::uint64_t list, Signal s, const Task& to, Origin by) {
  const bool new_kernel = profile_ == Profile::linux_6;
  const bool skips = new_kernel ? s == sig::kill || is_kthread(to) : by == Origin::forced;
  const bool overrides = s.n < kFirstRealTimeSignal && by != Origin::tkill;
  if (!skips && (overrides || may_queue(to))) {
    const Index ns = signals_in(to);
    const User user = attributes_of(to).user;
    queues_.push(list, {.user_ns = ns, .signal = static_cast<std::uint8_t>(s.n), .user = user});
    charge_signal(ns, user, true);
  } else if (!skips && s.n >= kFirstRealTimeSignal &&
             (by == Origin::tkill || by == Origin::child)) {
    return false;
  }
  pending.add(s);
  return true;
}

/// The signal is taken once. It stays pending if it was queued more often.
void Users::collect_signal(SigSet& pending, std::uint64_t list, Signal s) {
  bool taken = false, again = false;
  queues_.take(list, [&](const Sigqueue& entry) {
    if (entry.signal != s.n) return false;
    if (taken) {
      again = true;
      return false;
    }
    charge_signal(entry.user_ns, entry.user, false);
    return taken = true;
  });
  if (!again) pending.remove(s);
}

void Users::take_from_queue(SigSet& pending, std::uint64_t list, SigSet which) {
  pending = pending - which;
  queues_.take(list, [&](const Sigqueue& entry) {
    if (!which.has({entry.signal})) return false;
    charge_signal(entry.user_ns, entry.user, false);
    return true;
  });
}

/// Entries are of pending signals, below 32 one each, and all are counted.
bool Users::sound_queues() const {
  std::array<std::uint64_t, kUsers.size()> users{};
  std::vector<decltype(users)> in(user_ns_.end());
  std::size_t entries = 0;
  bool good = true;
  const auto look = [&](SigSet pending, std::uint64_t list) {
    SigSet met;
    queues_.for_each(list, [&](const Sigqueue& entry) {
      const Signal s{entry.signal};
      good = good && pending.has(s) && !(s.n < kFirstRealTimeSignal && met.has(s));
      met.add(s);
      ++entries;
      std::size_t place = static_cast<std::size_t>(entry.user);
      for (Index ns = entry.user_ns; ns != kNobody; ns = user_ns_[ns].parent, place = 0)
        ++in[ns][place];
      ++users[place];
    });
  };
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    const Process& p = processes_[i];
    look(p.pending, SignalQueues::of_process(i));
    for (Index n = p.threads.first; n != kNobody; n = p.threads.after(tasks_, n))
      look(tasks_[n].pending, SignalQueues::of_task(n));
  }
  for (Index i = 1; i < user_ns_.end(); ++i)
    good = good && (user_ns_[i].users == 0 || user_ns_[i].signals == in[i]);
  return good && users == user_signals_ && queues_.sound(entries);
}

// --- ops -----------------------------------------------------------------------------------------

Outcome Machine::perform(Task& t, const Sigq&) {
  return Outcome::number(static_cast<std::int64_t>(signals_of(t)));
}

Outcome Machine::perform(Task& t, const Caught&) { return Outcome::number(caught_.find(id(t))); }

}  // namespace forkproof::impl
