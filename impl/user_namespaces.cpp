/// User namespaces: how they come and go, their maps, and who is strong enough for what.
///
/// Sources: kernel/user_namespace.c create_user_ns(), userns_install(), map_write(),
/// new_idmap_permitted(); security/commoncap.c cap_capable(), cap_safe_nice(); kernel/ptrace.c
/// __ptrace_may_access(); kernel/sched/syscalls.c user_check_sched_setscheduler().
#include <vector>

#include "impl/machine.hpp"

namespace forkproof::impl {

// --- records -------------------------------------------------------------------------------------

/// Gives the task attributes: its own record if they are not the usual ones.
void Users::set_attributes(Task& t, const Attributes& to) {
  if (to == kUsual) return leave_attributes(t);
  get_user_ns(to.user_ns);
  const bool alone = t.attributes != kNobody && attributes_[t.attributes].users == 1;
  if (alone) {
    put_user_ns(attributes_[t.attributes].value.user_ns);
  } else {
    leave_attributes(t);
    t.attributes = attributes_.take();
  }
  attributes_[t.attributes] = {.value = to, .users = 1};
}

void Users::leave_attributes(Task& t) {
  const Index record = std::exchange(t.attributes, kNobody);
  if (record == kNobody || --attributes_[record].users > 0) return;
  put_user_ns(attributes_[record].value.user_ns);
  attributes_.give_back(record);
}

/// One user less. A namespace that has none goes, perhaps with those that it is in.
void Users::put_user_ns(Index ns) {
  while (ns != kNobody && --user_ns_[ns].users == 0) {
    const Index parent = user_ns_[ns].parent;
    dec_ucount(parent, NsKind::user);
    user_ns_.give_back(ns);
    ns = parent;
  }
}

void Users::put_ns(Index ns) {
  if (ns != kNobody && --ns_[ns].users == 0) ns_.give_back(ns);
}

void Users::get_place(Index ns) {
  if (ns == kNobody) return;
  ++ns_[ns].users;
  ++ns_[ns].places;
}

/// The namespace ends with the last record that it is in.
void Users::put_place(Index ns) {
  if (ns == kNobody) return;
  if (--ns_[ns].places == 0) {
    dec_ucount(ns_[ns].owner, ns_[ns].kind);
    put_user_ns(std::exchange(ns_[ns].owner, kNobody));
  }
  put_ns(ns);
}

/// A file has the credentials of who opens it.
Index Users::alloc_file(const Task& t) {
  const Index file = open_files_.take();
  open_files_[file] = {.user_ns = attributes_of(t).user_ns};
  get_user_ns(open_files_[file].user_ns);
  return file;
}

void Users::free_file(Index file) {
  put_user_ns(open_files_[file].user_ns);
  open_files_.give_back(file);
}

void Users::set_root(FsInfo& fs, Index mounts) {
  if (mounts != kNobody) ++ns_[mounts].users;
  put_ns(std::exchange(fs.root, mounts));
}

bool Users::has_ns_capability(const Task& t, Index ns, Capabilities what) const {
  const Attributes& a = attributes_of(t);
  if (ns == a.user_ns) return !a.powerless && a.can(what);
  return in_userns(ns, a.user_ns);
}

bool Users::ns_capable(Task& t, Index ns, Capabilities what) {
  const bool may = has_ns_capability(t, ns, what);
  if (may) use_capabilities(t);
  return may;
}

/// `mounts` is the task's namespace of them.
Errno Users::may_make_user_ns(const Task& t, Index mounts) const {
  const Index own = attributes_of(t).user_ns;
  if (own != kNobody && user_ns_[own].level >= kUserNamespaceDepth) return Errno::nospc;
  if (!has_room_for(own, NsKind::user)) return Errno::nospc;
  if (t.fs != kNobody && fs_[t.fs].root != mounts) return Errno::perm;
  return is_mapped(own, User::root) ? Errno::ok : Errno::perm;
}

/// A namespace of one user, which is who asked. The machine's root is not limited.
Index Users::create_user_ns(const Task& maker, const LimitTable& limits) {
  const Attributes& a = attributes_of(maker);
  const bool unlimited = a.user_ns == kNobody && a.user == User::root;
  const Index ns = user_ns_.take();
  user_ns_[ns] = {.parent = a.user_ns,
                  .level = a.user_ns == kNobody ? 1 : user_ns_[a.user_ns].level + 1,
                  .users = 1,
                  .maps_root = !a.powerless,
                  .most = unlimited ? kUnlimited : limits[Resource::nproc].soft,
                  .most_signals = limits[Resource::sigpending].soft};
  get_user_ns(a.user_ns);
  inc_ucount(a.user_ns, NsKind::user);
  return ns;
}

// --- who is strong enough ------------------------------------------------------------------------

/// `marks`: that it is another user's is what the task asks, and does not look up.
bool Users::ptrace_may_access(Task& t, const Task& other, bool by_real, bool marks) {
  const Attributes &a = attributes_of(t), &b = attributes_of(other);
  if (t.process == other.process) return true;
  const bool differs = b.user != User::root || (by_real && a.user != User::root);
  if (differs && !(marks ? ns_capable(t, b.user_ns) : has_ns_capability(t, b.user_ns)))
    return false;
  const bool as_much = !a.powerless && (by_real || a.can(capability::all));
  if (a.user_ns == b.user_ns && (b.powerless || as_much)) return true;
  return ns_capable(t, b.user_ns);
}

/// Whether all that the other may in its user namespace the task may there, too.
bool Users::has_caps_of(const Task& t, const Task& other) const {
  const Attributes& b = attributes_of(other);
  return has_ns_capability(t, b.user_ns) ||
         (b.powerless && attributes_of(t).user_ns == b.user_ns);
}

/// Whether the other has permitted capabilities that the task has not, nor any power over it.
bool Users::is_weaker(Task& t, const Task& who) {
  const Attributes &a = attributes_of(t), &b = attributes_of(who);
  return a.powerless && !b.powerless && !ns_capable(t, b.user_ns);
}

bool Users::may_nice(Task& t, const Task& who, std::int32_t nice, const LimitTable& theirs) {
  const auto as_limit = static_cast<std::uint64_t>(kNiceMax + 1 - nice);
  if (nice >= attributes_of(who).nice || as_limit <= theirs[Resource::nice].soft.n) return true;
  return ns_capable(t, kNobody);
}

/// Today the capability is asked for only where limits do not do.
bool Users::may_have_policy(Task& t, const Task& who, const SchedSetscheduler& op,
                            const LimitTable& theirs, bool asks_first) {
  if (asks_first && ns_capable(t, kNobody)) return true;
  const Attributes& a = attributes_of(who);
  const std::uint64_t most = theirs[Resource::rtprio].soft.n;
  bool free = !a.reset_on_fork || op.flags.has(sched_flag::reset_on_fork);
  if (is_real_time(op.policy)) {
    if (most == 0 && op.policy != a.policy) free = false;
    if (op.priority > a.rt_priority && static_cast<std::uint64_t>(op.priority) > most) free = false;
  }
  const auto as_limit = static_cast<std::uint64_t>(kNiceMax + 1 - a.nice);
  if (a.policy == Policy::idle && op.policy != Policy::idle &&
      as_limit > theirs[Resource::nice].soft.n)
    free = false;
  return free || ns_capable(t, kNobody);
}

/// To map root is, where `asks_for_fcap`, for who had capabilities.
Errno Users::may_map(Task& t, Index ns, IdMap whom, bool asks_for_fcap) {
  const Attributes& a = attributes_of(t);
  if (ns == kNobody) return Errno::perm;
  const UserNamespace& maps = user_ns_[ns];
  const bool inside = a.user_ns == ns;
  if (!inside && a.user_ns != maps.parent) return Errno::perm;
  if (maps.mapped || !has_ns_capability(t, ns, capability::sys_admin)) return Errno::perm;
  const bool had_fcap = inside ? maps.maps_root : !a.powerless;
  if (asks_for_fcap && !had_fcap) return Errno::perm;
  if (whom == IdMap::root) return Errno::ok;
  const bool known = is_mapped(maps.parent, User::alice) && is_mapped(maps.parent, User::bob);
  return ns_capable(t, maps.parent) && known ? Errno::ok : Errno::perm;
}

// --- ops -----------------------------------------------------------------------------------------

Outcome Machine::perform(Task& t, const MapIds& op) {
  const Task* const whose = find_for(t, op.task.pid());
  if (whose == nullptr) return Outcome::failure(Errno::noent);
  const Index ns = attributes_of(*whose).user_ns;
  const Errno refused = may_map(t, ns, op.whom, profile_ == Profile::linux_6);
  if (refused != Errno::ok) return Outcome::failure(refused);
  ns_capable(t, ns, capability::sys_admin);  // proc_setgroups_open
  user_ns_[ns].mapped = true;
  user_ns_[ns].whom = op.whom;
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Getuid&) {
  const Attributes& a = attributes_of(t);
  const auto number = static_cast<std::int64_t>(a.user);
  return Outcome::number(is_mapped(a.user_ns, a.user) ? number : kOverflowUser);
}

/// Gives the task all capabilities in a user namespace, for which it is counted from now on.
void Machine::set_cred_user_ns(Task& t, Index ns) {
  Attributes a = attributes_of(t);
  count_user(a, false);
  a.enter(ns);
  set_attributes(t, a);
  count_user(a, true);
  touch(t);
}

// --- soundness -----------------------------------------------------------------------------------

/// Every namespace has users, which it counts, and knows its tasks.
bool Users::sound_user_ns(bool counts_below) const {
  std::vector<UserNamespace> counted(user_ns_.end());
  for (Index i = all_.first; i != kNobody; i = all_.after(processes_, i)) {
    const Ring<Threads>& threads = processes_[i].threads;
    for (Index n = threads.first; n != kNobody; n = threads.after(tasks_, n)) {
      const Attributes& a = attributes_of(tasks_[n]);
      if (a.user_ns == kNobody || !counts_below) continue;
      ++counted[a.user_ns].tasks[static_cast<std::size_t>(a.user)];
      for (Index up = user_ns_[a.user_ns].parent; up != kNobody; up = user_ns_[up].parent)
        ++counted[up].tasks[0];
    }
  }
  const auto count = [&](Index ns) {
    if (ns != kNobody) ++counted[ns].users;
  };
  for (Index i = 1; i < attributes_.end(); ++i)
    if (attributes_[i].users != 0) count(attributes_[i].value.user_ns);
  for (Index i = 1; i < ns_.end(); ++i)
    if (ns_[i].places != 0) count(ns_[i].owner);
  for (Index i = 1; i < open_files_.end(); ++i)
    if (open_files_[i].users != 0) count(open_files_[i].user_ns);
  for (Index i = 1; i < namespaces_.end(); ++i)
    if (namespaces_[i].count != 0 || namespaces_[i].users != 0) count(namespaces_[i].owner);
  for (Index i = 1; i < user_ns_.end(); ++i)
    if (user_ns_[i].users != 0) count(user_ns_[i].parent);
  std::size_t living = 0;
  bool good = true;
  for (Index i = 1; i < user_ns_.end(); ++i) {
    living += user_ns_[i].users != 0;
    good = good && user_ns_[i].users == counted[i].users &&
           (user_ns_[i].users == 0 || user_ns_[i].tasks == counted[i].tasks);
  }
  return good && living == user_ns_.taken() && user_ns_.sound() && sound_ucounts();
}

}  // namespace forkproof::impl
