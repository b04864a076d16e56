/// The representation invariant: rings, counts, flags and numbers tell the same story.
#include <algorithm>

#include "impl/machine.hpp"

namespace forkproof::impl {

/// The state of a task that is not stopped, by the call that it is inside.
std::uint64_t Machine::resting_state(const Task& t) const {
  if (t.zombie()) return states().dead;
  if (t.frozen) return bits::kInterruptible;
  switch (t.call) {
    case Call::none: return is_kthread(t) ? t.state : bits::kRunning;  // it may say another
    case Call::wait:
    case Call::poll:
    case Call::pause: return bits::kInterruptible;
    case Call::vfork:
    case Call::exec: return states().killable();
    case Call::reap:
    case Call::outlive:
    case Call::serve: return bits::kInterruptible;
    case Call::ask: return states().killable();
    case Call::park:
    case Call::stop:
    case Call::unwoken: return bits::kUninterruptible;
    case Call::schedule: return t.state;
    case Call::parked: return states().parked;
    case Call::unborn: break;
    case Call::lost: break;  // it dies, or its tracer has stopped it
    case Call::create: break;  // it is made again at once, unless its task is stopped
  }
  return states().born;
}

/// What must hold of a task between two ops, all on its own.
bool Machine::sound_task(const Task& t) const {
  const Process& p = process_of(t);
  if (numbers_.find(t.pid).task != id(t)) return false;
  if (!Ring<Threads>::sound_at(tasks_, id(t)) || t.queued || t.continued) return false;
  if (t.asleep != linked<Sleepers>(t) || (t.asleep && t.call != Call::wait)) return false;
  if (t.asleep && !Ring<Sleepers>::sound_at(tasks_, id(t))) return false;
  const bool exiting = (t.flags & task_flag::exiting.bits) != 0;
  const bool outlives = t.call == Call::reap || t.call == Call::outlive;
  if (exiting != (t.zombie() || outlives)) return false;
  if (outlives && (!p.unkillable || p.live != 0)) return false;
  if (t.zombie() && !is_leader(t) && !t.traced) return false;  // it would have gone
  if (t.zombie() && (!t.children.empty() || !t.news.empty())) return false;
  if (!t.halted() && t.state != resting_state(t)) return false;
  if (t.zombie() && (t.halted() || t.call != Call::none)) return false;
  const bool waits_for_child = t.vfork_child != kNobody;
  if (waits_for_child && (t.call != Call::vfork || tasks_[t.vfork_child].vfork_parent != id(t)))
    return false;
  if (t.vfork_parent != kNobody && tasks_[t.vfork_parent].vfork_child != id(t)) return false;
  if (t.stop_counted && !t.stop_pending) return false;
  const bool undying = t.call == Call::park || t.call == Call::stop;
  const bool deep =
      waits_for_child || t.call == Call::ask || t.call == Call::exec || undying;
  if (t.call == Call::exec && (p.live != 1 || is_sole_thread(t))) return false;
  if (t.stop_pending && !deep && !t.trapped()) return false;  // else it would have stopped
  const bool may_have_business = t.halted() || deep || exiting;
  if (t.signalled && !may_have_business) return false;
  if (t.has_result && !t.halted() && !waits_for_child && !t.frozen) return false;
  if (t.frozen && (t.halted() || exiting || t.asleep || !cgroups_.is_frozen(id(t)))) return false;
  if (!t.frozen && !may_have_business && !is_kthread(t) && cgroups_.is_frozen(id(t))) return false;
  if (kthreadd_.exists && !sound_kthread(t)) return false;
  return t.blocked == t.blocked - kUnblockable && (exiting || undying || !p.exits());
}

/// The counts and links of a process. O(its threads).
bool Machine::sound_process(const Process& p, bool memory) const {
  std::uint32_t count = 0;
  std::uint32_t live = 0;
  std::uint32_t to_stop = 0;
  bool knows_detour = false;
  for (Index i = p.threads.first; i != kNobody; i = p.threads.after(tasks_, i)) {
    const Task& t = tasks_[i];
    if (t.process != id(p) || !sound_task(t)) return false;
    ++count;
    live += (t.flags & task_flag::exiting.bits) == 0;
    to_stop += t.stop_counted;
    knows_detour = knows_detour || p.detour == i;
  }
  if (count != p.thread_count || live != p.live || to_stop != p.to_stop) return false;
  if (leader_of(p).pid != p.tgid || !knows_detour) return false;
  if ((p.flags & process_flag::tells) != 0 && !ever_traced_) return false;  // who owes it runs
  const bool all_dead = live == 0;
  if (all_dead && profile_ == Profile::linux_6 && !p.exits()) return false;
  const Call call = leader_of(p).call;
  if (p.exits() && !all_dead && call != Call::park && call != Call::stop) return false;
  if (all_dead && p.space != kNobody) return false;
  if (p.space != kNobody && !Ring<Borrowers>::sound_at(processes_, id(p))) return false;
  if (memory && p.space != kNobody && !memory_.sound(p.space)) return false;
  return p.actions == kNobody || Ring<Sharers>::sound_at(processes_, id(p));
}

/// Its places among siblings, members and processes.
bool Machine::sound_family(const Process& p) const {
  if (!Ring<Processes>::sound_at(processes_, id(p))) return false;
  if (!Ring<Members>::sound_at(processes_, id(p))) return false;
  const Group& g = groups_[p.group];
  if (g.sid != p.sid || (g.number == 0) != (p.sid == 0)) return false;
  if (p.sid != 0 && numbers_.find(g.number).group != p.group) return false;
  if (p.sid != 0 && numbers_.find(p.sid).sessions == 0) return false;
  if (p.leads_session && (p.sid != p.tgid || g.number != p.tgid)) return false;
  if (p.parent == kNobody) return is_init(p) || p.leader() == kthreadd_.task;
  const Task& parent = tasks_[p.parent];
  if (p.unkillable != (seen_by(leader_of(p), p.tgid) == kInit.n)) return false;
  if (parent.zombie() || numbers_.find(parent.pid).task != p.parent) return false;
  if (!Ring<Siblings>::sound_at(processes_, id(p))) return false;
  if (linked<News>(p) != has_news(p)) return false;
  return !linked<News>(p) || Ring<News>::sound_at(processes_, id(p));
}

/// What a task's children add up to.
bool Machine::sound_children(const Task& t) const {
  std::uint32_t living[2] = {0, 0};
  std::uint64_t order = 0;
  std::size_t with_news = 0;
  for (Index i = t.children.first; i != kNobody; i = t.children.after(processes_, i)) {
    const Process& child = processes_[i];
    if (child.parent != id(t) || child.order <= order) return false;
    order = child.order;
    living[child.clone_child()] += !ready(child);
    with_news += has_news(child);
  }
  order = 0;
  for (Index i = t.news.first; i != kNobody; i = t.news.after(processes_, i)) {
    const Process& child = processes_[i];
    if (child.parent != id(t) || child.order <= order || with_news-- == 0) return false;
    order = child.order;
  }
  return with_news == 0 && living[0] == t.living[0] && living[1] == t.living[1];
}

bool Machine::sound(Pid number, bool memory) const {
  const Task* const t = find(number);
  if (t == nullptr) return true;
  const Process& p = process_of(*t);
  return sound_process(p, memory) && sound_family(p);
}

/// Every number that is taken stands for something, and what it stands for knows it.
bool Machine::sound_numbers() const {
  std::vector<std::int32_t> used;
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    const Process& p = processes_[i];
    for (Index t = p.threads.first; t != kNobody; t = p.threads.after(tasks_, t))
      used.push_back(tasks_[t].pid);
    used.push_back(p.sid);
    used.push_back(groups_[p.group].number);
  }
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  if (!used.empty() && used.front() == 0) used.erase(used.begin());  // kernel threads' group
  std::size_t next = 0;
  for (std::size_t n = 1; n <= static_cast<std::size_t>(kPidMaxLimit); ++n) {
    n = taken_.first_taken(n);
    if (n >= PidBitmap::kNumbers) break;
    if (next == used.size() || n != static_cast<std::size_t>(used[next++])) return false;
    if (!numbers_.find(static_cast<std::int32_t>(n)).in_use()) return false;
  }
  return next == used.size() && taken_.sound();
}

