/// Puppets in pid namespaces below that of the trace. Their calls take and give the numbers of
/// their own; the adapter knows them by those of the trace's, which /proc shows.
#include <fmt/format.h>

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>

#include "harness/linux/descriptor.hpp"
#include "harness/linux/system.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

namespace {

constexpr std::string_view kPidMaxFile = "/proc/sys/kernel/pid_max";
constexpr std::string_view kLastPidFile = "/proc/sys/kernel/ns_last_pid";

}  // namespace

/// Whether what a creating call answers, or the child says of itself, may be other numbers than
/// those of the trace.
bool System::makes_below(const Puppet& maker) const {
  return !maker.numbers.empty() || maker.diverts || makes_namespace(maker.op);
}

/// The numbers of a task from the trace's namespace inwards; none of a task that is gone.
std::vector<std::int32_t> System::chain(std::int32_t task) const {
  const auto status = parse_status(read(fmt::format("{}/status", task)));
  return status ? status->numbers : std::vector<std::int32_t>{};
}

/// What a puppet's own namespace calls a task.
std::int32_t System::number_for(const Puppet& viewer, std::int32_t task) const {
  if (viewer.numbers.empty()) return task;
  const std::vector<std::int32_t> numbers = chain(task);
  return numbers.size() < viewer.numbers.size() ? 0 : numbers[viewer.numbers.size() - 1];
}

