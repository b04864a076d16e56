/// What can be seen of the machine: tasks as /proc would show them, and their pages.
#include <algorithm>

#include "impl/machine.hpp"

namespace forkproof::impl {

State Machine::state_of(const Task& t) const {
  const std::uint32_t bit =
      bits::shown(std::uint32_t{t.state}, std::uint32_t{t.exit_state}, states());
  return bits::kStateLetters[static_cast<std::size_t>(std::bit_width(bit))].state;
}

std::int32_t Machine::parent_number(const Process& p) const {
  return p.parent == kNobody ? 0 : process_of(tasks_[p.parent]).tgid;
}

TaskView Machine::view(Pid number) const {
  TaskView v;
  const Task* const t = find(number);
  if (t == nullptr) return v;
  const Process& p = process_of(*t);
  v.state = state_of(*t);
  v.pid = {t->pid};
  v.tgid = {p.tgid};
  v.ppid = {parent_number(p)};
  v.pgid = {groups_[p.group].number};
  v.sid = {p.sid};
  v.nspid = seen_by(*t, t->pid);
  v.level = level_of(p.pid_ns());
  v.exit_signal = is_leader(*t) ? p.exit_signal : -1;
  v.flags = {t->flags};
  if (p.kthread != kNobody) v.flags = v.flags | flags_of_kthread(p);
  v.threads = static_cast<std::int32_t>(p.thread_count);
  v.blocked = t->blocked;
  if (!dead(p)) v.shared_pending = p.pending;
  if (t->zombie()) {
    const bool shared = p.exits() || (p.flags & process_flag::stopped) != 0;
    v.exit_code = shared ? p.exit_code : t->exit_code;
  } else {
    const Actions& a = actions_of(p);
    v.pending = t->pending;
    v.ignored = a.ignored;
    v.caught = a.caught;
  }
  const Attributes& a = attributes_of(*t);
  v.comm = a.comm;
  v.randomized = v.flags.has(task_flag::kthread) || a.fixed ? 0 : 1;
  v.nice = a.nice;
  v.policy = a.policy;
  v.rt_priority = a.rt_priority;
  v.user = a.user;
  v.capabilities = {a.capabilities};
  if (is_traced(*t)) v.tracer = {tasks_[tracer_of(*t)].pid};
  return v;
}

std::vector<Slab> Machine::slabs() const {
  const auto [spaces, nodes, frames] = memory_.counts();
  return {Slab{"task_struct", tasks_.counts()}, {"signal_struct", processes_.counts()},
          {"process_group", groups_.counts()},  {"sighand_cache", actions_.counts()},
          {"mm_struct", spaces},                {"page_table", nodes},
          {"page_frame", frames},               {"filp", open_files_.counts()},
          {"files_cache", files_.counts()},     {"fs_cache", fs_.counts()},
          {"attributes", attributes_.counts()}, {"limits", limits_.counts()},
          {"rusage", usage_.counts()},          {"nsproxy", proxies_.counts()},
          {"ns_common", ns_.counts()},          {"kthread", kthreads_.counts()},
          {"user_namespace", user_ns_.counts()}, {"sigqueue", queues_.counts()},
          {"pid_namespace", namespaces_.counts()}};
}

void Machine::pages(Pid number, std::vector<PageView>& out) const {
  out.clear();
  const Task* const t = find(number);
  if (t == nullptr || t->zombie()) return;
  if (const Process& p = process_of(*t); p.space != kNobody) memory_.list(p.space, out);
}

void Machine::tasks(std::vector<Pid>& out) const {
  out.clear();
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    const Ring<Threads>& threads = processes_[i].threads;
    for (Index t = threads.first; t != kNobody; t = threads.after(tasks_, t))
      out.push_back({tasks_[t].pid});
  }
  std::sort(out.begin(), out.end());
}

}  // namespace forkproof::impl
