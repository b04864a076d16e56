/// Whether two machines are the same, record for record: for tests of what must leave no trace.
#include "impl/machine.hpp"

namespace forkproof::impl {

bool operator==(const Space& a, const Space& b) {
  if (static_cast<const Link<Kin>&>(a) != b || a.present != b.present) return false;
  if (!(a.borrowers == b.borrowers)) return false;
  for (std::size_t n = 0; n < kNodes; ++n)
    if ((a.present >> n & 1) != 0 && a.nodes[n] != b.nodes[n]) return false;
  return true;
}

bool PageTables::same_as(const PageTables& other) const {
  return spaces_.same_as(other.spaces_) && nodes_.same_as(other.nodes_) &&
         frames_.same_as(other.frames_);
}

bool Machine::same_as(const Machine& other) const {
  const bool records = tasks_.same_as(other.tasks_) && processes_.same_as(other.processes_) &&
                       groups_.same_as(other.groups_) && actions_.same_as(other.actions_) &&
                       memory_.same_as(other.memory_) && files_.same_as(other.files_) &&
                       open_files_.same_as(other.open_files_) && fs_.same_as(other.fs_) &&
                       attributes_.same_as(other.attributes_) && limits_.same_as(other.limits_) &&
                       usage_.same_as(other.usage_) && thread_usage_ == other.thread_usage_ &&
                       user_tasks_ == other.user_tasks_ && queues_.same_as(other.queues_) &&
                       user_signals_ == other.user_signals_ && caught_ == other.caught_ &&
                       user_ns_.same_as(other.user_ns_) && ucounts_ == other.ucounts_ &&
                       kthreads_.same_as(other.kthreads_) && kthreadd_ == other.kthreadd_ &&
                       active_mm_ == other.active_mm_ && tracings_ == other.tracings_ &&
                       pollers_ == other.pollers_;
  const bool numbers = numbers_.same_as(other.numbers_) && taken_.same_as(other.taken_) &&
                       cursor_ == other.cursor_ && pid_max_ == other.pid_max_;
  const bool namespaces = namespaces_.same_as(other.namespaces_) &&
                          innermost_ == other.innermost_ && diverted_ == other.diverted_ &&
                          proxies_.same_as(other.proxies_) && ns_.same_as(other.ns_) &&
                          proxied_ == other.proxied_ && host_ == other.host_ &&
                          reboot_ == other.reboot_;
  return records && numbers && namespaces && cgroups_.same_as(other.cgroups_) &&
         all_ == other.all_ && woken_ == other.woken_ &&
         sp_ == other.sp_ && execing_ == other.execing_ && reaper_ == other.reaper_ &&
         order_ == other.order_ && profile_ == other.profile_ && over_ == other.over_;
}

/// As if a call of `maker` that comes to `after` had failed when so many pid namespaces, from the
/// innermost of its task outwards, had given it a number; all, where there are not so many. Those
/// numbers are passed. With all of them a first number is given for the last time, else it is not
/// passed. A namespace that is new with the task has gone.
void Machine::pass_numbers(const Machine& after, Pid maker, bool in_new, std::size_t levels) {
  const Index innermost = children_in(*find(maker));
  Index ns = innermost;
  for (levels -= in_new; levels > 0 && ns != kNobody; --levels, ns = namespaces_[ns].parent)
    namespaces_[ns].cursor = after.namespaces_[ns].cursor;
  const bool all = levels > 0;
  if (all) cursor_ = after.cursor_;
  if (in_new || innermost == kNobody) return;
  Namespace& own = namespaces_[innermost];
  if (own.count != 0 || !own.accepts) return;
  if (all)
    own.accepts = false;
  else
    own.cursor = 1;
}

/// As if the task had slept in a call, and been woken.
void Machine::has_waited(Pid who) {
  if (const Task* const t = find(who)) set_state(tasks_[id(*t)], bits::kRunning);
}

/// As if the task had asked for the capabilities that it has asked for in the other machine: that
/// it did is told whatever comes of its call.
void Machine::is_marked_as_in(const Machine& other, Pid who) {
  const Task* const there = other.find(who);
  const Task* const here = find(who);
  if (there == nullptr || here == nullptr) return;
  tasks_[id(*here)].flags |= there->flags & task_flag::superpriv.bits;
}

}  // namespace forkproof::impl
