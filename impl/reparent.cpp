/// What becomes of the children of a thread that dies, and of process groups that lose their last
/// tie to the rest of the session.
///
/// Sources: kernel/exit.c forget_original_parent(), find_new_reaper(), reparent_leader(),
/// kill_orphaned_pgrp(), will_become_orphaned_pgrp(); forkproof.md SETTLE:8.
#include "impl/machine.hpp"

namespace forkproof::impl {

/// The first thread that is not exiting, if any.
Task* Machine::alive_thread(const Process& p) {
  for (Index i = p.threads.first; i != kNobody; i = p.threads.after(tasks_, i))
    if ((tasks_[i].flags & task_flag::exiting.bits) == 0) return &tasks_[i];
  return nullptr;
}

/// A thread of the same process; else of the nearest subreaper; else of init.
Task& Machine::reaper_for(Task& father) {
  const Process& p = process_of(father);
  if (Task* const t = alive_thread(p)) return *t;
  if (p.has_subreaper) {
    for (Index i = p.parent; i != kNobody; i = process_of(tasks_[i]).parent) {
      const Process& ancestor = process_of(tasks_[i]);
      if (ancestor.pid_ns() != p.pid_ns()) break;
      if (!ancestor.is_subreaper) continue;
      if (Task* const t = alive_thread(ancestor)) return *t;
    }
  }
  return tasks_[p.pid_ns() == kNobody ? reaper_ : namespaces_[p.pid_ns()].reaper];
}

void Machine::forget_original_parent(Task& father) {
  if (id(father) == reaper_)  // init has another thread, or the world would have ended
    reaper_ = id(*alive_thread(process_of(father)));
  if (father.children.empty()) return;
  Task& reaper = reaper_for(father);
  while (!father.children.empty()) adopt(processes_[father.children.first], father, reaper);
}

void Machine::adopt(Process& child, Task& father, Task& reaper) {
  const bool is_dead = ready(child);
  if (!is_dead) count_child(child, false);
  father.children.remove(processes_, id(child));
  if (linked<News>(child)) father.news.remove(processes_, id(child));
  child.parent = id(reaper);
  child.order = ++order_;
  reaper.children.push_back(processes_, id(child));
  touch(child);
  for_each_thread(child, [&](Task& t) {
    if (t.pdeath_signal != 0) send({t.pdeath_signal}, t, Scope::process, &father);
  });
  const bool gone = leader_of(child).exit_state == bits::kExitDead;  // of whom father traced
  const bool leaves = reaper.process != father.process && !gone;
  if (leaves) child.exit_signal = static_cast<std::int16_t>(sig::chld.n);
  if (!ready(child)) count_child(child, true);
  update_news(child);
  if (!leaves) return;
  if (is_dead && !leader_of(child).traced && notify_parent(child))
    forsaken_.push_back(child.leader());
  kill_orphaned_pgrp(child, process_of(father), nullptr);
}

/// Whether no member but `ignored` has a parent outside the group and in the session.
bool Machine::orphaned(const Group& g, const Process* ignored) const {
  for (Index i = g.members.first; i != kNobody; i = g.members.after(processes_, i)) {
    const Process& p = processes_[i];
    if (&p == ignored || dead(p) || p.parent == kNobody) continue;
    const Process& parent = process_of(tasks_[p.parent]);
    if (parent.group != p.group && parent.sid == p.sid) return false;
  }
  return true;
}

/// A group that is orphaned while a member is stopped gets SIGHUP and SIGCONT. `parent` was the
/// tie that is now cut.
void Machine::kill_orphaned_pgrp(const Process& p, const Process& parent,
                                  const Process* ignored) {
  const Group& g = groups_[p.group];
  if (g.stopped == 0 || parent.group == p.group || parent.sid != p.sid) return;
  if (!orphaned(g, ignored)) return;
  kill_group(&g, sig::hup);
  kill_group(&g, sig::cont);
}

}  // namespace forkproof::impl
