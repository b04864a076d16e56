/// Descriptors that stand for tasks: a number, and the generation of it that is meant.
///
/// A pidfd keeps the pid namespace of its target, to know who may signal by it, and nothing else of
/// it: whether it is still there is one look at its number.
///
/// Sources: fs/pidfs.c, kernel/pid.c pidfd_open(), kernel/signal.c pidfd_send_signal(); poll(2).
#include "impl/machine.hpp"

namespace forkproof::impl {

Outcome Machine::perform(Task& t, const PidfdOpen& op) {
  constexpr PidfdFlags kKnown = pidfd_flag::thread | pidfd_flag::nonblock;
  if (profile_ == Profile::linux_4_12) return Outcome::failure(Errno::nosys);
  if ((op.flags - kKnown).bits != 0 || op.task.n <= 0) return Outcome::failure(Errno::inval);
  const Task* const target = find_for(t, op.task.pid());
  if (target == nullptr) return Outcome::failure(Errno::srch);
  if (!op.flags.has(pidfd_flag::thread) && !is_leader(*target))
    return Outcome::failure(Errno::noent);
  Files& files = own_files(t);
  const std::uint32_t fd = free_descriptor(t);
  if (fd == kDescriptors) return Outcome::failure(Errno::mfile);
  const Index file = alloc_file(t);
  install_pidfd(files, file, *target, op.flags);
  return Outcome::number(fd);
}

Outcome Machine::perform(Task& t, const PidfdSendSignal& op) {
  if (profile_ == Profile::linux_4_12) return Outcome::failure(Errno::nosys);
  namespace to = pidfd_signal;
  constexpr PidfdSignalFlags kScopes = to::thread | to::thread_group | to::process_group;
  if ((op.flags - kScopes).bits != 0 || (op.flags.bits & (op.flags.bits - 1)) != 0)
    return Outcome::failure(Errno::inval);
  const OpenFile* const pidfd = pidfd_at(t, op.fd);
  if (pidfd == nullptr) return Outcome::failure(Errno::badf);
  if (!can_see(t, pidfd->ns)) return Outcome::failure(Errno::inval);
  if (op.flags == to::process_group) {
    const Number& number = numbers_.find(pidfd->target);
    const bool same = number.generation == pidfd->generation && number.group != kNobody;
    const Errno e = kill_group(same ? &groups_[number.group] : nullptr, op.signal, &t);
    return e == Errno::ok ? Outcome::success() : Outcome::failure(e);
  }
  const Task* const task = target_of(*pidfd);
  if (task == nullptr) return Outcome::failure(Errno::srch);
  if (op.signal == sig::none) return Outcome::success();
  if (!valid(op.signal)) return Outcome::failure(Errno::inval);
  const bool inferred = op.flags.bits == 0 && pidfd->flags.has(pidfd_flag::thread);
  const bool thread = inferred || op.flags == to::thread;
  const Scope scope = thread ? Scope::thread : Scope::process;
  const bool sent =
      send(op.signal, tasks_[id(*task)], scope, &t, thread ? Origin::tkill : Origin::usual);
  return sent ? Outcome::success() : Outcome::failure(Errno::again);
}

/// The lowest free descriptor stands for a task from now on. An exec closes it.
void Machine::install_pidfd(Files& files, Index file, const Task& target, PidfdFlags flags) {
  const Process& p = process_of(target);
  OpenFile& pidfd = open_files_[file];
  pidfd.target = target.pid;
  pidfd.generation = numbers_.find(target.pid).generation;
  pidfd.flags = flags;
  pidfd.ns = p.pid_ns();
  if (pidfd.ns != kNobody) ++namespaces_[pidfd.ns].users;
  install(files, files.lowest_free(), file, true);
}

/// The open file of a descriptor, if it is a pidfd.
const OpenFile* Machine::pidfd_at(const Task& t, Descriptor fd) const {
  if (!has_open(t, fd)) return nullptr;
  const OpenFile& file = open_files_[files_[t.files].file[fd]];
  return file.target == 0 ? nullptr : &file;
}

/// Whom a pidfd stands for, as long as nobody has reaped it.
const Task* Machine::target_of(const OpenFile& pidfd) const {
  const Number& number = numbers_.find(pidfd.target);
  const bool same = number.generation == pidfd.generation && number.task != kNobody;
  return same ? &tasks_[number.task] : nullptr;
}

/// Whether a namespace is that of the task, or below it.
bool Machine::can_see(const Task& t, Index ns) const {
  const Index own = process_of(t).pid_ns();
  while (ns != kNobody && ns != own) ns = namespaces_[ns].parent;
  return ns == own;
}

}  // namespace forkproof::impl
