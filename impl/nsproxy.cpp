/// Who is in which namespaces, but for those of pids; setns, the host's name, reboot.
///
/// Sources: kernel/nsproxy.c copy_namespaces(), create_new_namespaces(), validate_nsset(),
/// switch_task_namespaces(); kernel/time/namespace.c timens_install(), timens_on_fork();
/// kernel/utsname.c; kernel/pid_namespace.c reboot_pid_ns().
#include <utility>

#include "impl/machine.hpp"

namespace forkproof::impl {
namespace {

struct KindOfFlag {
  CloneFlags flag;
  std::size_t place;
  NsKind kind;
};
constexpr KindOfFlag kKinds[] = {{clone_flag::newns, ns_kind::mnt, NsKind::mnt},
                                 {clone_flag::newuts, ns_kind::uts, NsKind::uts},
                                 {clone_flag::newipc, ns_kind::ipc, NsKind::ipc},
                                 {clone_flag::newcgroup, ns_kind::cgroup, NsKind::cgroup},
                                 {clone_flag::newnet, ns_kind::net, NsKind::net}};

/// Sent by it, a signal comes from outside of every namespace.
const Task kMachine{};

}  // namespace

// --- records -------------------------------------------------------------------------------------

Index Machine::proxy_index(const Task& t) const {
  return process_of(t).proxied() ? proxied_.find(id(t)) : kNobody;
}

std::array<Index, kNsKinds> Machine::namespaces_of(const Task& t) const {
  const Index i = proxy_index(t);
  return i == kNobody ? std::array<Index, kNsKinds>{} : proxies_[i].of;
}

/// Who makes their user namespace as well owns that, and has used it by this.
bool Machine::may_make_namespaces(Task& t, CloneFlags flags, Index owner) {
  if (!flags.any(clone_flag::new_any)) return true;
  if (!flags.has(clone_flag::newuser)) return ns_capable(t, owner, capability::sys_admin);
  use_capabilities(t);
  return true;
}

/// A record of the task's namespaces, but for a new one of each kind in `flags`; nothing if there
/// is no memory for it, or for one of them: those that were made go with a record of them.
std::optional<Index> Machine::new_namespaces(const Task& t, CloneFlags flags, Index owner,
                                             CopyStep step) {
  if (faults_.strike(step)) return std::nullopt;
  auto of = namespaces_of(t);
  bool failed = false;
  const auto fresh = [&](std::size_t place, NsKind kind, std::int32_t host) {
    failed = failed || faults_.strike(step);
    if (failed) return;
    of[place] = ns_.take();
    ns_[of[place]] = {.host = host, .kind = kind, .owner = owner};
    get_user_ns(owner);
    inc_ucount(owner, kind);
  };
  for (const auto& [flag, place, kind] : kKinds) {
    if (!flags.has(flag)) continue;
    const bool named = place == ns_kind::uts && of[place] != kNobody;
    fresh(place, kind, place != ns_kind::uts ? 0 : named ? ns_[of[place]].host : host_);
  }
  if (flags.has(clone_flag::newtime)) fresh(ns_kind::time_for_children, NsKind::time, 0);
  if (step == CopyStep::copy_namespaces && !flags.has(clone_flag::vm))
    of[ns_kind::time] = of[ns_kind::time_for_children];
  const Index record = new_proxy(of);
  if (!failed) return record;
  put_proxy(record);
  return std::nullopt;
}

/// A record of one user; none if all are the world's own.
Index Machine::new_proxy(const std::array<Index, kNsKinds>& of) {
  if (of == std::array<Index, kNsKinds>{}) return kNobody;
  const Index i = proxies_.take();
  proxies_[i] = {.of = of, .users = 1};
  for (const Index ns : of) get_place(ns);
  return i;
}

void Machine::put_proxy(Index i) {
  if (i == kNobody || --proxies_[i].users > 0) return;
  for (const Index ns : proxies_[i].of) put_place(ns);
  proxies_.give_back(i);
}

Index Machine::mounts_of(const Task& t) const { return namespaces_of(t)[ns_kind::mnt]; }

/// A root that was in the mounts of which there is a copy now is in that.
void Machine::follow_mounts(const Task& t, Index before, Index now) {
  if (t.fs != kNobody && fs_[t.fs].root == before) set_root(fs_[t.fs], now);
}

void Machine::switch_task_namespaces(Task& t, Index to) {
  const Index before = proxy_index(t);
  if (to != kNobody) process_of(t).ns |= Process::kProxied;
  if (to != before) proxied_.set(id(t), to);
  put_proxy(before);
}

/// The record of a child: its maker's, unless it is to be elsewhere.
bool Machine::child_is_elsewhere(const Task& maker, CloneFlags flags) const {
  if (flags.any(clone_flag::new_proxy | clone_flag::newtime)) return true;
  const auto of = namespaces_of(maker);
  return !flags.has(clone_flag::vm) && of[ns_kind::time] != of[ns_kind::time_for_children];
}

std::optional<Index> Machine::proxy_of_child(const Task& maker, CloneFlags flags, Index owner) {
  if (child_is_elsewhere(maker, flags))
    return new_namespaces(maker, flags, owner, CopyStep::copy_namespaces);
  const Index makers = proxy_index(maker);
  if (makers != kNobody) ++proxies_[makers].users;
  return makers;
}

/// An exec has no memory that somebody keeps the time for.
void Machine::exec_task_namespaces(Task& t) {
  auto of = namespaces_of(t);
  if (of[ns_kind::time] == of[ns_kind::time_for_children]) return;
  of[ns_kind::time] = of[ns_kind::time_for_children];
  switch_task_namespaces(t, new_proxy(of));
}

// --- setns ---------------------------------------------------------------------------------------

CloneFlags Machine::known_namespaces() const {
  const CloneFlags time = profile_ == Profile::linux_6 ? clone_flag::newtime : CloneFlags{};
  return clone_flag::new_proxy | clone_flag::newpid | clone_flag::newuser | time;
}

/// What speaks against the kinds that are asked for, whoever is meant.
bool Machine::are_kinds(CloneFlags flags) const {
  return flags.bits != 0 && (flags - known_namespaces()).bits == 0;
}

/// A task that has begun to exit is in nothing any more, but files show its pid namespace, and that
/// of its users.
bool Machine::has_left_namespaces(const Task& t, bool by_file, CloneFlags flags) const {
  const bool exiting = (t.flags & task_flag::exiting.bits) != 0;
  return exiting && !(by_file && !flags.any(clone_flag::new_proxy | clone_flag::newtime));
}

bool Machine::is_alone_in_memory(const Task& t) const {
  const Process& p = process_of(t);
  return p.live <= 1 && (p.space == kNobody || !memory_[p.space].borrowers.several(processes_));
}

Errno Machine::may_set_namespaces(Task& t, const Task* to, const Setns& op) {
  const bool by_file = profile_ == Profile::linux_4_12;
  const Errno nobody = by_file ? Errno::noent : Errno::srch;
  if (!by_file && op.task.n < 1) return Errno::inval;
  if (to == nullptr) return nobody;
  if (!are_kinds(op.flags)) return Errno::inval;
  if (by_file && std::popcount(op.flags.bits) > 1) return Errno::inval;
  if (!ptrace_may_access(t, *to, !by_file, !by_file)) return by_file ? Errno::acces : Errno::perm;
  if (has_left_namespaces(*to, by_file, op.flags)) return nobody;
  return validate_nsset(t, *to, op.flags);
}

/// That of users is looked at first: all others find the task there.
Errno Machine::validate_nsset(Task& t, const Task& to, CloneFlags flags) {
  namespace fl = clone_flag;
  const bool shares_fs = t.fs != kNobody && fs_[t.fs].users > 1;
  const Index own = attributes_of(t).user_ns, theirs = attributes_of(to).user_ns;
  if (flags.has(fl::newuser) && (own == theirs || process_of(t).thread_count > 1 || shares_fs))
    return Errno::inval;
  if (flags.has(fl::newuser)) ns_capable(t, theirs, capability::sys_admin);  // it owns it
  const Index home = flags.has(fl::newuser) ? theirs : own;
  const auto both = [&](Index first, Index second) {
    return ns_capable(t, first, capability::sys_admin) &&
           ns_capable(t, second, capability::sys_admin);
  };
  const auto may = [&](Index owner) { return both(owner, home); };
  const auto of = namespaces_of(to);
  for (const auto& [flag, place, kind] : kKinds) {
    const bool first_home = kind == NsKind::cgroup;  // cgroupns_install
    if (first_home && flags.has(fl::newpid) && !may(owner_of_pid_ns(process_of(to).pid_ns())))
      return Errno::perm;
    const Index owner = owner_of_ns(of[place]);
    if (flags.has(flag) && !(first_home ? both(home, owner) : may(owner))) return Errno::perm;
  }
  if (flags == fl::newns && shares_fs) return Errno::inval;
  if (!flags.has(fl::newtime)) return Errno::ok;
  if (!is_alone_in_memory(t)) return Errno::users;
  return may(owner_of_ns(of[ns_kind::time])) ? Errno::ok : Errno::perm;
}

Outcome Machine::perform(Task& t, const Setns& op) {
  const Task* const to = find_for(t, op.task.pid());
  const Errno refused = may_set_namespaces(t, to, op);
  if (refused != Errno::ok) return Outcome::failure(refused);
  if (faults_.strike(CopyStep::prepare_nsset)) return Outcome::failure(Errno::nomem);
  const auto theirs = namespaces_of(*to);
  auto of = namespaces_of(t);
  for (const auto& [flag, place, kind] : kKinds)
    if (op.flags.has(flag)) of[place] = theirs[place];
  if (op.flags.has(clone_flag::newtime))
    of[ns_kind::time] = of[ns_kind::time_for_children] = theirs[ns_kind::time];
  if (op.flags.any(clone_flag::new_proxy | clone_flag::newtime))
    switch_task_namespaces(t, new_proxy(of));
  if (op.flags.has(clone_flag::newns) && t.fs != kNobody) {
    fs_[t.fs].directory = 0;
    set_root(fs_[t.fs], theirs[ns_kind::mnt]);
  }
  if (op.flags.has(clone_flag::newpid)) divert_to(t, process_of(*to).pid_ns());
  if (op.flags.has(clone_flag::newuser)) set_cred_user_ns(t, attributes_of(*to).user_ns);
  return Outcome::success();
}

// --- what can be seen of them --------------------------------------------------------------------

Outcome Machine::perform(Task& t, const SameNs& op) {
  if (!are_kinds(op.flags)) return Outcome::failure(Errno::inval);
  const Task* const other = find_for(t, op.task.pid());
  if (other == nullptr || has_left_namespaces(*other, true, op.flags))
    return Outcome::failure(Errno::noent);
  const auto mine = namespaces_of(t), theirs = namespaces_of(*other);
  bool same = true;
  for (const auto& [flag, place, kind] : kKinds)
    if (op.flags.has(flag)) same = same && mine[place] == theirs[place];
  if (op.flags.has(clone_flag::newtime))
    same = same && mine[ns_kind::time] == theirs[ns_kind::time];
  if (op.flags.has(clone_flag::newpid))
    same = same && process_of(t).pid_ns() == process_of(*other).pid_ns();
  if (op.flags.has(clone_flag::newuser))
    same = same && attributes_of(t).user_ns == attributes_of(*other).user_ns;
  return Outcome::number(same);
}

std::int32_t& Machine::host_of(const Task& t) {
  const Index uts = namespaces_of(t)[ns_kind::uts];
  return uts == kNobody ? host_ : ns_[uts].host;
}

Outcome Machine::perform(Task& t, const Sethostname& op) {
  const Index owner = owner_of_ns(namespaces_of(t)[ns_kind::uts]);
  if (!ns_capable(t, owner, capability::sys_admin)) return Outcome::failure(Errno::perm);
  host_of(t) = op.host;
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Gethostname&) { return Outcome::number(host_of(t)); }

// --- reboot --------------------------------------------------------------------------------------

/// The init is killed as from outside, and then the caller exits.
Outcome Machine::perform(Task& t, const Reboot& op) {
  std::uint8_t signal = 0;
  const Index ns = process_of(t).pid_ns();
  if (!ns_capable(t, owner_of_pid_ns(ns))) return Outcome::failure(Errno::perm);
  switch (op.command) {
    case RebootCommand::restart:
    case RebootCommand::restart2: signal = 1; break;
    case RebootCommand::halt:
    case RebootCommand::power_off: signal = 2; break;
    case RebootCommand::cad_on:
    case RebootCommand::sw_suspend: return Outcome::failure(Errno::inval);
  }
  const Index reaper = ns == kNobody ? reaper_ : namespaces_[ns].reaper;
  (ns == kNobody ? reboot_ : namespaces_[ns].reboot) = signal;
  send(sig::kill, tasks_[reaper], Scope::thread, &kMachine, Origin::forced);
  // What it was sent it does not live to see.
  flush_queue(t.pending, SignalQueues::of_task(id(t)), SigSet::of(sig::kill));
  dequeue(t);
  do_exit(t, 0);
  return Outcome::death({signal});
}

// --- soundness -----------------------------------------------------------------------------------

/// Records and namespaces count their users, and who has ended has none.
bool Machine::sound_proxies() const {
  std::vector<std::uint32_t> tasks(proxies_.end()), places(ns_.end());
  bool good = true;
  proxied_.for_each([&](std::uint64_t task, Index proxy) {
    const Task& t = tasks_[static_cast<Index>(task)];
    good = good && process_of(t).proxied() && (t.flags & task_flag::exiting.bits) == 0;
    if (tasks[proxy]++ != 0) return;
    for (const Index ns : proxies_[proxy].of)
      if (ns != kNobody) ++places[ns];
  });
  std::vector<bool> seen(fs_.end());
  for (Index p = all_.first; p != kNobody; p = all_.after(processes_, p)) {
    const Ring<Threads>& threads = processes_[p].threads;
    for (Index t = threads.first; t != kNobody; t = threads.after(tasks_, t)) {
      const Index fs = tasks_[t].fs;
      if (fs == kNobody || seen[fs]) continue;
      seen[fs] = true;
      if (fs_[fs].root != kNobody) ++places[fs_[fs].root];
    }
  }
  std::size_t records = 0, namespaces = 0;
  for (Index i = 1; i < tasks.size(); ++i) {
    if (tasks[i] == 0) continue;
    ++records;
    good = good && proxies_[i].users == tasks[i];
  }
  for (Index i = 1; i < places.size(); ++i) {
    if (places[i] == 0) continue;
    ++namespaces;
    good = good && ns_[i].users == places[i];
  }
  return good && records == proxies_.taken() && namespaces == ns_.taken() && proxies_.sound() &&
         ns_.sound();
}

}  // namespace forkproof::impl
