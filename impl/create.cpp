/// fork, vfork and clone.
///
/// Sources: kernel/fork.c copy_process(), kernel_clone().
#include "impl/bits/clone_flags.hpp"
#include "impl/bits/task_flags.hpp"
#include "impl/machine.hpp"

namespace forkproof::impl {
namespace {

std::uint16_t flags_of_child(const Task& maker) {
  return static_cast<std::uint16_t>(bits::flags_of_child(std::uint32_t{maker.flags}));
}

}  // namespace

Outcome Machine::create(Task& t, CloneFlags flags, std::uint8_t exit_signal) {
  if (bits::clone_refuses(flags.bits, is_init(process_of(t))))
    return Outcome::failure(Errno::inval);
  const bool asks_first = profile_ == Profile::linux_6;
  if (asks_first && look_again(t)) return postpone(t, flags, exit_signal);
  const std::optional<std::int32_t> number = fresh_number();
  if (!number) return Outcome::failure(Errno::again);
  if (!asks_first && look_again(t)) {  // 4.12 looks late: the number is given back, but passed
    taken_.give_back(static_cast<std::size_t>(*number));
    return postpone(t, flags, exit_signal);
  }

  Task& child = flags.has(clone_flag::thread) ? new_thread(t, *number)
                                              : new_process(t, *number, flags, exit_signal);
  touch(child, true);
  const Outcome made = Outcome::task(Pid{*number});
  if (!flags.has(clone_flag::vfork)) return made;
  child.vfork_parent = id(t);
  t.vfork_child = id(child);
  t.call = Call::vfork;
  keep(t, made);
  touch(t);
  Outcome sleeps = Outcome::of(Outcome::Kind::blocks);
  sleeps.who = made.who;
  return sleeps;
}

/// A signal came first: it is dealt with, then the call is made again.
Outcome Machine::postpone(Task& t, CloneFlags flags, std::uint8_t exit_signal) {
  t.call = Call::create;
  t.args = {.options = static_cast<std::uint32_t>(flags.bits), .exit_signal = exit_signal};
  enqueue(t);
  return Outcome::of(Outcome::Kind::blocks);
}

Task& Machine::new_thread(Task& maker, std::int32_t number) {
  Process& p = process_of(maker);
  Task& t = tasks_.make();
  t.process = maker.process;
  t.pid = number;
  t.flags = flags_of_child(maker);
  t.blocked = maker.blocked;
  numbers_.make(number).task = id(t);
  p.threads.push_back(tasks_, id(t));
  ++p.thread_count;
  ++p.live;
  touch(p);
  if (profile_ == Profile::linux_4_12) return t;
  if (p.to_stop > 0) {  // it joins a group stop that is under way, or in effect
    ++p.to_stop;
    t.stop_counted = true;
  } else if ((p.flags & process_flag::stopped) == 0) {
    return t;
  }
  t.stop_pending = true;
  alert(t, false);
  return t;
}

Task& Machine::new_process(Task& maker, std::int32_t number, CloneFlags flags,
                           std::uint8_t exit_signal) {
  Process& from = process_of(maker);
  Task& t = tasks_.make();
  Process& p = processes_.make();
  t.process = id(p);
  t.pid = number;
  t.flags = flags_of_child(maker);
  t.blocked = maker.blocked;
  numbers_.make(number).task = id(t);

  p.tgid = number;
  p.threads.push_back(tasks_, id(t));
  p.thread_count = p.live = 1;
  p.detour = id(t);
  p.exec_id = from.exec_id;
  const auto from_maker = [&](std::uint64_t makers, std::uint64_t given) {
    return bits::from_maker(flags.bits, makers, given);
  };
  p.parent = static_cast<Index>(from_maker(from.parent, id(maker)));
  p.parent_exec_id = from_maker(from.parent_exec_id, from.exec_id);
  p.exit_signal = static_cast<std::int16_t>(
      from_maker(static_cast<std::uint64_t>(from.exit_signal), exit_signal));
  join_session(p, from.sid);
  p.group = from.group;
  groups_[p.group].members.push_back(processes_, id(p));
  all_.push_back(processes_, id(p));
  copy_actions(p, from, flags.has(clone_flag::sighand));
  copy_space(p, from, flags.has(clone_flag::vm));

  Task& parent = tasks_[p.parent];
  const Process& family = process_of(parent);
  p.has_subreaper = family.has_subreaper || family.is_subreaper;
  p.order = ++order_;
  parent.children.push_back(processes_, id(p));
  count_child(p, true);
  return t;
}

void Machine::copy_actions(Process& child, Process& maker, bool share) {
  if (share) {
    own_actions(maker);
    child.actions = maker.actions;
    actions_[child.actions].sharers.push_back(processes_, id(child));
  } else if (maker.actions != kNobody && !actions_[maker.actions].all_default()) {
    const Actions copy = actions_[maker.actions];
    Actions& own = own_actions(child);
    own.ignored = copy.ignored;
    own.caught = copy.caught;
    own.restarts = copy.restarts;
    own.child = copy.child;
  }
}

void Machine::copy_space(Process& child, Process& maker, bool share) {
  if (share) {
    child.space = own_space(maker);
  } else if (maker.space != kNobody && memory_[maker.space].present != 0) {
    child.space = memory_.fork(maker.space);
  } else {
    return;
  }
  memory_[child.space].borrowers.push_back(processes_, id(child));
}

}  // namespace forkproof::impl
