/// What can be seen of the tasks of a namespace, by its /proc.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "harness/describe.hpp"
#include "harness/linux/system.hpp"
#include "harness/system_fault.hpp"

namespace forkproof::harness::kernel {

namespace {

[[noreturn]] void fault(const std::string& what) {
  throw SystemFault(fmt::format("{}: {}", what, std::strerror(errno)));
}

State state_at(Rest rest) {
  switch (rest) {
    case Rest::idle:
      return State::running;
    case Rest::asleep:
    case Rest::frozen:
      return State::sleeping;
    case Rest::suspended:
      return State::disk_sleep;
    case Rest::stopped:
      return State::stopped;
    case Rest::traced:
      return State::traced;
    case Rest::gone:
    case Rest::none:
      break;
  }
  return State::dead;
}

}  // namespace

TaskView System::view(Pid p) const {
  const std::string text{read(fmt::format("{}/stat", p.n))};
  const auto stat = parse_stat(text);
  if (!stat) return {};
  const auto status = parse_status(read(fmt::format("{}/status", p.n)));
  if (!status || (stage_.abilities().signals && !status->signals)) return {};
  const Puppet* const puppet = find(p);
  const State state = stat->state == 'Z'  ? State::zombie
                      : puppet == nullptr ? State::dead
                                          : state_at(puppet->rest);
  TaskView v = view_of(p, *stat, *status, state);
  v.comm = comm_of(stat->comm);
  v.user = stage_.rights().user_of(status->user);
  v.capabilities = capabilities_of(status->capabilities, stage_.abilities());
  if (!policies_are_real_) v.policy = Policy::other, v.rt_priority = 0;
  hide(v);
  return v;
}

/// What the kernel calls the puppets' program a trace calls `puppet`. A name that no trace has is
/// shown as one that no task has.
Comm System::comm_of(std::string_view comm) const {
  if (comm == stage_.program_name()) return Comm::puppet;
  return static_cast<Comm>(
      value_of(kComms, comm).value_or(static_cast<std::uint64_t>(Comm::too_long)));
}

void System::hide(TaskView& v) const {
  const Abilities& a = stage_.abilities();
  if (!a.flags) v.flags = {};
  if (is_doubted(v.pid)) v.flags = v.flags - task_flag::superpriv;
  if (!a.flags || !a.randomizes) v.randomized = 0;
  if (!a.exit_codes) v.exit_code = 0;
  if (!a.names) v.comm = {};
  if (!a.policies) v.policy = {}, v.nice = v.rt_priority = 0;
  if (!a.namespaces) v.nspid = v.level = 0;
  if (!a.users) v.user = User::root;
  if (!a.capabilities) v.capabilities = {};
  if (!a.signals) v.pending = v.shared_pending = v.blocked = v.ignored = v.caught = {};
}

/// A field is not shown if hiding clears it, whatever is in it.
void System::expect_shown(std::size_t field, Pid task) const {
  TaskView full;
  full.pid = task;
  full.flags = task_flag::exiting | task_flag::superpriv;
  full.randomized = full.exit_code = full.nice = full.rt_priority = full.nspid = full.level = 1;
  full.comm = Comm::worker;
  full.policy = Policy::fifo;
  full.user = User::alice;
  full.capabilities = capability::all;
  full.pending = full.shared_pending = full.blocked = full.ignored = full.caught = {1};
  TaskView left = full;
  hide(left);
  if (describe_field(full, field) != describe_field(left, field))
    throw SystemLimit(
        fmt::format("the trace expects what is not shown here: {}", describe_field(full, field)));
}

void System::pages(Pid p, std::vector<PageView>& out) const {
  parse_maps(read(fmt::format("{}/maps", p.n), true), out);
  if (out.empty()) return;
  const std::string path = fmt::format("{}/mem", p.n);
  const Descriptor memory(::openat(stage_.proc(), path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!memory && errno == EACCES)  // of a program that was executed in a user namespace below ours
    throw SystemLimit("the memory of a task is kept from who is not root here");
  if (!memory) throw SystemFault(fmt::format("{}: {}", path, std::strerror(errno)));
  for (PageView& page : out)
    if (::pread(memory.get(), &page.value, sizeof page.value,
                static_cast<off_t>(kWindowAt + page.page * kPageSize)) != sizeof page.value)
      throw SystemFault(fmt::format("the memory of {} cannot be read", p.n));
}

void System::tasks(std::vector<Pid>& out) const {
  out.clear();
  for (const std::int32_t process : numbers_in("."))
    for (const std::int32_t thread : numbers_in(fmt::format("{}/task", process)))
      out.push_back({thread});
  std::ranges::sort(out);
}

/// The names in a folder of the namespace's /proc that are numbers; none of a task that is gone.
std::vector<std::int32_t> System::numbers_in(const std::string& folder) const {
  std::vector<std::int32_t> numbers;
  const Descriptor file = open(folder, O_RDONLY | O_DIRECTORY);
  if (!file) return numbers;
  alignas(dirent64) unsigned char entries[8192];
  while (true) {
    const ssize_t size = ::getdents64(file.get(), entries, sizeof entries);
    if (size < 0 && errno != ENOENT && errno != ESRCH) fault(folder);
    if (size <= 0) return numbers;
    for (ssize_t at = 0; at < size;) {
      const auto& entry = reinterpret_cast<const dirent64&>(entries[at]);
      at += entry.d_reclen;
      const std::string_view name = entry.d_name;
      std::int32_t n = 0;
      const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), n);
      if (error == std::errc{} && end == name.data() + name.size()) numbers.push_back(n);
    }
  }
}