/// Groups, sessions and tables of actions count their users.
bool Machine::sound_counts() const {
  std::size_t groups = 0;
  std::size_t tables = 0;
  std::vector<std::int32_t> sessions;
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    const Process& p = processes_[i];
    if (p.sid != 0) sessions.push_back(p.sid);
    tables += p.actions != kNobody && actions_[p.actions].sharers.first == i;
    const Group& g = groups_[p.group];
    if (g.members.first != i) continue;
    ++groups;
    std::uint32_t stopped = 0;
    for (Index m = i; m != kNobody; m = g.members.after(processes_, m)) {
      if (processes_[m].group != p.group) return false;
      stopped += processes_[m].flags & process_flag::stopped;
    }
    if (stopped != g.stopped) return false;
  }
  std::sort(sessions.begin(), sessions.end());
  for (auto at = sessions.begin(); at != sessions.end();) {
    const auto next = std::upper_bound(at, sessions.end(), *at);
    if (numbers_.find(*at).sessions != static_cast<std::uint32_t>(next - at)) return false;
    at = next;
  }
  return groups == groups_.taken() && tables == actions_.taken();
}

bool Machine::sound() const {
  if (!woken_.empty() || execing_ != kNobody || sp_ != 0) return false;
  std::size_t tasks = 0;
  std::size_t processes = 0;
  std::vector<Index> spaces;
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    const Process& p = processes_[i];
    if (!sound_process(p, false) || !sound_family(p)) return false;
    ++processes;
    for (Index t = p.threads.first; t != kNobody; t = p.threads.after(tasks_, t), ++tasks)
      if (!sound_children(tasks_[t])) return false;
    if (p.space != kNobody && memory_[p.space].borrowers.first == i) spaces.push_back(p.space);
  }
  if (tasks != tasks_.taken() || processes != processes_.taken()) return false;
  if (!tasks_.sound() || !processes_.sound() || !groups_.sound() || !actions_.sound())
    return false;
  if (!sound_active_mm(spaces)) return false;
  return sound_numbers() && sound_counts() && sound_pollers() && sound_files() &&
         sound_attributes() && sound_namespaces() && sound_proxies() && sound_limits() &&
         sound_kthreads() && sound_cgroups() && sound_tracings() &&
         sound_user_ns(profile_ == Profile::linux_6) && memory_.sound(spaces);
}

}  // namespace forkproof::impl
