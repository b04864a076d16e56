/// Descriptors that stand for tasks: how they come about, and what is done by them.
#include "spec/model.hpp"

#include <bit>

namespace forkproof::spec {

// --- coming about --------------------------------------------------------------------------------

/// The lowest free descriptor, which there must be, stands for a task. An exec closes it.
std::size_t Model::open_pidfd(TaskId opener, TaskId target, PidfdFlags flags) {
  Files& files = files_of(opener);
  const std::size_t fd = *free_descriptor(files);
  const Task& t = world().tasks[target];
  files.open[fd] = world_.open_files.make();
  files.cloexec[fd] = true;
  OpenFile& file = world_.open_files[files.open[fd]];
  file.users = 1;
  file.opened_in = world().tasks[opener].attributes.user_ns;
  file.target = t.tid;
  file.use = world_.numbers.find(t.tid.n)->use;
  file.flags = flags;
  file.ns = world().process_of(t).ns;
  if (file.ns) world_.namespaces[file.ns].users++;
  cover("pidfd.cloexec"_rule);
  return fd;
}

void Model::open_pidfd_of_child(TaskId maker, TaskId child, CloneFlags flags) {
  const bool thread = flags.has(clone_flag::thread);
  cover("pidfd.clone"_rule);
  if (!flags.has(clone_flag::files)) cover("pidfd.clone-makers"_rule);
  if (thread) cover("pidfd.clone-thread"_rule);
  open_pidfd(maker, child, thread ? pidfd_flag::thread : PidfdFlags{});
}

Model::Answer Model::act(TaskId id, const PidfdOpen& op) {
  constexpr PidfdFlags kKnown = pidfd_flag::thread | pidfd_flag::nonblock;
  if (!linux_6()) return fails(Errno::nosys, "pidfd.unknown-call"_rule);
  if (op.flags - kKnown != PidfdFlags{}) return fails(Errno::inval, "pidfd.open-flags"_rule);
  if (op.task.n <= 0) return fails(Errno::inval, "pidfd.open-range"_rule);
  const TaskId target = find_for(id, op.task.pid());
  if (!target) return fails(Errno::srch, "pidfd.open-no-task"_rule);
  if (!op.flags.has(pidfd_flag::thread) && !world_.is_leader(target))
    return fails(Errno::noent, "pidfd.open-not-leader"_rule);
  if (!has_room_for_descriptor(id)) return fails(Errno::mfile, "pidfd.open-full"_rule);

  if (world_.tasks[target].zombie) cover("pidfd.open-zombie"_rule);
  const std::size_t fd = open_pidfd(id, target, op.flags);
  return answers(Outcome::number(static_cast<std::int64_t>(fd)), "pidfd.open"_rule);
}

// --- use -----------------------------------------------------------------------------------------

/// The open file of a descriptor, if that is a pidfd.
const OpenFile* Model::pidfd_at(TaskId id, Descriptor fd) const {
  const Files& files = world_.files[world_.tasks[id].files];
  if (!files.has(fd)) return nullptr;
  const OpenFile& file = world_.open_files[files.open[static_cast<std::size_t>(fd)]];
  return file.is_pidfd() ? &file : nullptr;
}

/// Whom a pidfd stands for; nobody once that was reaped.
TaskId Model::find_target(const OpenFile& pidfd) {
  const TaskId target = world_.target_of(pidfd);
  if (!target && world_.task_of(pidfd.target)) cover("pidfd.not-the-number"_rule);
  if (!target && !world_.numbers.contains(pidfd.target.n)) cover("pidfd.number-free"_rule);
  return target;
}

/// Whether a pid namespace is another one, or in it.
bool Model::is_within(NamespaceId ns, NamespaceId outer) const {
  while (ns && ns != outer) ns = world_.namespaces[ns].parent;
  return ns == outer;
}

Model::Answer Model::act(TaskId id, const PidfdSendSignal& op) {
  if (!linux_6()) return fails(Errno::nosys, "pidfd.unknown-call"_rule);
  namespace to = pidfd_signal;
  const PidfdSignalFlags unknown = op.flags - to::thread - to::thread_group - to::process_group;
  if (std::popcount(op.flags.bits) > 1 || unknown != PidfdSignalFlags{})
    return fails(Errno::inval, "pidfd.send-flags"_rule);
  const OpenFile* const pidfd = pidfd_at(id, op.fd);
  if (pidfd == nullptr) return fails(Errno::badf, "pidfd.send-no-pidfd"_rule);
  if (!is_within(pidfd->ns, world_.process_of(world_.tasks[id]).ns))
    return fails(Errno::inval, "pidfd.send-outside"_rule);
  if (op.flags.has(to::process_group)) return send_to_group_of(id, *pidfd, op.signal);
  const TaskId target = find_target(*pidfd);
  if (!target) return fails(Errno::srch, "pidfd.send-gone"_rule);
  if (op.signal.n < 0 || op.signal.n > kSignalMax)
    return fails(Errno::inval, "signal.bad-signal"_rule);
  const bool of_thread = pidfd->flags.has(pidfd_flag::thread);
  const bool to_thread = op.flags == PidfdSignalFlags{} ? of_thread
                                                        : op.flags.has(to::thread);
  const bool from_above = is_from_above(id, target);
  const bool zombie = world_.tasks[target].zombie;
  if (to_thread && op.signal != sig::none &&
      !send(op.signal, target, Scope::thread, from_above, Sender::thread))
    return fails(Errno::again, "limit.sigpending"_rule);
  if (!to_thread && op.signal != sig::none) send(op.signal, target, Scope::process, from_above);
  if (zombie) cover("pidfd.send-zombie"_rule);
  if (op.flags.has(to::thread))
    return answers(Outcome::success(), "pidfd.send-to-thread"_rule);
  if (op.flags.has(to::thread_group))
    return answers(Outcome::success(), "pidfd.send-to-process"_rule);
  return answers(Outcome::success(), of_thread ? "pidfd.send-thread"_rule : "pidfd.send"_rule);
}

/// To the process group that is called by the number which the pidfd stands for, for as long as
/// that is in use, though its task may be gone.
Model::Answer Model::send_to_group_of(TaskId id, const OpenFile& pidfd, Signal signal) {
  const Number* const number = world_.number_of(pidfd);
  if (number == nullptr || number->group.empty())
    return fails(Errno::srch, "pidfd.send-no-group"_rule);
  if (signal.n < 0 || signal.n > kSignalMax)
    return fails(Errno::inval, "signal.bad-signal"_rule);
  cover(number->task ? "pidfd.send-to-group"_rule : "pidfd.send-to-group-left"_rule);
  return send_to_each(id, newest_first(number->group), signal);
}

/// waitid, whose options are good, for the process that a pidfd stands for.
Model::Answer Model::wait_by_pidfd(TaskId id, const Waitid& op) {
  namespace opt = wait_option;
  if (!linux_6()) return fails(Errno::inval, "pidfd.wait-before"_rule);
  if (op.selector.fd < 0) return fails(Errno::inval, "pidfd.wait-range"_rule);
  const OpenFile* const pidfd = pidfd_at(id, op.selector.fd);
  if (pidfd == nullptr) return fails(Errno::badf, "pidfd.wait-no-pidfd"_rule);

  cover("pidfd.wait"_rule);
  const bool nonblock = pidfd->flags.has(pidfd_flag::nonblock) && !op.options.has(opt::nohang);
  WaitQuery query{.whom = WaitQuery::Whom::process,
                  .number = pidfd->target,
                  .use = pidfd->use,
                  .options = nonblock ? op.options | opt::nohang : op.options};
  find_target(*pidfd);
  const Answer answer = wait(id, query, op);
  if (nonblock && answer && answer->kind == Outcome::Kind::none)
    return fails(Errno::again, "pidfd.wait-nonblock"_rule);
  return answer;
}

}  // namespace forkproof::spec
