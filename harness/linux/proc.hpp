/// What /proc tells of a task, read from files that the kernel keeps stable: stat, status, maps.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "spec/outcome.hpp"

namespace forkproof::harness::kernel {

/// The fields of /proc/PID/stat that count here.
struct TaskStat {
  std::string_view comm;  // in the text
  char state = '?';       // R S D T Z X, as the file has it
  std::int32_t ppid = 0, pgid = 0, sid = 0;
  std::uint64_t flags = 0;
  std::int32_t exit_signal = 0, exit_code = 0;
  std::int32_t nice = 0, rt_priority = 0, policy = 0;
};
std::optional<TaskStat> parse_stat(std::string_view text);

/// Only the state and the flags, which come early in the line.
struct TaskGlance {
  char state = '?';
  std::uint64_t flags = 0;
};
std::optional<TaskGlance> parse_glance(std::string_view text);

/// Whether a task in this state has stopped, perhaps for its tracer.
constexpr bool is_halted(char state) { return state == 'T' || state == 't'; }

/// The fields of /proc/PID/status that count here.
struct TaskStatus {
  std::int32_t tgid = 0, tracer = 0, threads = 0;
  std::uint64_t pending = 0, shared_pending = 0, blocked = 0, ignored = 0, caught = 0;
  std::uint32_t user = 0;          // the real one
  std::uint64_t capabilities = 0;  // in effect
  bool signals = false;  // whether the sets were there, all of them
  std::vector<std::int32_t> numbers;  // in its pid namespaces, from that of the /proc inwards
};
std::optional<TaskStatus> parse_status(std::string_view text);

/// The first number of /proc/PID/syscall; nothing for a task that is not off the CPU.
std::optional<std::uint64_t> parse_syscall(std::string_view text);

/// The mapped pages of the window in /proc/PID/maps, ascending; their values are left at 0.
void parse_maps(std::string_view text, std::vector<PageView>& out);

/// A view as the spec shows it. What differs from /proc is in docs/kernel.md.
TaskView view_of(Pid pid, const TaskStat& stat, const TaskStatus& status, State state);

}  // namespace forkproof::harness::kernel
