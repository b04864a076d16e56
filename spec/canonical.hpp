/// The part of a world that decides what can happen in it, as a row of words: worlds with equal
/// rows cannot be told apart by anything that is done in them. For engines that must know which
/// worlds they have seen.
///
/// Left out are ids and the times at which things were made, of which only the order counts, and
/// what is remembered for the invariants alone.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "spec/world.hpp"

namespace forkproof::spec {

/// Writes rows. One writer is good for many worlds, and keeps its memory.
class Canonical {
 public:
  /// What else is left out, where what is done in the world cannot tell it.
  struct Fold {
    bool numbers = false;   ///< numbers but for which are the same, and the cursor: unless they
                            ///< wrap
    bool exec_ids = false;  ///< how often a program was replaced: unless a task is made whose exit
                            ///< signal is another than SIGCHLD
    bool caught = false;    ///< how many handlers have run: unless somebody asks
  };
  explicit Canonical(Fold fold) : fold_(fold) {}

  /// The row of a world. Good until the next call. O(tasks squared), a task costs some 50 ns.
  std::span<const std::uint64_t> write(const World& world);

 private:
  void list_family(TaskId leader);
  void write_task(TaskId);
  void write_process(const Process&);
  void write_call(const Task&);
  void write_op(const Op&);
  void write_space(SpaceId);
  void write_handlers(HandlersId);
  void write_files(const Task&);
  void write_usage(const Usage&);
  void write_queue(const Pending&);
  void write_kthread(const Kthread&);
  void write_open_file(OpenFileId);
  void write_attributes(const Attributes&);
  void write_cgroups();
  void write_cgroup(CgroupId);
  std::uint64_t rank_in_cgroup(const Task&) const;
  void write_tracing(TaskId);
  void write_number(Pid);
  void write_task_index(TaskId);
  void write_namespace(NamespaceId, Pid number);
  void write_proxy(NsProxyId);
  void write_user_namespace(UserNamespaceId);
  void write_counts(const NamespaceCounts&);

  void put(std::uint64_t v) { row_.push_back(v); }
  template <class... V>
  void put_all(V... values) {
    (put(static_cast<std::uint64_t>(values)), ...);
  }
  /// The index of a thing among those that were named before; a new one if it was not.
  static std::size_t index_in(std::vector<std::uint32_t>& known, std::uint32_t thing);

  Fold fold_;
  const World* world_ = nullptr;
  std::vector<std::uint64_t> row_;
  std::vector<std::uint32_t> tasks_;  // ids: threads after their leader, children after parents
  std::vector<std::uint32_t> numbers_, spaces_, handlers_, shared_pages_, files_, open_files_, fs_,
      namespaces_, uts_, others_, cgroups_, user_namespaces_;
};

}  // namespace forkproof::spec
