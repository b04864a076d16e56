/// The control groups of a trace, as folders of the machine's cgroup file systems: one folder of
/// our own in that of version 2, and one in that of version 1 with the controller `pids`, where it
/// is. Nothing else there is ever touched.
///
/// They are made when a trace first asks, and removed at the end. A lock on the folder says that
/// its owner lives: what one left that was killed is removed by the next that makes groups.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "harness/linux/descriptor.hpp"
#include "spec/outcome.hpp"
#include "spec/pidfd_words.hpp"

namespace forkproof::harness::kernel {

class ControlGroups {
 public:
  ControlGroups() = default;
  ~ControlGroups();
  ControlGroups(const ControlGroups&) = delete;
  ControlGroups& operator=(const ControlGroups&) = delete;

  /// Whether tasks of this trace are in there.
  bool in_use() const { return in_use_; }
  /// The folder of a group; nothing if it is not there.
  std::optional<std::string> folder_of(CgroupNo group) const;
  /// The folder that a clone3 is to name, which may be made for that.
  std::optional<std::string> folder_for(CgroupNo group, Clone3Args args) const;
  /// Throws SystemLimit if a task that is born into a group would meet the limits of another.
  void expect_no_limits() const;
  /// Charges a process that was born into a group to that one. Answers whether it could be.
  bool charge(int number, CgroupNo group) const;
  /// Whether one of them is frozen, or was in this trace.
  bool has_frozen() const { return has_frozen_; }
  /// Makes what is needed. Throws SystemLimit where it cannot be had.
  void begin();
  /// Forgets the groups of a trace, whose tasks are gone.
  void end();

  Outcome make(CgroupNo group, CgroupNo below);
  Outcome remove(CgroupNo group);
  /// `number` is the machine's.
  Outcome move(int number, CgroupNo group);
  Outcome limit(CgroupNo group, PidsLimit limit);
  Outcome count(CgroupNo group) const;
  Outcome freeze(CgroupNo group, bool freeze);
  /// By the text of /proc/PID/cgroup. Nothing where the task is in none of ours.
  std::optional<Outcome> group_in(std::string_view text) const;

 private:
  /// A folder of our own in one of the file systems.
  struct Place {
    std::string folder;
    Descriptor lock;
  };
  bool open(Place& place, std::string_view type, std::string_view option);
  std::string path_of(CgroupNo group) const;
  void expect_pids() const;

  Place groups_, pids_;
  bool opened_ = false, in_use_ = false, has_frozen_ = false, has_limits_ = false;
  std::string refused_;  // why there are none
  std::string name_;     // of our folders
  std::map<CgroupNo, std::string> paths_;  // below our folders
};

}  // namespace forkproof::harness::kernel
