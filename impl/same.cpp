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
                       user_tasks_ == other.user_tasks_ && user_ns_.same_as(other.user_ns_) &&
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

}  // namespace forkproof::impl
