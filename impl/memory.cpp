/// Memory: the calls, and who shares an address space.
///
/// A process that has mapped nothing, and shares nothing, has no space: most that are forked to
/// exec at once never need one.
///
/// Sources: mmap(2), munmap(2), madvise(2); mm/madvise.c.
#include "impl/machine.hpp"

namespace forkproof::impl {

Index Machine::own_space(Process& p) {
  if (p.space == kNobody) {
    p.space = memory_.make();
    memory_[p.space].borrowers.push_back(processes_, id(p));
  }
  return p.space;
}

void Machine::leave_space(Process& p) {
  if (p.space == kNobody) return;
  Ring<Borrowers>& borrowers = memory_[p.space].borrowers;
  borrowers.remove(processes_, id(p));
  if (borrowers.empty()) p.space == active_mm_ ? memory_.empty(p.space) : memory_.drop(p.space);
  p.space = kNobody;
}

void Machine::touch_memory(Index space) {
  const Ring<Borrowers>& borrowers = memory_[space].borrowers;
  for (Index i = borrowers.first; i != kNobody; i = borrowers.after(processes_, i))
    touch(processes_[i], true);
}

Outcome Machine::perform(Task& t, const Mmap& op) {
  if (op.pages == 0) return Outcome::failure(Errno::inval);
  const Index space = own_space(process_of(t));
  const PageNo first = memory_.map(space, op.mapping, op.pages);
  if (first == kPages) return Outcome::failure(Errno::nomem);
  touch_memory(space);
  return Outcome::number(first);
}

Outcome Machine::perform(Task& t, const Munmap& op) {
  if (!bits::range_fits(op.page, op.pages))
    return Outcome::failure(Errno::inval);
  const Index space = process_of(t).space;
  if (space == kNobody) return Outcome::success();
  memory_.unmap(space, op.page, op.pages);
  touch_memory(space);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Madvise& op) {
  const bool about_fork = op.advice == Advice::dontfork || op.advice == Advice::dofork;
  const bool about_wipe = op.advice == Advice::wipeonfork || op.advice == Advice::keeponfork;
  if (!about_fork && (!about_wipe || profile_ == Profile::linux_4_12))
    return Outcome::failure(Errno::inval);
  const Index space = process_of(t).space;
  if (space == kNobody || !memory_.mapped(space, op.page)) return Outcome::failure(Errno::nomem);
  if (op.advice == Advice::wipeonfork && memory_.shared(space, op.page))
    return Outcome::failure(Errno::inval);
  memory_.advise(space, op.page, op.advice);
  return Outcome::success();
}

Outcome Machine::perform(Task& t, const Read& op) {
  const Index space = process_of(t).space;
  if (space == kNobody || !memory_.mapped(space, op.page)) return Outcome::failure(Errno::fault);
  return Outcome::number(memory_.read(space, op.page));
}

Outcome Machine::perform(Task& t, const Write& op) {
  const Index space = process_of(t).space;
  if (space == kNobody || !memory_.mapped(space, op.page)) return Outcome::failure(Errno::fault);
  memory_.write(space, op.page, op.value);
  if (memory_.shared(space, op.page))
    memory_.for_each_sharer(space, op.page, [&](Index s) { touch_memory(s); });
  else
    touch_memory(space);
  return Outcome::success();
}

}  // namespace forkproof::impl
