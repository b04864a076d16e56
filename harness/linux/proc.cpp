/// What /proc tells of a task, read from files that the kernel keeps stable: stat, status, maps.
#include "harness/linux/proc.hpp"

#include <algorithm>
#include <charconv>

#include "harness/linux/shared.hpp"

namespace forkproof::harness::kernel {

namespace {

/// Takes the next word off a line; empty at its end.
std::string_view take_word(std::string_view& text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  const std::size_t end = std::min(text.find_first_of(" \t\n", begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

template <class Number>
bool read_number(std::string_view word, Number& n, int base = 10) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), n, base);
  return error == std::errc{} && end == word.data() + word.size();
}

/// Takes the head of stat off: the number, the program's name, which may contain anything, and the
/// letter of the state, which is answered.
std::optional<char> take_state(std::string_view& text) {
  const std::size_t close = text.rfind(')');
  text.remove_prefix(close == text.npos ? text.size() : close + 1);
  const std::string_view state = take_word(text);
  return state.size() == 1 ? std::optional{state[0]} : std::nullopt;
}

/// Takes the head off a line; false if it has another.
bool after(std::string_view head, std::string_view& line) {
  if (!line.starts_with(head)) return false;
  line.remove_prefix(head.size());
  return true;
}

/// The program's name: what is in the parentheses.
std::string_view comm_in(std::string_view text) {
  const std::size_t open = std::min(text.find('('), text.size()), close = text.rfind(')');
  return close == text.npos || close <= open ? "" : text.substr(open + 1, close - open - 1);
}

}  // namespace

std::optional<TaskStat> parse_stat(std::string_view text) {
  TaskStat s;
  s.comm = comm_in(text);
  const std::optional<char> state = take_state(text);
  if (!state) return std::nullopt;
  s.state = *state;
  for (int field = 4; field <= 52; ++field) {
    const std::string_view word = take_word(text);
    const bool good = field == 4    ? read_number(word, s.ppid)
                      : field == 5  ? read_number(word, s.pgid)
                      : field == 6  ? read_number(word, s.sid)
                      : field == 9  ? read_number(word, s.flags)
                      : field == 19 ? read_number(word, s.nice)
                      : field == 38 ? read_number(word, s.exit_signal)
                      : field == 40 ? read_number(word, s.rt_priority)
                      : field == 41 ? read_number(word, s.policy)
                      : field == 52 ? read_number(word, s.exit_code)
                                    : !word.empty();
    if (!good) return std::nullopt;
  }
  return s;
}

std::optional<TaskGlance> parse_glance(std::string_view text) {
  const std::optional<char> state = take_state(text);
  if (!state) return std::nullopt;
  TaskGlance g;
  g.state = *state;
  for (int field = 4; field < 9; ++field) take_word(text);
  if (!read_number(take_word(text), g.flags)) return std::nullopt;
  return g;
}

std::optional<TaskStatus> parse_status(std::string_view text) {
  TaskStatus s;
  struct Wanted {
    std::string_view key;
    std::int32_t* number;
    std::uint64_t* set;
  };
  const Wanted wanted[] = {
      {"Tgid:", &s.tgid, nullptr},      {"TracerPid:", &s.tracer, nullptr},
      {"Threads:", &s.threads, nullptr},
      {"SigPnd:", nullptr, &s.pending}, {"ShdPnd:", nullptr, &s.shared_pending},
      {"SigBlk:", nullptr, &s.blocked}, {"SigIgn:", nullptr, &s.ignored},
      {"SigCgt:", nullptr, &s.caught}};
  constexpr std::string_view kNumbers = "NSpid:";
  constexpr std::string_view kUser = "Uid:", kCapabilities = "CapEff:";
  std::size_t found = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (after(kNumbers, line))
      for (std::int32_t n = 0; read_number(take_word(line), n);) s.numbers.push_back(n);
    if (after(kUser, line)) read_number(take_word(line), s.user);
    if (after(kCapabilities, line)) {  // the last that counts
      read_number(take_word(line), s.capabilities, 16);
      break;
    }
    if (found == std::size(wanted) || !line.starts_with(wanted[found].key)) continue;
    line.remove_prefix(wanted[found].key.size());
    const std::string_view word = take_word(line);
    const Wanted& w = wanted[found++];
    if (!(w.number != nullptr ? read_number(word, *w.number) : read_number(word, *w.set, 16)))
      return std::nullopt;
  }
  if (found < 3) return std::nullopt;
  s.signals = found == std::size(wanted);
  return s;
}

std::optional<std::uint64_t> parse_syscall(std::string_view text) {
  std::uint64_t number = 0;
  if (!read_number(take_word(text), number)) return std::nullopt;
  return number;
}

void parse_maps(std::string_view text, std::vector<PageView>& out) {
  out.clear();
  constexpr std::uint64_t kWindowEnd = kWindowAt + kWindowPages * kPageSize;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view range = take_word(line), rights = take_word(line);
    const std::size_t dash = std::min(range.find('-'), range.size() - 1);
    std::uint64_t from = 0, to = 0;
    if (range.empty() || rights.size() != 4 || !read_number(range.substr(0, dash), from, 16) ||
        !read_number(range.substr(dash + 1), to, 16))
      continue;
    for (std::uint64_t at = std::max(from, kWindowAt); at < std::min(to, kWindowEnd);
         at += kPageSize)
      out.push_back({.page = static_cast<PageNo>((at - kWindowAt) / kPageSize),
                     .mapping = rights[3] == 's' ? Mapping::shared : Mapping::private_,
                     .value = 0});
  }
}

TaskView view_of(Pid pid, const TaskStat& stat, const TaskStatus& status, State state) {
  TaskView v;
  v.state = state;
  v.pid = pid;
  v.tgid = {status.tgid};
  v.ppid = {stat.ppid};
  v.pgid = {stat.pgid};
  v.sid = {stat.sid};
  v.exit_signal = stat.exit_signal;
  constexpr TaskFlags kShown = task_flag::exiting | task_flag::forknoexec | task_flag::superpriv |
                               task_flag::signaled | task_flag::postcoredump |
                               task_flag::nproc_exceeded;
  v.flags = TaskFlags{stat.flags} & kShown;
  constexpr std::uint64_t kRandomize = 0x400000;
  v.randomized = (stat.flags & kRandomize) != 0 ? 1 : 0;
  // Outside of the trace our init was made by a clone, which the world of the trace knows not of.
  if (pid == kInit) v.flags = v.flags - task_flag::forknoexec;
  v.nice = stat.nice;
  v.rt_priority = stat.rt_priority;
  v.policy = static_cast<Policy>(stat.policy);
  if (!status.numbers.empty()) {
    v.nspid = status.numbers.back();
    v.level = static_cast<std::int32_t>(status.numbers.size()) - 1;
  }
  v.threads = status.threads;
  v.tracer = {status.tracer};
  v.blocked = {status.blocked};
  // The last thread of a dead process has nothing that could still come to anybody.
  if (state != State::zombie || status.threads > 1) v.shared_pending = {status.shared_pending};
  if (state == State::zombie) {
    v.exit_code = stat.exit_code;
  } else {
    v.pending = {status.pending};
    v.ignored = {status.ignored};
    v.caught = {status.caught};
  }
  return v;
}

}  // namespace forkproof::harness::kernel
