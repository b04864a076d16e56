/// The control groups of a trace, as folders of the machine's cgroup file systems.
#include "harness/linux/control_groups.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <vector>

#include "harness/linux/system.hpp"
#include "harness/system_fault.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness::kernel {

namespace {

constexpr std::string_view kOurs = "forkproof-groups-";

/// Answers 0 or an errno.
int write_text(const std::string& path, std::string_view text) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) >= 0 ? 0 : errno;
}

Outcome outcome_of(int error) {
  return error == 0 ? Outcome::success() : Outcome::failure(static_cast<Errno>(error));
}

std::vector<std::string> folders_in(const std::string& folder) {
  std::vector<std::string> names;
  DIR* const entries = ::opendir(folder.c_str());
  if (entries == nullptr) return names;
  while (const dirent* const entry = ::readdir(entries))
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  ::closedir(entries);
  return names;
}

/// Removes a folder with those below it, as far as nobody is in there.
void remove_all(const std::string& folder) {
  for (const std::string& name : folders_in(folder)) remove_all(folder + '/' + name);
  ::rmdir(folder.c_str());
}

/// Locks a folder for as long as the descriptor lives; none if somebody else has.
Descriptor lock(const std::string& folder) {
  Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return file;
  return {};
}

/// What the dead have left.
void remove_abandoned(const std::string& base) {
  for (const std::string& name : folders_in(base)) {
    if (!name.starts_with(kOurs)) continue;
    if (const Descriptor locked = lock(base + '/' + name)) remove_all(base + '/' + name);
  }
}

/// Where a cgroup file system of this type is mounted, with this option if one is given.
std::string mount_point(std::string_view type, std::string_view option) {
  std::ifstream mounts("/proc/self/mounts");
  std::string line, device, at, kind, options;
  while (std::getline(mounts, line)) {
    std::istringstream words(line);
    words >> device >> at >> kind >> options;
    const bool has = option.empty() || (',' + options + ',').find(fmt::format(",{},", option)) !=
                                           std::string::npos;
    if (kind == type && has) return at;
  }
  return {};
}

/// The group that we are in ourselves, as /proc/self/cgroup names it.
std::string own_group(std::string_view option) {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  while (std::getline(groups, line)) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = ',' + line.substr(first + 1, second - first - 1) + ',';
    if (option.empty() ? controllers == ",,"
                       : controllers.find(fmt::format(",{},", option)) != std::string::npos)
      return line.substr(second + 1);
  }
  return {};
}

