/// fork, vfork and clone: what refuses a new task, and what it inherits.
#include "spec/model.hpp"

namespace forkproof::spec {

namespace fl = clone_flag;

Model::Answer Model::act(TaskId me, const Fork& op) {
  return create(me, {.exit_signal = sig::chld.n}, op);
}

Model::Answer Model::act(TaskId me, const Vfork& op) {
  return create(me, {.flags = fl::vm | fl::vfork, .exit_signal = sig::chld.n}, op);
}

Model::Answer Model::act(TaskId me, const Clone& op) {
  if (!linux_6() && op.flags.has(fl::pidfd)) cover("pidfd.clone-before"_rule);
  if (linux_6() && op.flags.has(fl::pidfd | fl::parent_settid))
    return fails(Errno::inval, "pidfd.clone-one-place"_rule);
  const CloneFlags in_signal = op.flags & fl::newtime;
  if (in_signal != CloneFlags{}) cover("ns.time-not-by-clone"_rule);
  const auto signal = static_cast<std::int32_t>(op.exit_signal.n | in_signal.bits);
  const CloneFlags known = (linux_6() ? op.flags : op.flags - fl::pidfd) - in_signal;
  return create(me, {.flags = known, .exit_signal = signal}, op);
}

/// Why the flags do not go together, or not with the caller; nothing if they do.
Model::Answer Model::refuses_flags(const Task& me, CloneFlags flags) {
  if (flags.has(fl::newns | fl::fs)) return fails(Errno::inval, "ns.mounts-not-with-fs"_rule);
  if (flags.has(fl::newuser | fl::fs)) return fails(Errno::inval, "userns.not-with-fs"_rule);
  if (flags.has(fl::thread) && !flags.has(fl::sighand))
    return fails(Errno::inval, "clone.thread-needs-sighand"_rule);
  if (flags.has(fl::sighand) && !flags.has(fl::vm))
    return fails(Errno::inval, "clone.sighand-needs-vm"_rule);
  if (flags.has(fl::parent) && world_.process_of(me).unkillable)
    return fails(Errno::inval, "clone.parent-not-by-init"_rule);
  if (flags.has(fl::thread | fl::newuser)) return fails(Errno::inval, "userns.no-thread"_rule);
  if (flags.has(fl::thread) && (flags.has(fl::newpid) || me.child_ns != world_.process_of(me).ns))
    return fails(Errno::inval, "pidns.no-thread"_rule);
  if (flags.has(fl::pidfd | fl::detached))
    return fails(Errno::inval, "pidfd.clone-detached"_rule);
  if (flags.has(fl::thread) && !linux_6() && world().process_of(me).stops())
    return fails(Errno::inval, "ptrace.no-thread-in-stop"_rule);
  return std::nullopt;
}

/// Why the namespaces that are to be new cannot be made by the caller.
Model::Answer Model::refuses_new_namespaces(TaskId id, const Wish& wish) {
  if (const Answer refused = refuses_without_admin(id, wish.flags, wish.user_ns)) return refused;
  if (wish.flags.has(fl::newipc | fl::sysvsem))
    return fails(Errno::inval, "ns.ipc-not-with-undo"_rule);
  return refuses_more(world().tasks[id], wish.flags, wish.user_ns);
}

/// The user namespace that the new task will be in. Answers why it cannot be made.
Model::Answer Model::choose_user_namespace(const Task& me, Wish& wish) {
  const bool anew = wish.flags.has(fl::newuser);
  if (anew)
    if (const Answer refused = refuses_user_namespace(me)) return refused;
  wish.user_ns = anew ? make_user_namespace(me) : me.attributes.user_ns;
  return std::nullopt;
}

/// What refuses a task whose user namespace is chosen, before it has numbers.
Model::Answer Model::refuses_unnumbered(TaskId id, const Wish& wish) {
  const Attributes& mine = world().tasks[id].attributes;
  if (const Answer refused = refuses_one_more(id, wish.user_ns)) return refused;
  if (mine.policy == Policy::deadline && !mine.reset_on_fork)
    return fails(Errno::again, "sched.deadline-fork"_rule);
  return refuses_new_namespaces(id, wish);
}

/// What refuses a task that has its numbers already. Chooses the control group that it will be in.
Model::Answer Model::refuses_numbered(TaskId id, Wish& wish) {
  const Task& me = world_.tasks[id];
  if (wish.flags.has(fl::pidfd) && !has_room_for_descriptor(id))
    return fails(Errno::mfile, "pidfd.clone-full"_rule);
  if (wish.flags.has(fl::pidfd) && wish.args == Clone3Args::pidfd_unwritable)
    return fails(Errno::fault, "clone3.pidfd-unwritable"_rule);
  wish.cgroup = me.cgroup;
  if (wish.into) {
    if (const Answer refused = refuses_folder(wish.args)) return refused;
    if (!world_.has_cgroup(*wish.into)) return fails(Errno::badf, "clone3.into-nowhere"_rule);
    wish.cgroup = world_.cgroup_called(*wish.into);
    if (wish.flags.has(fl::thread) && wish.cgroup != me.cgroup)
      return fails(Errno::opnotsupp, "clone3.into-not-a-thread"_rule);
  }
  if (!has_room_for_task(wish.cgroup)) return fails(Errno::again, "cgroup.full"_rule);
  return std::nullopt;
}

Model::Answer Model::create(TaskId id, const Wish& asked, const Op& again) {
  Wish wish = asked;
  const CloneFlags flags = wish.flags;
  Task& me = world_.tasks[id];
  const auto restart = [&](RuleId rule) -> Answer {
    cover(rule);
    me.call = {.kind = Call::Kind::restart, .again = again}, me.attention = true;
    return std::nullopt;
  };
  const bool interrupted = !world().deliverable(me).empty();
  if (const Answer refused = refuses_flags(me, flags)) return refused;
  if (interrupted && linux_6()) return restart("clone.pending-first"_rule);
  const TaskFlags marked = me.flags & task_flag::nproc_exceeded;
  if (const Answer refused = choose_user_namespace(me, wish)) return refused;
  if (const Answer early = refuses_unnumbered(id, wish)) {
    undo_namespaces(flags & fl::newuser, me.child_ns);
    return early;
  }
  const NamespaceId ns =
      flags.has(fl::newpid) ? make_namespace(me.child_ns, wish.user_ns) : me.child_ns;
  Numbers numbers;
  Answer refused = fresh_numbers(id, ns, wish.tids, numbers);
  const bool numbered = !refused;
  if (numbered) refused = refuses_numbered(id, wish);
  if (refused || interrupted) {
    if (numbered) abandon_first_number(ns);
    undo_namespaces(flags, ns);
    return refused ? refused : restart("clone.pending-burns-number"_rule);
  }

  const TaskId child = new_task(id, wish, ns, numbers);
  world_.tasks[child].flags = world_.tasks[child].flags | marked;  // as its maker was when asked
  const Pid seen = seen_by(id, numbers.number);
  if (world().tasks[id].trace.by) trace_as_well(child, id, flags);
  if (flags.has(fl::pidfd)) open_pidfd_of_child(id, child, flags);
  touch(child, true);
  if (world_.freezes(wish.cgroup)) cover("freezer.born"_rule), freeze_or_thaw(child);
  if (flags.has(fl::vfork)) return sleep_for(child, id, flags, seen);
  return answers(Outcome::task(seen), "fork.number"_rule);
}

/// With PTRACE the tracer of the maker traces the new task in the same way, and has it stop.
void Model::trace_as_well(TaskId child, TaskId maker, CloneFlags flags) {
  if (!flags.has(fl::ptrace)) return cover("ptrace.fork-untraced"_rule);
  const Tracing& makers = world().tasks[maker].trace;
  link(child, makers.by);
  Task& t = world_.tasks[child];
  t.trace.seized = t.trace.interrupted = makers.seized;
  t.trace.exitkill = makers.exitkill;
  if (!makers.seized) t.pending.add(sig::stop);
  cover(makers.seized ? "ptrace.clone-seized"_rule : "ptrace.clone-attached"_rule);
  draw_attention(child, false);
}

/// The maker of a vfork sleeps until the child, which it knows by the number, lets go of the
/// memory.
Model::Answer Model::sleep_for(TaskId child, TaskId id, CloneFlags flags, Pid seen) {
  Task& me = world_.tasks[id];
  if (!flags.has(fl::vm)) cover("vfork.without-vm"_rule);
  if (flags.has(fl::vm) && !flags.has(fl::thread)) cover("vfork.shares-memory"_rule);
  if (flags.has(fl::thread)) cover("vfork.thread"_rule);
  world_.tasks[child].vfork_parent = id;
  me.call = {.kind = Call::Kind::vfork, .child = child, .child_number = seen};
  touch(id);
  return answers({}, "vfork.blocks"_rule), std::nullopt;
}

/// The flags that say something; the others are inert.
constexpr CloneFlags kTold = fl::vm | fl::fs | fl::files | fl::sighand | fl::vfork | fl::parent |
                             fl::thread | fl::new_any | fl::newuser | fl::pidfd | fl::ptrace |
                             fl::clear_sighand | fl::into_cgroup;

/// What a new task has of its maker's flags, and besides.
static TaskFlags flags_of_child(const Task& maker) {
  namespace flag = task_flag;
  return (maker.flags - flag::exiting - flag::postcoredump - flag::superpriv) | flag::forknoexec;
}

TaskId Model::new_task(TaskId maker, const Wish& wish, NamespaceId ns, Numbers numbers) {
  const CloneFlags flags = wish.flags;
  const TaskId id = world_.tasks.make();
  Task& child = world_.tasks[id];
  const Task& me = world().tasks[maker];
  const bool thread = flags.has(fl::thread);
  const bool kin = thread || flags.has(fl::parent);  // it has the maker's parent for a parent

  child.born = next_place();
  use_numbers(id, std::move(numbers));
  enter_namespace(child, ns);
  inherit_namespaces(child, me, flags, wish.user_ns);
  enter_cgroup(child, wish.cgroup);
  if (wish.into) cover("clone3.into"_rule);
  else if (wish.cgroup) cover("cgroup.born"_rule);
  child.flags = flags_of_child(me);
  cover(thread ? "clone.thread-forknoexec"_rule : "fork.forknoexec"_rule);
  child.parent = kin ? me.parent : maker;
  child.self_exec_id = me.self_exec_id;
  child.parent_exec_id = kin ? me.parent_exec_id : me.self_exec_id;
  inherit(child, me, flags);
  inherit_files(child, me, flags);
  inherit_attributes(child, me, flags);
  if (flags.has(fl::newuser)) {
    cover("userns.clone"_rule);
    enter_user_namespace(child, wish.user_ns);
  }
  if (flags - kTold != CloneFlags{}) cover("clone.inert"_rule);
  if (thread) {
    join_process(id, me);
  } else {
    cover(kin ? "clone.parent"_rule : "fork.parent"_rule);
    cover(kin ? "clone.parent-exec-id"_rule : "fork.exec-id"_rule);
    cover(kin ? "clone.parent-exit-signal"_rule : "clone.exit-signal"_rule);
    child.exit_signal = kin ? world_.leader_of(me).exit_signal : wish.exit_signal;
    new_process(id, world_.process_of(me), ns);
  }
  return id;
}

/// What a new task has of its maker's, as a copy or together with it, and what it has not.
void Model::inherit(Task& child, const Task& me, CloneFlags flags) {
  const bool thread = flags.has(fl::thread);
  child.blocked = me.blocked;
  cover(thread ? "clone.thread-blocked"_rule : "fork.blocked"_rule);
  cover(thread ? "clone.thread-pending-empty"_rule : "fork.pending-empty"_rule);
  cover("fork.no-children"_rule);
  if (me.flags.has(task_flag::superpriv)) cover("superpriv.not-inherited"_rule);
  if (me.pdeath != sig::none)
    cover(thread ? "clone.thread-pdeathsig"_rule : "fork.pdeathsig-cleared"_rule);
  child.handlers = flags.has(fl::sighand) ? me.handlers : copy_handlers(me.handlers);
  cover(flags.has(fl::sighand) ? "clone.sighand-shares"_rule : "fork.handlers-copied"_rule);
  child.space = flags.has(fl::vm) ? me.space : fork_space(me.space);
  cover(flags.has(fl::vm) ? "clone.vm-shares"_rule : "fork.memory-copied"_rule);
  if (flags.has(fl::clear_sighand)) {
    cover("clone3.clear-sighand"_rule);
    set_to_default(world_.handlers[child.handlers]);
  }
  world_.handlers[child.handlers].users++;
  world_.spaces[child.space].users++;
}

void Model::inherit_files(Task& child, const Task& me, CloneFlags flags) {
  child.files = flags.has(fl::files) ? me.files : copy_files(me.files);
  child.fs = flags.has(fl::fs) ? me.fs : copy_fs(me.fs);
  if (flags.has(fl::files)) world_.files[me.files].users++;
  if (flags.has(fl::fs)) world_.fs[me.fs].users++;
  if (flags.has(fl::newns)) follow_mounts(child, world().proxy_of(me).mnt);
  cover(flags.has(fl::files) ? "file.clone-shares"_rule : "file.fork-copied"_rule);
  cover(flags.has(fl::fs) ? "fs.clone-shares"_rule : "fs.fork-copied"_rule);
  if (!flags.has(fl::files) && world().files[me.files].has_any()) cover("file.fork-offset"_rule);
}

/// Makes a new task the last thread of a process.
void Model::join_process(TaskId id, const Task& maker) {
  Task& child = world_.tasks[id];
  Process& p = world_.process_of(maker);
  child.process = maker.process;
  child.exit_signal = -1;
  p.threads.push_back(id);
  p.running_threads++;
  touch(p);
  cover("clone.thread"_rule);
  cover("clone.thread-number"_rule);
  cover("clone.thread-exit-signal"_rule);
  cover("clone.thread-no-child"_rule);
  if (p.stops()) join_stop(id, maker);
}

/// A thread made by one that goes on, for its tracer, while its process stops or has stopped.
void Model::join_stop(TaskId id, const Task& maker) {
  Task& child = world_.tasks[id];
  Process& p = world_.process_of(maker);
  cover("ptrace.new-thread-stops"_rule);
  child.stop_pending = true;
  child.stop_counted = p.stopping_threads > 0;
  p.stopping_threads += child.stop_counted;
  child.trace.stopped_by = maker.trace.stopped_by;
  draw_attention(id, false);
}

/// Gives a new leader its process, in its maker's group and session, last among its siblings.
void Model::new_process(TaskId id, const Process& maker, NamespaceId ns) {
  Task& child = world_.tasks[id];
  child.process = world_.processes.make();
  ++world_.made;
  Process& p = world_.processes[child.process];
  p.leader = p.signal_target = id;
  p.threads = {id};
  p.ns = ns;
  if (ns && world_.seen_in(ns, child.tid) == kInit) {
    cover("pidns.init"_rule);
    p.unkillable = true;
    world_.namespaces[ns].reaper = id;
    world_.namespaces[ns].began = true;
  }
  inherit_limits(p, maker);
  p.process_place = next_place();
  world_.all_processes.put(p.process_place, child.process);
  join_group(child.process, maker.pgid);
  join_session(child.process, maker.sid);
  cover("fork.group"_rule);
  cover("fork.session"_rule);

  Task& parent = world_.tasks[child.parent];
  child.sibling = next_place();
  parent.children.put(child.sibling, id);
  cover("fork.tail"_rule);
  cover("fork.not-stopped"_rule);
  const Process& adult = world().process_of(parent);
  if (maker.is_subreaper) cover("fork.subreaper-not-inherited"_rule);
  p.has_subreaper = adult.has_subreaper || adult.is_subreaper;
}

HandlersId Model::copy_handlers(HandlersId from) {
  const HandlersId id = world_.handlers.make();
  world_.handlers[id] = world_.handlers[from];
  world_.handlers[id].users = 0;
  return id;
}

/// A copy of an address space as fork makes it.
SpaceId Model::fork_space(SpaceId from) {
  const SpaceId id = world_.spaces.make();
  AddressSpace& space = world_.spaces[id];
  space.made = next_place();
  for (const Page& page : world_.spaces[from].pages) {
    if (page.dontfork) {
      cover("mem.dontfork"_rule);
      continue;
    }
    space.pages.push_back(page);
    if (page.wipeonfork) {
      cover("mem.wipeonfork"_rule);
      cover("mem.wipeonfork-inherited"_rule);
      space.pages.back().value = 0;
    }
  }
  return id;
}

}  // namespace forkproof::spec
