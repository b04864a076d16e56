/// Worlds as rows of words.
#include "spec/canonical.hpp"

#include <algorithm>

#include "spec/derive.hpp"

namespace forkproof::spec {

namespace {

template <std::size_t N>
std::uint64_t word_of(const std::bitset<N>& v) {
  return v.to_ullong();
}
constexpr std::uint64_t word_of(bool v) { return v; }
constexpr std::uint64_t word_of(std::int32_t v) { return static_cast<std::uint32_t>(v); }
constexpr std::uint64_t word_of(std::uint32_t v) { return v; }
constexpr std::uint64_t word_of(std::int64_t v) { return static_cast<std::uint64_t>(v); }
constexpr std::uint64_t word_of(Signal v) { return static_cast<std::uint64_t>(v.n); }
constexpr std::uint64_t word_of(SigSet v) { return v.bits; }
constexpr std::uint64_t word_of(ExitSignal v) { return v.n; }
constexpr std::uint64_t word_of(Limit v) { return v.n; }
constexpr std::uint64_t word_of(PidsLimit v) { return word_of(v.n); }
template <class Kind>
constexpr std::uint64_t word_of(Flags<Kind> v) {
  return v.bits;
}
template <class E>
  requires std::is_enum_v<E>
constexpr std::uint64_t word_of(E v) {
  return static_cast<std::uint64_t>(v);
}

/// Bits of a word, in the order of the arguments.
constexpr std::uint64_t bits(auto... flags) {
  std::uint64_t word = 0;
  ((word = word << 1 | word_of(bool{flags})), ...);
  return word;
}

/// The rank of a thing in a line.
template <class Id>
std::uint64_t rank_in(const Line<Id>& line, Id id) {
  std::uint64_t rank = 0;
  for (const auto& [place, other] : line) {
    if (other == id) break;
    ++rank;
  }
  return rank;
}

}  // namespace

std::size_t Canonical::index_in(std::vector<std::uint32_t>& known, std::uint32_t thing) {
  const auto at = std::ranges::find(known, thing);
  const auto index = static_cast<std::size_t>(at - known.begin());
  if (at == known.end()) known.push_back(thing);
  return index;
}

std::span<const std::uint64_t> Canonical::write(const World& world) {
  world_ = &world;
  row_.clear();
  for (auto* const list : {&tasks_, &numbers_, &spaces_, &handlers_, &shared_pages_, &files_,
                           &open_files_, &fs_, &namespaces_, &uts_, &others_, &cgroups_,
                           &user_namespaces_})
    list->clear();
  put_all(word_of(world.profile), world.over, word_of(world.pid_max), word_of(world.host));
  put_all(world.kthreads, world.held, world.requests.size());
  write_counts(world.counts);
  if (!fold_.numbers) put(word_of(world.cursor));
  if (const TaskId init = world.task_of(kInit)) list_family(init);
  // A dead world's tasks have no family any more.
  world.tasks.for_each([&](TaskId id, const Task& task) {
    if (!task.parent && world.is_leader(id)) list_family(id);
  });
  for (std::size_t i = 0; i < tasks_.size(); ++i) write_task({tasks_[i]});
  write_task_index(world.reaper);
  for (const Request& request : world.requests) {
    write_task_index(request.creator);
    write_task_index(request.made);
    put(request.run);
  }
  if (world.kthreads) write_space(world.active);
  write_cgroups();
  return row_;
}

void Canonical::list_family(TaskId leader) {
  if (std::ranges::find(tasks_, leader.n) != tasks_.end()) return;
  const Process& p = world_->process_of(world_->tasks[leader]);
  for (const TaskId thread : p.threads) tasks_.push_back(thread.n);
  for (const TaskId thread : p.threads)
    for (const auto& [place, child] : world_->tasks[thread].children) list_family(child);
}

void Canonical::write_task_index(TaskId id) {
  const auto at = std::ranges::find(tasks_, id.n);
  put(at == tasks_.end() ? 0 : static_cast<std::uint64_t>(at - tasks_.begin()) + 1);
}

void Canonical::write_number(Pid p) {
  put(fold_.numbers ? index_in(numbers_, static_cast<std::uint32_t>(p.n)) : word_of(p.n));
}

void Canonical::write_task(TaskId id) {
  const Task& t = world_->tasks[id];
  const Process& p = world_->process_of(t);
  write_number(t.tid);
  write_namespace(p.ns, t.tid);
  if (t.child_ns != p.ns) write_namespace(t.child_ns, {});
  write_proxy(t.proxy);
  write_cgroup(t.cgroup);
  if (t.cgroup) put(rank_in_cgroup(t));
  write_task_index(p.leader);
  if (p.leader == id) write_process(p);
  write_task_index(t.parent);
  write_space(t.space);
  write_handlers(t.handlers);
  write_files(t);
  put_all(word_of(t.flags), word_of(t.exit_code), word_of(t.exit_signal), word_of(t.pdeath),
          word_of(t.pending), word_of(t.blocked),
          bits(t.zombie, t.attention, t.stop_pending, t.stop_counted, t.stopped, t.resumed,
               t.queued, t.frozen));
  if (!fold_.exec_ids) put_all(t.self_exec_id, t.parent_exec_id);
  write_task_index(t.vfork_parent);
  write_attributes(t.attributes);
  write_usage(t.used);
  if (!fold_.caught) put(t.caught);
  write_queue(t.pending);
  if (t.in_kernel()) write_kthread(t.kthread);
  write_tracing(id);
  write_call(t);
}

void Canonical::write_usage(const Usage& u) { put_all(u.faults, u.user, u.system); }

/// The entries signal by signal: those of different signals do not know of each other.
void Canonical::write_queue(const Pending& pending) {
  put(pending.queue.size());
  for (SigSet left = pending.queue.empty() ? SigSet{} : SigSet{pending}; !left.empty();) {
    const Signal s = left.lowest();
    left.remove(s);
    for (const Queued& q : pending.queue) {
      if (q.signal != s) continue;
      put_all(word_of(q.signal), word_of(q.user));
      write_user_namespace(q.ns);
    }
  }
}

void Canonical::write_kthread(const Kthread& k) {
  put_all(bits(k.made, k.started, k.should_stop, k.should_park), word_of(k.state));
  write_task_index(k.awaited_by);
}

void Canonical::write_attributes(const Attributes& a) {
  put(word_of(a == Attributes{}));
  if (a == Attributes{}) return;
  put_all(word_of(a.comm), word_of(a.policy), word_of(a.reset_on_fork), word_of(a.rt_priority),
          word_of(a.nice), word_of(a.processors), word_of(a.signal_stack), word_of(a.user),
          word_of(a.capabilities), bits(a.powerless, a.fixed, a.no_randomize));
  write_user_namespace(a.user_ns);
}

/// How many namespaces there are follows from who is in which.
void Canonical::write_counts(const NamespaceCounts& counts) {
  for (const NamespaceCount& count : counts) put(word_of(count.most));
}

/// A user namespace, and those that it is in.
void Canonical::write_user_namespace(UserNamespaceId id) {
  if (!id) return put(0);
  const std::size_t known = user_namespaces_.size();
  const std::size_t index = index_in(user_namespaces_, id.n);
  put(index + 1);
  if (index < known) return;
  const UserNamespace& ns = world_->user_namespaces[id];
  put_all(bits(ns.made_by_powerless, ns.mapped), word_of(ns.whom), word_of(ns.tasks_most),
          word_of(ns.signals_most));
  write_counts(ns.counts);
  write_user_namespace(ns.parent);
}

void Canonical::write_tracing(TaskId id) {
  const Tracing& t = world_->tasks[id].trace;
  write_task_index(t.by);
  put(world_->process_of(world_->tasks[id]).stops() ? word_of(t.stopped_by) : 0);
  if (!t.by) return;
  put_all(rank_in(world_->tasks[t.by].tracees, id), word_of(t.trap), word_of(t.code),
          bits(t.seized, t.exitkill, t.trapped, t.of_process, t.may_stop, t.interrupted,
               t.told_to_look));
}

void Canonical::write_process(const Process& p) {
  const ProcessId id = world_->tasks[p.leader].process;
  write_number(p.pgid);
  write_number(p.sid);
  const Number* const group = world_->numbers.find(p.pgid.n);
  put_all(group == nullptr ? 0 : rank_in(group->group, id), rank_in(world_->all_processes, id),
          word_of(p.shared_pending));
  write_task_index(p.signal_target);
  write_task_index(p.execing);
  put_all(bits(p.session_leader, p.group_exit, p.stop_complete, p.continued, p.is_subreaper,
               p.has_subreaper, p.unkillable),
          word_of(p.group_exit_code), p.running_threads, word_of(p.stopping_threads),
          word_of(p.stop_signal), word_of(p.notice));
  write_queue(p.shared_pending);
  write_usage(p.used_by_dead_threads);
  write_usage(p.used_by_children);
  put(p.limits.size());
  for (const auto& [resource, limits] : p.limits)
    put_all(word_of(resource), word_of(limits.soft), word_of(limits.hard));
}

void Canonical::write_call(const Task& t) {
  const Call& c = t.call;
  put(word_of(c.kind));
  if (c.kind == Call::Kind::none) return;
  write_task_index(c.child);
  write_number(c.child_number);
  write_op(c.again);
  put_all(word_of(c.interrupted), word_of(c.handled));
  std::uint64_t before = 0;  // of those that sleep, who fell asleep first?
  for (const std::uint32_t other : tasks_) {
    const Call& call = world_->tasks[{other}].call;
    before += call.kind != Call::Kind::none && call.since < c.since;
  }
  put(before);
  if (c.kind == Call::Kind::held || c.kind == Call::Kind::exec)
    put_all(word_of(c.result.kind), word_of(c.result.error), word_of(c.result.change),
            word_of(c.result.code), word_of(c.result.value)), write_number(c.result.who.pid());
  if (c.kind != Call::Kind::wait && c.kind != Call::Kind::poll) return;
  const Number* const number = world_->numbers.find(c.query.number.n);
  put_all(word_of(c.query.whom), number != nullptr && number->use == c.query.use,
          word_of(c.query.options));
  write_number(c.query.number);
}

void Canonical::write_op(const Op& op) {
  put(op.index());
  std::visit(
      [&](const auto& o) {
        for_each_arg(o, [&]<class V>(const auto&, const V& value) {
          if constexpr (std::is_same_v<V, IdSelector>) put(word_of(value.fd));
          if constexpr (is_selector<V>)
            put(word_of(value.kind));
          else if constexpr (std::is_same_v<V, TidList>)
            for (const std::int32_t number : value.n) put(word_of(number));
          else if constexpr (!std::is_same_v<V, TaskRef>)
            put(word_of(value));
          for_ref_of(value, [&](TaskRef ref) { write_number(ref.pid()); });
        });
      },
      op);
}

void Canonical::write_space(SpaceId id) {
  const std::size_t known = spaces_.size();
  const std::size_t index = index_in(spaces_, id.n);
  put(index);
  if (index < known || !world_->spaces.has(id)) return;
  const AddressSpace& space = world_->spaces[id];
  put(space.pages.size());
  for (const Page& page : space.pages) {
    put_all(word_of(page.no), word_of(page.mapping), bits(page.dontfork, page.wipeonfork));
    if (page.mapping == Mapping::private_) {
      put(word_of(page.value));
      continue;
    }
    put_all(index_in(shared_pages_, page.shared), word_of(world_->shared_pages[page.shared]));
  }
}

/// The descriptors of a task, its umask, directory and root: none of them once it has
/// ended.
void Canonical::write_files(const Task& t) {
  put(word_of(static_cast<bool>(t.files)));
  if (!t.files) return;
  const std::size_t tables = files_.size();
  const std::size_t table = index_in(files_, t.files.n);
  put(table);
  if (table == tables) {
    const Files& files = world_->files[t.files];
    std::uint64_t open = 0;
    for (std::size_t fd = 0; fd < files.open.size(); ++fd)
      if (files.open[fd]) open |= std::uint64_t{1} << fd;
    put_all(open, word_of(files.cloexec));
    for (const OpenFileId file : files.open)
      if (file) write_open_file(file);
  }
  const FsInfo& fs = world_->fs[t.fs];
  put_all(index_in(fs_, t.fs.n), word_of(fs.umask), word_of(fs.directory));
  put(fs.root == 0 ? 0 : index_in(others_, static_cast<std::uint32_t>(fs.root)) + 1);
}

/// An open file that was met before is as it was then.
void Canonical::write_open_file(OpenFileId id) {
  const std::size_t known = open_files_.size();
  const std::size_t index = index_in(open_files_, id.n);
  const OpenFile& file = world_->open_files[id];
  put_all(index, word_of(file.offset));
  if (index < known) return;
  write_user_namespace(file.opened_in);
  if (!file.is_pidfd()) return;
  const bool there = static_cast<bool>(world_->target_of(file));
  put_all(word_of(file.flags), there);
  if (there) write_number(file.target);
  write_namespace(file.ns, {});
}

/// A pid namespace, and which of its numbers something has.
void Canonical::write_namespace(NamespaceId id, Pid number) {
  if (!id) return put(0);
  const std::size_t known = namespaces_.size();
  const std::size_t index = index_in(namespaces_, id.n);
  const Namespace& ns = world_->namespaces[id];
  const auto at = ns.numbers.find(world_->seen_in(id, number).n);
  const auto rank = static_cast<std::uint64_t>(std::distance(ns.numbers.begin(), at));
  put_all(index + 1, fold_.numbers || at == ns.numbers.end() ? rank : word_of(at->first));
  if (index < known) return;
  put_all(bits(ns.accepts, ns.began), word_of(ns.reboot), word_of(ns.pid_max), ns.numbers.size());
  if (!fold_.numbers) put(word_of(ns.cursor));
  write_task_index(ns.reaper);
  for (const auto& [inner, pid] : ns.numbers) write_number(pid);
  write_user_namespace(ns.owner);
  write_namespace(ns.parent, {});
}

/// The namespaces of the other kinds that a task is in.
void Canonical::write_proxy(NsProxyId id) {
  put(word_of(static_cast<bool>(id)));
  if (!id) return;
  const NsProxy& proxy = world_->proxies[id];
  const Place others[] = {proxy.mnt,    proxy.ipc,  proxy.net,
                          proxy.cgroup, proxy.time, proxy.children_time};
  for (const Place other : others) {
    put(other == 0 ? 0 : index_in(others_, static_cast<std::uint32_t>(other)) + 1);
    write_user_namespace(world_->owner_of(other));
  }
  put(word_of(static_cast<bool>(proxy.uts)));
  if (!proxy.uts) return;
  put_all(index_in(uts_, proxy.uts.n), word_of(world_->uts[proxy.uts].host));
  write_user_namespace(world_->uts[proxy.uts].owner);
}

/// How many came to the task's control group before it.
std::uint64_t Canonical::rank_in_cgroup(const Task& t) const {
  std::uint64_t before = 0;
  for (const std::uint32_t other : tasks_) {
    const Task& o = world_->tasks[{other}];
    before += o.cgroup == t.cgroup && o.cgroup_place < t.cgroup_place;
  }
  return before;
}

/// A control group with those that it lies in, when it is first met.
void Canonical::write_cgroup(CgroupId id) {
  if (!id) return put(0);
  const std::size_t known = cgroups_.size();
  const std::size_t index = index_in(cgroups_, id.n);
  put(index + 1);
  if (index < known) return;
  const Cgroup& group = world_->cgroups[id];
  put_all(bits(group.removed, group.frozen), group.removed ? 0 : word_of(group.number),
          word_of(group.limit));
  write_cgroup(group.parent);
}

/// Those that nobody is in count as well: they can be moved into.
void Canonical::write_cgroups() {
  put(word_of(world_->limit));
  std::vector<std::pair<Place, CgroupId>> groups;  // as they were made
  world_->cgroups.for_each([&](CgroupId id, const Cgroup& group) {
    if (!group.removed) groups.emplace_back(group.made, id);
  });
  std::ranges::sort(groups, {}, &std::pair<Place, CgroupId>::first);
  for (const auto& [made, id] : groups) write_cgroup(id);
}

void Canonical::write_handlers(HandlersId id) {
  const std::size_t known = handlers_.size();
  const std::size_t index = index_in(handlers_, id.n);
  put(index);
  if (index < known || !world_->handlers.has(id)) return;
  const Handlers& h = world_->handlers[id];
  put_all(word_of(h.ignored), word_of(h.caught), word_of(h.restart),
          bits(h.nocldwait, h.nocldstop));
}

}  // namespace forkproof::spec
