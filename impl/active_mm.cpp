/// The memory that the processor has. A kernel thread, which has none, runs on what was there.
///
/// Sources: kernel/sched/core.c context_switch(), finish_task_switch(); kernel/exit.c exit_mm();
/// kernel/fork.c __mmdrop(); forkproof.md KTHREAD:8.
#include "impl/machine.hpp"

namespace forkproof::impl {

/// Only in worlds with kernel threads: there every process that has run has a record to be kept.
void Machine::switch_mm(const Task& t) {
  Process& p = processes_[t.process];
  if (p.kthread != kNobody) return;
  const Index before = std::exchange(active_mm_, own_space(p));
  if (before != kNobody && memory_[before].borrowers.empty()) memory_.drop(before);
}

/// As if `who` had run, and done nothing.
void Machine::gets_processor(Pid who) {
  const Task* const t = find(who);
  if (t != nullptr && kthreadd_.exists) switch_mm(*t);
}

Outcome Machine::perform(Task&, const ActiveMm&) {
  if (active_mm_ == kNobody || memory_[active_mm_].borrowers.empty())
    return Outcome::task(Pid{0});
  return Outcome::task(Pid{processes_[memory_[active_mm_].borrowers.first].tgid});
}

/// How many tasks use the memory that `who` is on; -1 if it is on none.
std::int64_t Machine::mm_users(const Task& who, bool is_caller) const {
  const Process& p = process_of(who);
  const bool borrows = is_kthread(who);
  const bool exiting = (who.flags & task_flag::exiting.bits) != 0;
  if (borrows ? !is_caller || active_mm_ == kNobody : exiting) return -1;
  const Index space = borrows ? active_mm_ : p.space;
  if (space == kNobody) return p.live;
  const Ring<Borrowers>& borrowers = memory_[space].borrowers;
  std::int64_t users = 0;
  for (Index i = borrowers.first; i != kNobody; i = borrowers.after(processes_, i))
    users += processes_[i].live;
  return users;
}

Outcome Machine::perform(Task& t, const MmUsers& op) {
  const Task* const who = find_for(t, op.task.pid());
  if (who == nullptr) return Outcome::failure(Errno::srch);
  const std::int64_t users = mm_users(*who, who == &t);
  return users < 0 ? Outcome::failure(Errno::inval) : Outcome::number(users);
}

/// Who asks is on the processor: if it is a kernel thread it is who has borrowed.
Outcome Machine::perform(Task& t, const MmCount& op) {
  const Task* const who = find_for(t, op.task.pid());
  if (who == nullptr) return Outcome::failure(Errno::srch);
  const std::int64_t users = mm_users(*who, who == &t);
  if (users < 0) return Outcome::failure(Errno::inval);
  const bool active = is_kthread(*who) || process_of(*who).space == active_mm_;
  const bool borrowed = is_kthread(t) && active_mm_ != kNobody && active;
  return Outcome::number((users > 0) + borrowed);
}

/// Memory without users is there only where the processor has it, and has no pages.
bool Machine::sound_active_mm(std::vector<Index>& spaces) const {
  if (active_mm_ == kNobody) return true;
  if (!kthreadd_.exists) return false;
  if (!memory_[active_mm_].borrowers.empty()) return true;
  spaces.push_back(active_mm_);
  return memory_[active_mm_].present == 0;
}

}  // namespace forkproof::impl