/// Whether a task is in a puppet's pid namespace or below it; namespaces of one depth that have the
/// same numbers are told apart.
bool System::sees(const Puppet& viewer, std::int32_t task) const {
  const auto space_of = [&](std::int32_t whose) {
    const std::string path = fmt::format("{}/ns/pid", whose);
    Descriptor space(::openat(stage_.proc(), path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!space && errno == EACCES) throw SystemLimit(path + " is not shown here");
    return space;
  };
  const auto identity = [](const Descriptor& space) {
    struct stat s {};
    if (::fstat(space.get(), &s) != 0) throw SystemFault("a pid namespace has no inode");
    return s.st_ino;
  };
  Descriptor space = space_of(task);
  const Descriptor own = space_of(viewer.tid.n);
  for (std::size_t depth = chain(task).size(); space && own && depth > viewer.numbers.size();
       --depth)
    space = Descriptor(::ioctl(space.get(), NS_GET_PARENT));
  return space && own && identity(space) == identity(own);
}

/// What a puppet calls by a number of its own namespace; 0 if that is nobody's.
std::int32_t System::meant_by(const Puppet& viewer, std::int32_t number) const {
  if (viewer.numbers.empty() || number <= 0) return std::max(number, 0);
  std::vector<Pid> all;
  tasks(all);
  for (const Pid task : all)
    if (number_for(viewer, task.n) == number && sees(viewer, task.n)) return task.n;
  return 0;
}

/// The links that /proc has, as the actor would read them.
Outcome System::compare(const Puppet& actor, const SameNs& op) const {
  struct Link {
    CloneFlags kind;
    const char* name;
  };
  namespace fl = clone_flag;
  constexpr Link kLinks[] = {{fl::newns, "mnt"},   {fl::newuts, "uts"},       {fl::newipc, "ipc"},
                             {fl::newnet, "net"},  {fl::newcgroup, "cgroup"}, {fl::newtime, "time"},
                             {fl::newpid, "pid"},  {fl::newuser, "user"}};
  const std::int32_t other = meant_by(actor, op.task.n);
  const auto target = [&](std::int32_t task, const char* kind) {
    const std::string path = fmt::format("{}/ns/{}", task, kind);
    char text[64];
    const ssize_t n = ::readlinkat(stage_.proc(), path.c_str(), text, sizeof text);
    if (n < 0 && errno != ENOENT) throw SystemLimit(path + " is not shown here");
    return std::string(text, static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  };
  bool same = true;
  for (const auto& [kind, name] : kLinks) {
    if (!op.flags.has(kind)) continue;
    const std::string theirs = target(other, name);
    if (theirs.empty()) return Outcome::failure(Errno::noent);
    same = same && theirs == target(actor.tid.n, name);
  }
  return Outcome::number(same);
}

/// As take_birth: whose numbers are whose is told by /proc. A child that is not found has died.
void System::take_birth_below(std::size_t maker, bool answered) {
  const std::uint32_t child = puppets_[maker].child;
  const std::int64_t result = answered ? stage_.slot(puppets_[maker].slot).result : 0;
  const std::int32_t said = said_by_newborn(puppets_[maker]);
  if (!answered && said == 0) return;
  puppets_[maker].child = 0;
  if (result < 0) spare_slots_.push_back(child);
  if (result < 0) return;
  const std::size_t level = std::max<std::size_t>(puppets_[maker].numbers.size(), 1) - 1;
  const std::int32_t tid = result > 0 ? newborn(child, level, static_cast<std::int32_t>(result))
                                      : newborn(child, SIZE_MAX, said);
  puppets_[maker].made = {result > 0 ? static_cast<std::int32_t>(result)
                                     : number_for(puppets_[maker], tid)};
  if (tid == 0) return spare_slots_.push_back(child);
  add(child, Pid{tid}, puppets_[maker]);
  if (auto numbers = chain(tid); numbers.size() > 1) puppets_.back().numbers = std::move(numbers);
}

bool System::nobody_ends_namespace() const {
  return std::ranges::find(puppets_, true, &Puppet::ends_namespace) == puppets_.end();
}

/// The task that no puppet is known to be and that has this number at a level, or at its innermost
/// one; 0 if there is none. Of several it is the one that listens to the slot.
std::int32_t System::newborn(std::uint32_t slot, std::size_t level, std::int32_t number) const {
  std::vector<Pid> all;
  tasks(all);
  std::vector<std::int32_t> found;
  for (const Pid task : all) {
    if (find(task) != nullptr) continue;
    const auto glance = parse_glance(read(fmt::format("{}/stat", task.n)));
    if (!glance || glance->state == 'Z' || glance->state == 'X') continue;
    const std::vector<std::int32_t> numbers = chain(task.n);
    const std::size_t at = std::min(level, numbers.size() - 1);
    if (!numbers.empty() && numbers[at] == number) found.push_back(task.n);
  }
  const auto listens = [&](std::int32_t task) {
    const std::string address = fmt::format(" {:#x} ", slot_at(slot) + offsetof(Slot, posted));
    return read(fmt::format("{}/syscall", task)).find(address) != std::string_view::npos;
  };
  if (found.size() > 1) std::erase_if(found, [&](std::int32_t task) { return !listens(task); });
  if (found.size() > 1) throw SystemFault("two new tasks cannot be told apart");
  return found.empty() ? 0 : found.front();
}

/// An init whose group has a number in its own namespace that is another's pins that number itself,
/// and waits for ever for it to be free when it ends: not even the end of the trace would end it.
void System::refuse_endless_ends(const Puppet& actor, const Op& op) const {
  const auto* const set = std::get_if<Setpgid>(&op);
  if (set == nullptr || set->group.n == 0 || set->group.n == set->task.n) return;
  for (const Puppet& p : puppets_) {
    if (p.numbers.empty() || p.rest == Rest::gone) continue;
    const std::vector<std::int32_t> init = chain(p.tgid.n);
    if (init.empty() || init.back() != kInit.n) continue;
    const std::int32_t number = number_for(actor, p.tgid.n);
    const bool meant = set->task.n == 0 ? p.tgid == actor.tgid : set->task.n == number;
    if (meant && set->group.n != number)
      throw SystemLimit("an init that joins a group might never end, whatever kills it");
  }
}

/// Whether a task has not ended yet, whatever was seen of it when it was looked at last.
bool System::lives(const Puppet& p) const {
  const auto glance = parse_glance(read(fmt::format("{}/stat", p.tid.n)));
  return glance && glance->state != 'Z' && glance->state != 'X';
}

/// Whether it is the last thread of an init below the trace's own.
bool System::ends_namespace(const Puppet& puppet) const {
  if (puppet.numbers.empty()) return false;
  for (const Puppet& p : puppets_)
    if (p.tgid == puppet.tgid && p.slot != puppet.slot && p.rest != Rest::gone && lives(p))
      return false;
  const std::vector<std::int32_t> numbers = chain(puppet.tgid.n);
  return !numbers.empty() && numbers.back() == kInit.n;
}

/// The files of the namespace answer as the caller's namespace has them, so a puppet must write.
Outcome System::turn_knob(const Op& op) {
  const auto* const max = std::get_if<SetPidMax>(&op);
  const std::int64_t value = max != nullptr ? max->value : std::get<SetPidCursor>(op).value - 1LL;
  if (over_) {  // nobody is left to ask
    const bool good = max != nullptr ? value >= kPidMaxMin && value <= kPidMaxLimit
                                     : value >= 0 && value <= pid_max_;
    if (good && max != nullptr) pid_max_ = max->value;
    return good ? Outcome::success() : Outcome::failure(Errno::inval);
  }
  if (max != nullptr ? stage_.abilities().pid_max == PidMax::missing : !stage_.abilities().cursor)
    throw SystemLimit(fmt::format("{} cannot be varied here", name_of(op)));
  const std::string_view file = max != nullptr ? kPidMaxFile : kLastPidFile;
  const auto at = std::ranges::find_if(puppets_, [](const Puppet& p) {
    return p.rest == Rest::idle && p.numbers.empty();
  });
  const std::string text = std::to_string(value);
  std::int64_t answer = at == puppets_.end() ? -EPERM : stage_.write_file(at->slot, file, text);
  if (at != puppets_.end()) doubt(at->tid);
  if (answer == -EPERM || answer == -EACCES) answer = stage_.write_file_from_outside(file, text);
  if (answer == 0 && max != nullptr) pid_max_ = max->value;
  return answer < 0 ? Outcome::failure(static_cast<Errno>(-answer)) : Outcome::success();
}

/// Of a world that begins, whose init is not to be marked by that.
void System::begin_pid_max(std::int32_t max) {
  doubted_.clear();
  if (stage_.is_init_marked()) doubt(kInit);
  SetPidMax limit;
  limit.value = max;
  const bool marks = is_doubted(kInit) || stage_.abilities().pid_max != PidMax::of_namespace;
  if (!marks && stage_.write_file_unmarked(kPidMaxFile, std::to_string(max)) == 0)
    pid_max_ = max;
  else
    turn_knob(limit);
}

/// A puppet turns a knob of its own namespace.
Outcome System::turn_knob(const Puppet& actor, const NsPidMax& op) {
  if (stage_.abilities().pid_max != PidMax::of_namespace)
    throw SystemLimit("pid_max is not a namespace's own here");
  const std::int64_t answer = stage_.write_file(actor.slot, kPidMaxFile, std::to_string(op.value));
  if (answer == 0 && actor.numbers.empty()) pid_max_ = op.value;
  return answer < 0 ? Outcome::failure(static_cast<Errno>(-answer)) : Outcome::success();
}

Outcome System::turn_knob(const Puppet& actor, const NsPidCursor& op) {
  if (!stage_.abilities().cursor) throw SystemLimit("ns_pid_cursor cannot be varied here");
  const std::int64_t answer =
      stage_.write_file(actor.slot, kLastPidFile, std::to_string(op.value - 1LL));
  return answer < 0 ? Outcome::failure(static_cast<Errno>(-answer)) : Outcome::success();
}

}  // namespace forkproof::harness::kernel