/// Whether the descriptor is still what the path names.
bool is_there(const Descriptor& file, const std::string& path) {
  struct stat open{}, named{};
  return ::fstat(file.get(), &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

}  // namespace

ControlGroups::~ControlGroups() {
  for (const Place* const place : {&groups_, &pids_})
    if (!place->folder.empty()) remove_all(place->folder);
}

/// Below the first group of all if that may be, else below our own. A folder that is not locked yet
/// may be taken for an abandoned one: then it is made again.
bool ControlGroups::open(Place& place, std::string_view type, std::string_view option) {
  const std::string root = mount_point(type, option);
  if (root.empty()) return false;
  for (const std::string& base : {root, root + own_group(option)}) {
    remove_abandoned(base);
    const std::string folder = fmt::format("{}/{}", base, name_);
    for (int tries_left = 8; tries_left > 0; --tries_left) {
      if (::mkdir(folder.c_str(), 0755) != 0) break;
      Descriptor locked = lock(folder);
      if (!locked || !is_there(locked, folder)) continue;
      place.folder = folder;
      place.lock = std::move(locked);
      return true;
    }
  }
  refused_ = fmt::format("no control group can be made here: {}", std::strerror(errno));
  return false;
}

void ControlGroups::begin() {
  static int made = 0;
  if (!opened_) {
    opened_ = true;
    name_ = fmt::format("{}{}-{}", kOurs, ::getpid(), made++);
    refused_ = "there is no cgroup file system of version 2 here";
    if (open(groups_, "cgroup2", "")) {
      refused_.clear();
      open(pids_, "cgroup", "pids");
    }
  }
  if (!refused_.empty() && groups_.folder.empty()) throw SystemLimit(refused_);
  paths_ = {{0, ""}};
  in_use_ = true;
  has_frozen_ = has_limits_ = false;
}

void ControlGroups::end() {
  has_frozen_ = false;
  if (!std::exchange(in_use_, false)) return;
  for (const Place* const place : {&groups_, &pids_}) {
    if (place->folder.empty()) continue;
    for (const std::string& name : folders_in(place->folder))
      remove_all(place->folder + '/' + name);
    if (!folders_in(place->folder).empty())
      throw SystemFault(fmt::format("control groups are left in {}", place->folder));
  }
  if (!pids_.folder.empty()) write_text(pids_.folder + "/pids.max", "max");
}

/// The first group of all has no such file, and 0 is that of a trace.
Outcome ControlGroups::freeze(CgroupNo group, bool freeze) {
  if (group == 0) return Outcome::failure(Errno::noent);
  const int error =
      write_text(groups_.folder + path_of(group) + "/cgroup.freeze", freeze ? "1" : "0");
  has_frozen_ = has_frozen_ || (freeze && error == 0);
  return outcome_of(error);
}

/// That of a group which is not there is one that is not there.
std::string ControlGroups::path_of(CgroupNo group) const {
  const auto at = paths_.find(group);
  return at == paths_.end() ? "/missing" : at->second;
}

std::optional<std::string> ControlGroups::folder_of(CgroupNo group) const {
  if (!paths_.contains(group)) return std::nullopt;
  return groups_.folder + path_of(group);
}

/// What a clone3 is to be given for a control group. Those that a trace does not know are in a
/// folder of their own, which is made anew and goes with the trace.
std::optional<std::string> ControlGroups::folder_for(CgroupNo group, Clone3Args args) const {
  const std::string spare = groups_.folder + "/spare";
  const auto expect = [](int error) {
    if (error != 0)
      throw SystemLimit(fmt::format("no such control group can be made here: {}",
                                    std::strerror(error)));
  };
  const auto make = [&](const std::string& folder) -> std::string {
    expect(::mkdir(folder.c_str(), 0755) == 0 ? 0 : errno);
    return folder;
  };
  if (args == Clone3Args::cgroup_folder) return "/";
  if (args < Clone3Args::cgroup_removed) return folder_of(group);
  remove_all(spare);
  make(spare);
  if (args == Clone3Args::cgroup_removed) return spare;
  const std::string below = make(spare + "/below");
  if (args == Clone3Args::cgroup_invalid) {
    expect(write_text(below + "/cgroup.type", "threaded"));
    return make(spare + "/invalid");
  }
  std::string controller;
  std::ifstream(spare + "/cgroup.controllers") >> controller;
  if (controller.empty()) throw SystemLimit("no controller is handed down to us here");
  expect(write_text(spare + "/cgroup.subtree_control", '+' + controller));
  return spare;
}

void ControlGroups::expect_no_limits() const {
  if (has_limits_)
    throw SystemLimit("by version 1 of `pids` a task is born into its maker's group");
}

bool ControlGroups::charge(int number, CgroupNo group) const {
  return pids_.folder.empty() ||
         write_text(pids_.folder + path_of(group) + "/cgroup.procs", std::to_string(number)) == 0;
}

Outcome ControlGroups::make(CgroupNo group, CgroupNo below) {
  const std::string path = fmt::format("{}/{}", path_of(below), group);
  const bool elsewhere = paths_.contains(group) && paths_.at(group) != path;
  if (paths_.contains(below) && elsewhere) return Outcome::failure(Errno::exist);
  if (::mkdir((groups_.folder + path).c_str(), 0755) != 0) return outcome_of(errno);
  if (!pids_.folder.empty() && ::mkdir((pids_.folder + path).c_str(), 0755) != 0)
    throw SystemFault(fmt::format("mkdir {}{}: {}", pids_.folder, path, std::strerror(errno)));
  paths_[group] = path;
  return Outcome::success();
}

Outcome ControlGroups::remove(CgroupNo group) {
  const std::string path = path_of(group);
  if (group == 0) return Outcome::failure(Errno::busy);  // our folder itself
  if (::rmdir((groups_.folder + path).c_str()) != 0) return outcome_of(errno);
  if (!pids_.folder.empty() && ::rmdir((pids_.folder + path).c_str()) != 0)
    throw SystemFault(fmt::format("rmdir {}{}: {}", pids_.folder, path, std::strerror(errno)));
  paths_.erase(group);
  return Outcome::success();
}

Outcome ControlGroups::move(int number, CgroupNo group) {
  const std::string file = path_of(group) + "/cgroup.procs", text = std::to_string(number);
  // Who is thawed by the move is to make its tasks in the new group already.
  const int before = pids_.folder.empty() ? 0 : write_text(pids_.folder + file, text);
  const int error = write_text(groups_.folder + file, text);
  if (!pids_.folder.empty() && error != before)
    throw SystemFault(fmt::format("{}: {}", file, std::strerror(std::max(before, error))));
  return outcome_of(error);
}

void ControlGroups::expect_pids() const {
  if (pids_.folder.empty())
    throw SystemLimit("there is no controller `pids` of version 1 that may be used here");
}

Outcome ControlGroups::limit(CgroupNo group, PidsLimit limit) {
  expect_pids();
  has_limits_ = has_limits_ || limit != PidsLimit{};
  const std::string text = limit == PidsLimit{} ? "max" : std::to_string(limit.n);
  return outcome_of(write_text(pids_.folder + path_of(group) + "/pids.max", text));
}

Outcome ControlGroups::count(CgroupNo group) const {
  expect_pids();
  const std::string path = pids_.folder + path_of(group) + "/pids.current";
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return outcome_of(errno);
  char text[32] = {};
  if (::read(file.get(), text, sizeof text - 1) <= 0) return outcome_of(errno);
  return Outcome::number(std::strtoll(text, nullptr, 10));
}

std::optional<Outcome> ControlGroups::group_in(std::string_view text) const {
  constexpr std::string_view kLine = "0::", kGone = " (deleted)";
  const std::size_t line = text.starts_with(kLine) ? 0 : text.find("\n0::") + 1;
  text = text.substr(line, text.find('\n', line) - line);
  const std::size_t at = text.find('/' + name_);
  if (at == text.npos) return std::nullopt;
  text.remove_prefix(at + 1 + name_.size());
  if (text.ends_with(kGone)) return Outcome::failure(Errno::nodev);
  if (text.empty()) return Outcome::number(0);
  text.remove_prefix(text.rfind('/') + 1);
  CgroupNo group = 0;
  std::from_chars(text.data(), text.data() + text.size(), group);
  return Outcome::number(group);
}

namespace {

bool names_cgroup(const Op& op) { return clone_flags_of(op).has(clone_flag::into_cgroup); }

}  // namespace

// --- the ops -------------------------------------------------------------------------------------

/// From the first such op of a trace on all its tasks are in our folder, but for the dead: they
/// cannot be moved, and count in group 0 all the same.
void System::use_control_groups() {
  if (control_groups_.in_use()) return;
  control_groups_.begin();
  for (const std::int32_t process : numbers_in("."))
    if (const int number = stage_.number_outside(process); number > 0)
      if (control_groups_.move(number, 0) != Outcome::success() &&
          parse_glance(read(fmt::format("{}/stat", process))).value_or(TaskGlance{}).state != 'Z')
        throw SystemLimit("a task cannot be moved into a control group here");
}

/// How many tasks were dead before.
std::int64_t System::outside_control_groups() const {
  std::vector<Pid> all;
  tasks(all);
  return std::ranges::count_if(all, [&](Pid task) {
    return !control_groups_.group_in(read(fmt::format("{}/cgroup", task.n)));
  });
}

/// A group that is not there is a descriptor that is not open.
void System::name_cgroup(const Op& op, Slot& slot) {
  if (!names_cgroup(op)) return;
  use_control_groups();
  const auto& clone = std::get<Clone3>(op);
  if (clone.args_as == Clone3Args::cgroup_high) return;
  const auto folder = control_groups_.folder_for(clone.cgroup, clone.args_as);
  if (!folder) return;
  control_groups_.expect_no_limits();
  if (folder->size() >= sizeof slot.area - kFolderAt)
    throw SystemLimit("the name of a control group is too long here");
  std::memcpy(slot.area + kFolderAt, folder->c_str(), folder->size() + 1);
  slot.args[2] = clone.args_as == Clone3Args::cgroup_removed ? kFolderGoes : kFolder;
}

/// Version 1 has left the child where its maker is. A call that was put off keeps its descriptor,
/// and the group may be another when it is made again.
void System::charge_child(const Puppet& maker, const Op& op, std::uint32_t slot) {
  if (!names_cgroup(op)) return;
  const Slot& makers = stage_.slot(maker.slot);
  if (pending(makers) && maker.made.n == 0)
    throw SystemLimit("a clone3 into a control group was put off");
  if (!pending(makers) && makers.result == kNoFolder)
    throw SystemFault("the folder of a control group cannot be opened");
  const auto child = std::ranges::find(puppets_, slot, &Puppet::slot);
  if (child == puppets_.end() || clone_flags_of(op).has(clone_flag::thread)) return;
  if (!control_groups_.charge(stage_.number_outside(child->tid.n), std::get<Clone3>(op).cgroup))
    throw SystemLimit("a child was dead before it could be counted in its control group");
}

/// What is turned from outside.
Outcome System::ask_world(const Op& op) {
  return std::visit(
      [&]<class O>(const O& o) {
        if constexpr (is_about_cgroups<O>) use_control_groups();
        Outcome answer = ask(o);
        if (control_groups_.has_frozen()) settle(kPuppets), bury();
        return answer;
      },
      op);
}

Outcome System::ask(const CgroupMake& op) { return control_groups_.make(op.group, op.below); }
Outcome System::ask(const CgroupRemove& op) { return control_groups_.remove(op.group); }

/// 0 would be us.
Outcome System::ask(const CgroupMove& op) {
  const int number = op.task.n > 0 ? stage_.number_outside(op.task.n) : op.task.n;
  if (op.task.n < 0) return control_groups_.move(op.task.n, op.group);
  return control_groups_.move(number > 0 ? number : kNeverAPid.n, op.group);
}

Outcome System::ask(const CgroupOf& op) {
  const std::string_view text =
      op.task.n > 0 ? read(fmt::format("{}/cgroup", op.task.n)) : std::string_view{};
  if (text.empty()) return Outcome::failure(Errno::srch);
  return control_groups_.group_in(text).value_or(Outcome::number(0));
}

Outcome System::ask(const PidsMax& op) {
  if (op.group == 0 && outside_control_groups() > 0)
    throw SystemLimit("group 0 is bounded here only if nobody was dead before the first group");
  return control_groups_.limit(op.group, op.limit);
}

Outcome System::ask(const CgroupFreeze& op) {
  if (!stage_.abilities().wait_channels)
    throw SystemLimit("who is frozen is not shown here");
  return control_groups_.freeze(op.group, true);
}

Outcome System::ask(const CgroupThaw& op) { return control_groups_.freeze(op.group, false); }

/// Where a task sleeps that is frozen: on its way to user space, where signals are looked at.
bool System::is_frozen(Pid task) const {
  const std::string_view where = read(fmt::format("{}/wchan", task.n));
  return where == "get_signal" || where == "do_freezer_trap";
}

/// What the child that a puppet makes says its number is, in its own namespace; 0 if it has not
/// said it yet. Who is born frozen, or stops for a tracer first, does not until it goes on: that is
/// the one that is no puppet.
std::int32_t System::said_by_newborn(const Puppet& maker) const {
  const std::int32_t said = stage_.slot(maker.child).tid;
  const bool frozen = control_groups_.has_frozen() && names_cgroup(maker.op);
  const bool trapped = traced_ && clone_flags_of(maker.op).has(clone_flag::ptrace);
  if (said != 0 || (!frozen && !trapped)) return said;
  std::vector<Pid> all;
  tasks(all);
  for (const Pid task : all) {
    if (find(task) != nullptr) continue;
    if (!(frozen && is_frozen(task)) && !(trapped && is_trapped(task))) continue;
    const std::vector<std::int32_t> numbers = chain(task.n);
    return numbers.empty() ? task.n : numbers.back();
  }
  return 0;
}

Outcome System::ask(const PidsCurrent& op) {
  Outcome answer = control_groups_.count(op.group);
  if (op.group == 0 && answer.kind == Outcome::Kind::value)
    answer.value += outside_control_groups();
  return answer;
}

}  // namespace forkproof::harness::kernel