std::string_view System::read(const std::string& path, bool to_the_end) const {
  const Descriptor file = open(path, O_RDONLY);
  return file ? read(file.get(), to_the_end) : std::string_view{};
}

/// A file or folder of the namespace's /proc; none of a task that is gone.
Descriptor System::open(const std::string& path, int flags) const {
  Descriptor file(::openat(stage_.proc(), path.c_str(), flags | O_CLOEXEC));
  if (!file && errno != ENOENT && errno != ESRCH) fault(path);
  return file;
}

/// What a task sleeps in. Of one that has no memory any more the kernel tells it to root alone.
std::string_view System::read_call(Descriptor& kept, Pid task) const {
  const std::string path = fmt::format("{}/syscall", task.n);
  if (!kept) kept = Descriptor(::openat(stage_.proc(), path.c_str(), O_RDONLY | O_CLOEXEC));
  text_.resize(std::max<std::size_t>(text_.size(), 4096));
  const ssize_t n = kept ? ::pread(kept.get(), text_.data(), text_.size(), 0) : -1;
  constexpr int kGoing[] = {ENOENT, ESRCH, EACCES, EPERM};
  if (n < 0 && std::ranges::find(kGoing, errno) == std::end(kGoing)) fault(path);
  return {text_.data(), static_cast<std::size_t>(std::max<ssize_t>(n, 0))};
}

/// A file of a task that is read often stays open.
std::string_view System::read(Descriptor& kept, Pid task, const char* name) const {
  if (!kept) kept = open(fmt::format("{}/{}", task.n, name), O_RDONLY);
  return kept ? read(kept.get(), false) : std::string_view{};
}

/// What a file holds; nothing of a task that is gone. A file that is not read to its end is one
/// whose text is known to be short.
std::string_view System::read(int fd, bool to_the_end) const {
  std::size_t size = 0;
  while (true) {
    if (text_.size() < size + 4096) text_.resize(size + 8192);
    const ssize_t n =
        ::pread(fd, text_.data() + size, text_.size() - size, static_cast<off_t>(size));
    if (n < 0 && errno != ESRCH) fault("a file of /proc");
    if (n < 0) return {};
    size += static_cast<std::size_t>(n);
    if (n == 0 || (!to_the_end && size < 4096)) return {text_.data(), size};
  }
}

}  // namespace forkproof::harness::kernel
