/// Pid namespaces: their numbers, who makes tasks in them, and the end of an init.
///
/// Sources: kernel/pid_namespace.c copy_pid_ns(), zap_pid_ns_processes(); kernel/pid.c alloc_pid(),
/// free_pid(), pid_nr_ns().
#include <limits>

#include "impl/bits/clone_flags.hpp"
#include "impl/bits/pid_search.hpp"
#include "impl/machine.hpp"

namespace forkproof::impl {

// --- numbers -------------------------------------------------------------------------------------

/// What the namespace calls that which is `n` in the world; 0 if it is not in there.
std::int32_t Records::number_in(Index ns, std::int32_t n) const {
  if (ns == kNobody || n <= 0) return n;
  return static_cast<std::int32_t>(namespaces_[ns].inside.find(static_cast<std::uint64_t>(n)));
}

/// What is `n` in a namespace, in the world: a number that nobody has if nothing is.
std::int32_t Records::number_outside(Index ns, std::int32_t n) const {
  if (ns == kNobody || n <= 0) return n;
  const auto found = namespaces_[ns].outside.find(static_cast<std::uint64_t>(n));
  return found == 0 ? kNeverAPid.n : static_cast<std::int32_t>(found);
}

/// Why a namespace does not give the number that is asked for.
Errno Machine::refuses_number(Task& maker, Index ns, std::int32_t n) {
  const bool own = ns != kNobody;
  const bool own_limit = own && profile_ == Profile::linux_6;
  const bool began = !own || namespaces_[ns].began;
  if (n < 1 || n >= (own_limit ? namespaces_[ns].pid_max : pid_max_)) return Errno::inval;
  if (n != kInit.n && !began) return Errno::inval;
  if (!ns_capable(maker, owner_of_pid_ns(ns))) return Errno::perm;
  const PidBitmap& numbers = own ? namespaces_[ns].taken : taken_;
  return numbers.taken(static_cast<std::uint64_t>(n)) ? Errno::exist : Errno::ok;
}

/// Before 6.14 the limit is the machine's, whoever sets it.
Outcome Machine::perform(Task& t, const NsPidMax& op) {
  const Index ns = process_of(t).pid_ns(), owner = owner_of_pid_ns(ns);
  const bool own_limit = profile_ == Profile::linux_6;
  const bool may = own_limit && ns_capable(t, owner, capability::sys_admin);
  if (own_limit && !may && !is_mapped(owner, User::root)) return Outcome::failure(Errno::acces);
  if (ns == kNobody || !own_limit) return perform(SetPidMax{{}, op.value});
  if (op.value < kPidMaxMin || op.value > kPidMaxLimit) return Outcome::failure(Errno::inval);
  namespaces_[ns].pid_max = op.value;
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const NsPidCursor& op) {
  const bool old = profile_ == Profile::linux_4_12;
  const Index ns = process_of(t).pid_ns();
  if (!ns_capable(t, owner_of_pid_ns(ns), old ? capability::sys_admin : Capabilities{}))
    return Outcome::failure(Errno::perm);
  if (ns == kNobody) return perform(SetPidCursor{{}, op.value});
  if (op.value < 1 || op.value > (old ? pid_max_ : namespaces_[ns].pid_max) + 1)
    return Outcome::failure(Errno::inval);
  namespaces_[ns].cursor = op.value;
  return Outcome::success();
}

/// A number in each namespace from `ns` outwards: those that are wanted, then what a search finds.
/// Where one is full those inside it stay passed.
std::uint64_t Machine::alloc_inner(Task& maker, Index ns,
                                   std::span<const std::int32_t> wanted,
                                   std::vector<std::int32_t>& numbers) {
  numbers.clear();
  for (Index i = ns; i != kNobody; i = namespaces_[i].parent) {
    Namespace& at = namespaces_[i];
    const auto cursor = static_cast<std::uint64_t>(at.cursor);
    const std::uint64_t no_room = static_cast<std::uint64_t>(Errno::nomem);
    const bool own_limit = profile_ == Profile::linux_6;
    const auto pid_max = static_cast<std::uint64_t>(own_limit ? at.pid_max : pid_max_);
    if (numbers.size() < wanted.size()) {
      const std::int32_t n = wanted[numbers.size()];
      const Errno refused = refuses_number(maker, i, n);
      if (refused != Errno::ok) return static_cast<std::uint64_t>(refused);
      if (faults_.strike(CopyStep::alloc_pid)) return no_room;
      numbers.push_back(n);
      continue;
    }
    const auto first_free = [&](std::uint64_t from) { return at.taken.first_free(from); };
    const std::uint64_t n = own_limit ? bits::idr_search(cursor, pid_max, first_free)
                                      : bits::bitmap_search(cursor, pid_max, first_free);
    if (bits::passes(n, pid_max)) return static_cast<std::uint64_t>(Errno::again);
    if (faults_.strike(CopyStep::alloc_pid)) return no_room;
    numbers.push_back(static_cast<std::int32_t>(n));
    at.cursor = numbers.back() + 1;
  }
  return bits::kGoesOn;
}

void Machine::take_inner(Index ns, std::int32_t n, std::span<const std::int32_t> numbers) {
  innermost_.set(static_cast<std::uint64_t>(n), ns);
  for (const std::int32_t inner : numbers) {
    Namespace& at = namespaces_[ns];
    at.taken.take(static_cast<std::size_t>(inner));
    at.outside.set(static_cast<std::uint64_t>(inner), static_cast<std::uint32_t>(n));
    at.inside.set(static_cast<std::uint64_t>(n), static_cast<std::uint32_t>(inner));
    ++at.count;
    ns = at.parent;
  }
}

/// The number is free in the world, and so in all namespaces that it is in, the outermost first.
void Machine::free_inner(std::int32_t n) {
  const auto at = static_cast<std::uint64_t>(n);
  const Index innermost = innermost_.find(at);
  if (innermost == kNobody) return;
  innermost_.set(at, kNobody);
  for (std::int32_t level = 1; level <= namespaces_[innermost].level; ++level) {
    Index i = innermost;
    while (namespaces_[i].level > level) i = namespaces_[i].parent;
    Namespace& ns = namespaces_[i];
    const std::uint32_t inner = ns.inside.find(at);
    ns.inside.set(at, 0);
    ns.outside.set(inner, 0);
    ns.taken.give_back(inner);
    --ns.count;
    if (ns.accepts || ns.count == 0 || ns.count > 2 || ns.reaper == kNobody) continue;
    Task& reaper = tasks_[ns.reaper];
    if (reaper.call == Call::reap || reaper.call == Call::outlive)
      wake(reaper, bits::kInterruptible);
  }
  put_namespace(innermost);
}

// --- making and leaving --------------------------------------------------------------------------

/// Where the children of a task will be.
Index Machine::children_in(const Task& t) const {
  const Process& p = process_of(t);
  const Index other = p.diverts() ? diverted_.find(id(t)) : kNobody;
  return other == kNobody ? p.pid_ns() : other;
}

/// Whether a namespace can be made below that of the task.
Errno Machine::may_make_namespace(const Task& t, Index owner) const {
  const Index own = process_of(t).pid_ns();
  if (children_in(t) != own) return Errno::inval;
  const bool inward = in_userns(owner, owner_of_pid_ns(own));
  if (profile_ == Profile::linux_6 && !inward) return Errno::inval;
  return level_of(own) == kNamespaceDepth ? Errno::nospc : Errno::ok;
}

Index Machine::make_namespace(Index parent, Index owner) {
  const Index ns = namespaces_.take();
  ++living_namespaces_;
  namespaces_[ns] = {};
  namespaces_[ns].parent = parent;
  namespaces_[ns].owner = owner;
  get_user_ns(owner);
  inc_ucount(owner, NsKind::pid);
  namespaces_[ns].level = level_of(parent) + 1;
  if (parent != kNobody) ++namespaces_[parent].users;
  return ns;
}

/// A namespace that nobody is in, or will be, goes; perhaps with those that it is in.
void Machine::put_namespace(Index ns) {
  while (ns != kNobody && namespaces_[ns].count == 0 && namespaces_[ns].users == 0) {
    const Index parent = namespaces_[ns].parent;
    dec_ucount(namespaces_[ns].owner, NsKind::pid);
    put_user_ns(namespaces_[ns].owner);
    namespaces_.give_back(ns);
    --living_namespaces_;
    if (parent != kNobody) --namespaces_[parent].users;
    ns = parent;
  }
}

/// From now on children of the task are in a namespace below its own, or in that.
void Machine::divert_to(Task& t, Index ns) {
  Process& p = process_of(t);
  end_diversion(t);
  if (ns == p.pid_ns()) return;
  ++namespaces_[ns].users;
  diverted_.set(id(t), ns);
  p.ns |= Process::kDiverts;
}

void Machine::end_diversion(Task& t) {
  const Index ns = diverted_.find(id(t));
  if (ns == kNobody) return;
  diverted_.set(id(t), kNobody);
  --namespaces_[ns].users;
  put_namespace(ns);
}

// --- the end of an init --------------------------------------------------------------------------

/// A thread leaves its namespaces, but that of pids, where it has a number.
void Machine::exit_task_namespaces(Task& t) {
  const Process& p = process_of(t);
  if (p.diverts()) end_diversion(t);
  if (p.proxied()) switch_task_namespaces(t, kNobody);
}

/// Somebody else adopts in the thread's pid namespace from now on. False: it is the last of an
/// init, and sleeps until nobody else is in there.
bool Machine::find_child_reaper(Task& t) {
  Process& p = process_of(t);
  const Index ns = p.pid_ns();
  if (ns == kNobody || namespaces_[ns].reaper != id(t)) return true;
  if (const Task* const other = alive_thread(p)) {
    namespaces_[ns].reaper = id(*other);
    return true;
  }
  if (namespaces_[ns].reboot != 0) p.exit_code = namespaces_[ns].reboot;
  if (!forsaken_.empty()) [[unlikely]] release_forsaken();
  zap_pid_ns_processes(t);
  return go_on_zapping(t);
}

/// Everybody else is killed, in the order of their numbers in here.
void Machine::zap_pid_ns_processes(Task& t) {
  Process& p = process_of(t);
  const Index i = p.pid_ns();
  namespaces_[i].accepts = false;
  Actions& actions = own_actions(p);
  actions.ignored.add(sig::chld);
  actions.caught.remove(sig::chld);
  for (Index s = actions.sharers.first; s != kNobody; s = actions.sharers.after(processes_, s))
    touch(processes_[s]);
  namespaces_[i].outside.for_each([&](std::uint64_t number, std::uint32_t n) {
    Task* const to = find({static_cast<std::int32_t>(n)});
    if (number == 1 || to == nullptr || to->process == t.process) return;
    send(sig::kill, *to, Scope::process, &t, Origin::forced);
  });
}

/// Reaps the children that are dead. True when nobody else is left.
bool Machine::go_on_zapping(Task& t) {
  Process& p = process_of(t);
  const bool reaps = t.call != Call::outlive;
  t.call = Call::none;
  scratch_.clear();
  for (Index i = t.children.first; reaps && i != kNobody; i = t.children.after(processes_, i))
    if (dead(processes_[i]) && !leader_of(processes_[i]).traced)
      scratch_.push_back(processes_[i].leader());
  for (const Index i : scratch_) {
    collect_usage(p, process_of(tasks_[i]));
    release_task(tasks_[i]);
  }
  touch(t);
  if (namespaces_[p.pid_ns()].count == (is_leader(t) ? 1U : 2U)) {
    set_state(t, bits::kRunning);
    return true;
  }
  t.call = reaps && !t.children.empty() ? Call::reap : Call::outlive;
  set_state(t, bits::kInterruptible);
  return false;
}

// --- soundness -----------------------------------------------------------------------------------

/// Every number in a namespace is one in the world, and the other way round; counts are true.
bool Machine::sound_namespaces() const {
  std::vector<std::uint32_t> numbers(namespaces_.end()), users(namespaces_.end());
  std::vector<bool> met(namespaces_.end());
  bool good = true;
  const auto meet = [&](Index ns) {
    for (; ns != kNobody && !met[ns]; ns = namespaces_[ns].parent) {
      met[ns] = true;
      if (namespaces_[ns].parent != kNobody) ++users[namespaces_[ns].parent];
    }
  };
  innermost_.for_each([&](std::uint64_t n, Index innermost) {
    good = good && numbers_.find(static_cast<std::int32_t>(n)).in_use();
    meet(innermost);
    for (Index i = innermost; i != kNobody; i = namespaces_[i].parent) {
      const Namespace& ns = namespaces_[i];
      const std::uint32_t inner = ns.inside.find(n);
      good = good && inner != 0 && ns.outside.find(inner) == n && ns.taken.taken(inner);
      ++numbers[i];
    }
  });
  diverted_.for_each([&](std::uint64_t, Index ns) {
    meet(ns);
    ++users[ns];
  });
  for (Index i = 1; i < open_files_.end(); ++i)
    if (open_files_[i].users != 0) meet(open_files_[i].ns), ++users[open_files_[i].ns];
  std::size_t living = 0;
  for (Index i = 1; i < met.size(); ++i) {
    if (!met[i]) continue;
    const Namespace& ns = namespaces_[i];
    ++living;
    std::uint32_t outside = 0, inside = 0;
    ns.outside.for_each([&](std::uint64_t, std::uint32_t) { ++outside; });
    ns.inside.for_each([&](std::uint64_t, std::uint32_t) { ++inside; });
    good = good && ns.count == numbers[i] && outside == ns.count && inside == ns.count &&
           ns.users == users[i] && ns.level == level_of(ns.parent) + 1 && ns.taken.sound();
  }
  return good && living == namespaces_.taken() && living == living_namespaces_ &&
         namespaces_.sound();
}

}  // namespace forkproof::impl
