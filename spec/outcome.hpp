/// What is seen of an op: its outcome, the blocked calls that return because of it, and the state
/// of every task as /proc would show it. The words in which systems and the model answer.
#pragma once
#include <tuple>
#include <vector>

#include "spec/ops.hpp"

namespace forkproof {

/// What became of a child, as wait tells it.
enum class Change : std::uint8_t { exited, killed, dumped, stopped, continued };
inline constexpr std::array kChanges{Word{"exited", 0}, Word{"killed", 1}, Word{"dumped", 2},
                                     Word{"stopped", 3}, Word{"continued", 4}};

/// The answer to one op. Only the members that `kind` names count; the others keep their defaults,
/// so that answers compare member by member.
struct Outcome {
  enum class Kind : std::uint8_t {
    nothing,  ///< `exit` and `exit_group`: nobody is there to be answered
    value,    ///< `value`: a page number, a page's content, 0 for plain success
    task,     ///< `who`: the number of a task, a group or a session
    error,    ///< `error`
    blocks,   ///< the call has not returned: it sleeps, or its task was stopped before it could;
              ///< `who`: the task that a vfork made
    dies,     ///< `code`: the signal that killed the actor before the call returned
    not_run,  ///< the actor is blocked, stopped, dead or unborn; nothing changed
    none,     ///< wait with WNOHANG: there are children, but no news
    change,   ///< wait: `who` and `change`, with the exit status or the signal in `code`
  };

  Kind kind = Kind::nothing;
  Errno error = Errno::ok;
  Change change = Change::exited;
  std::int32_t code = 0;
  TaskRef who{};
  std::int64_t value = 0;

  static constexpr Outcome of(Kind k) { return {.kind = k}; }
  static constexpr Outcome number(std::int64_t v) { return {.kind = Kind::value, .value = v}; }
  static constexpr Outcome success() { return number(0); }
  static constexpr Outcome task(TaskRef t) { return {.kind = Kind::task, .who = t}; }
  static constexpr Outcome task(Pid p) { return task(TaskRef::number(p)); }
  static constexpr Outcome failure(Errno e) { return {.kind = Kind::error, .error = e}; }
  static constexpr Outcome death(Signal s) { return {.kind = Kind::dies, .code = s.n}; }
  static constexpr Outcome news(TaskRef t, Change c, std::int32_t code) {
    return {.kind = Kind::change, .change = c, .code = c == Change::continued ? 0 : code, .who = t};
  }
  static constexpr Outcome news(Pid p, Change c, std::int32_t code) {
    return news(TaskRef::number(p), c, code);
  }

  friend constexpr bool operator==(const Outcome&, const Outcome&) = default;
};

/// A blocked call of `task` that now returns.
struct Returned {
  Pid task;
  Outcome outcome;
  friend constexpr bool operator==(const Returned&, const Returned&) = default;
};

/// A task whose visible state a step may have changed; `memory` when its pages may have.
struct Touched {
  Pid task;
  bool memory = false;
};

/// Everything that one op did, as far as it can be seen.
struct Effects {
  Outcome outcome;
  std::vector<Returned> returned;  // in no order that counts
  std::vector<Touched> touched;    // a superset of what changed, repeats allowed

  void clear() { outcome = {}, returned.clear(), touched.clear(); }
};

/// One task as /proc/PID/stat and status show it. Threads have views of their own. `pid` is the
/// thread's number. A zombie's view shows what its parent can still wait for.
struct TaskView {
  State state = State::dead;
  Pid pid, tgid, ppid, pgid, sid;
  std::int32_t exit_signal = 0;  // -1 for a thread that is not the leader
  std::int32_t exit_code = 0;    // of a zombie: the status that wait4 would store, or, while its
                                 // process is stopped, the signal of that, until it is reported
  TaskFlags flags;
  std::int32_t threads = 0;  // not yet released, the leader included
  SigSet pending, shared_pending, blocked, ignored, caught;
  Comm comm = Comm::puppet;
  std::int32_t nice = 0;
  Policy policy = Policy::other;
  std::int32_t rt_priority = 0;
  std::int32_t nspid = 0;  // its number in its own pid namespace
  std::int32_t level = 0;  // how many namespaces below the world's that is
  User user = User::root;
  Capabilities capabilities;
  Pid tracer;  // 0 for none
  std::int32_t randomized = 0;  // PF_RANDOMIZE
  friend constexpr bool operator==(const TaskView&, const TaskView&) = default;

  /// The fields, once: `expect`, reports and comparisons are derived from it.
  static constexpr auto fields();
};

template <class Value>
struct Field {
  std::string_view name;
  std::string_view says;
  Value TaskView::*at;
};
template <class Value>
Field(std::string_view, std::string_view, Value TaskView::*) -> Field<Value>;

constexpr auto TaskView::fields() {
  return std::tuple{
      Field{"state", "running, sleeping, disk-sleep, stopped, zombie, dead, parked, idle or traced",
            &TaskView::state},
      Field{"pid", "the task's own number", &TaskView::pid},
      Field{"tgid", "the number of its process", &TaskView::tgid},
      Field{"ppid", "the number of its parent process", &TaskView::ppid},
      Field{"pgid", "its process group", &TaskView::pgid},
      Field{"sid", "its session", &TaskView::sid},
      Field{"exit_signal", "the signal its parent gets when it dies, -1 for a thread",
            &TaskView::exit_signal},
      Field{"exit_code", "a zombie's wait status, or the signal that its process is stopped by",
            &TaskView::exit_code},
      Field{"flags", "its task flags", &TaskView::flags},
      Field{"threads", "how many threads its process has, not counting released ones",
            &TaskView::threads},
      Field{"pending", "signals pending for the thread", &TaskView::pending},
      Field{"shared_pending", "signals pending for the process", &TaskView::shared_pending},
      Field{"blocked", "signals the thread blocks", &TaskView::blocked},
      Field{"ignored", "signals whose disposition is ignore", &TaskView::ignored},
      Field{"caught", "signals that have a handler", &TaskView::caught},
      Field{"comm", "what the thread is called", &TaskView::comm},
      Field{"nice", "its nice value", &TaskView::nice},
      Field{"policy", "how it is scheduled", &TaskView::policy},
      Field{"rt_priority", "its priority among real-time tasks, 0 of others",
            &TaskView::rt_priority},
      Field{"nspid", "its number in its own pid namespace", &TaskView::nspid},
      Field{"level", "how deep below the world's its pid namespace is", &TaskView::level},
      Field{"user", "the real user that it is run by", &TaskView::user},
      Field{"capabilities", "those that it has in effect", &TaskView::capabilities},
      Field{"tracer", "the number of the task that traces it, 0 if none does", &TaskView::tracer},
      Field{"randomized", "1 if its memory is laid out at random (PF_RANDOMIZE), else 0",
            &TaskView::randomized},
  };
}

/// One mapped page as its address space has it.
struct PageView {
  PageNo page = 0;
  Mapping mapping = Mapping::private_;
  PageValue value = 0;
  friend constexpr bool operator==(const PageView&, const PageView&) = default;
};

/// The world that a trace starts in: init alone, number 1, leader of session 1 and group 1.
struct WorldSpec {
  Profile profile = Profile::linux_6;
  std::int32_t pid_max = kPidMaxDefault;  // kPidMaxMin..kPidMaxLimit
  bool kthreads = false;  // number 2 is kthreadd, and the functions of the kernel are answered
  friend constexpr bool operator==(const WorldSpec&, const WorldSpec&) = default;
};

}  // namespace forkproof
