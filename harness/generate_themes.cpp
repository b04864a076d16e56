/// What random traces are about: how often each op is wanted, which are seldom there, and themes.
#include <algorithm>

#include "harness/generate.hpp"
#include "harness/op_roles.hpp"

namespace forkproof::harness {

namespace {

/// How often an op is wanted in an ordinary trace; 1 for those that are not here.
struct Wanted {
  Named op;
  std::uint32_t weight;
};
constexpr Wanted kWanted[] = {
    {"fork", 24},
    {"vfork", 8},
    {"clone", 24},
    {"clone3", 12},
    {"exec", 8},
    {"exit", 16},
    {"exit_group", 6},
    {"wait4", 22},
    {"waitid", 14},
    {"kill", 24},
    {"tgkill", 8},
    {"sigaction", 12},
    {"sigprocmask", 9},
    {"pause", 4},
    {"getppid", 3},
    {"setpgid", 12},
    {"setsid", 4},
    {"prctl_subreaper", 6},
    {"prctl_pdeathsig", 5},
    {"prctl_name", 4},
    {"mmap", 6},
    {"munmap", 2},
    {"madvise", 4},
    {"read", 5},
    {"write", 8},
    {"pid_cursor", 2},
    {"open", 4},
    {"close", 2},
    {"dup", 2},
    {"fcntl_setfd", 2},
    {"lseek", 4},
    {"umask", 3},
    {"chdir", 2},
    {"getcwd", 2},
    {"unshare", 3},
    {"sigaltstack", 4},
    {"setrlimit", 9},
    {"getrlimit", 2},
    {"setresuid", 9},
    {"capset", 6},
    {"fault", 7},
    {"getrusage", 9},
    {"kthread_create", 10},
    {"kthread_run", 12},
    {"kthread_stop", 14},
    {"kthread_park", 12},
    {"kthread_unpark", 8},
    {"kthread_should_stop", 3},
    {"kthread_should_park", 3},
    {"kthread_parkme", 14},
    {"wake_up_process", 14},
    {"wake_up_state", 9},
    {"set_current_state", 12},
    {"schedule", 16},
    {"hold_kthreadd", 4},
    {"nr_uninterruptible", 4},
    {"active_mm", 8},
    {"mm_users", 5},
    {"mm_count", 5},
    {"task_state_match", 9},
    {"copy_process", 5},
    {"pidfd_open", 6},
    {"pidfd_send_signal", 8},
    {"poll", 6},
    {"setns", 14},
    {"same_ns", 14},
    {"sethostname", 6},
    {"gethostname", 6},
    {"ns_pid_max", 8},
    {"ns_pid_cursor", 10},
    {"map_ids", 6},
    {"sigq", 12},
    {"caught", 6},
    {"spend", 7},
    {"times", 9},
    {"recurse", 3},
    {"ptrace_traceme", 8},
    {"ptrace_attach", 12},
    {"ptrace_seize", 12},
    {"ptrace_interrupt", 8},
    {"ptrace_cont", 24},
    {"ptrace_detach", 8},
    {"ptrace_setoptions", 4},
    {"exec_fails", 9},
    {"personality", 9},
    {"max_namespaces", 12},
    {"get_max_namespaces", 2},
};

constexpr auto kWantedOf = [] {
  std::array<std::uint32_t, kOps> weights{};
  weights.fill(1);
  for (const Wanted& w : kWanted) weights[w.op.index] = w.weight;
  return weights;
}();

/// Ops that a system may pay for: those of a group are off but in so many traces of a hundred, and
/// come there so many times as often as others of the kind.
struct Seldom {
  std::uint32_t percent, times;
  std::initializer_list<Named> ops;
};
constexpr Seldom kSeldom[] = {
    {25, 1, {"setpriority", "getpriority"}},
    {10, 1, {"sched_setscheduler", "sched_getscheduler"}},
    {2, 1, {"sched_setattr", "sched_setaffinity", "sched_getaffinity"}},
    {8, 1, {"setrlimit", "getrlimit", "setresuid", "capset"}},
    {4, 1, {"fault", "getrusage"}},
    {8, 1, {"setns", "same_ns", "sethostname", "gethostname"}},
    {4, 1, {"reboot"}},
    {5, 1, {"ns_pid_max", "ns_pid_cursor"}},
    {12, 1, {"pidfd_open", "pidfd_send_signal", "poll"}},
    {12, 1, {"clone3"}},
    {10,
     3,
     {"cgroup_make", "cgroup_remove", "cgroup_move", "cgroup_of", "pids_max", "pids_current"}},
    {8, 5, {"cgroup_make", "cgroup_move", "cgroup_freeze", "cgroup_thaw"}},
    {6, 1, {"map_ids", "getuid"}},
    {8, 1, {"sigq", "caught"}},
    {2, 1, {"spend", "times"}},
    {2, 1, {"recurse"}},
    {10, 1, {"exec_fails"}},
    {6, 1, {"personality"}},
    {4, 1, {"max_namespaces", "get_max_namespaces"}},
};

/// Tracing is what so many traces of a hundred have.
constexpr std::uint32_t kTraced = 14;

namespace fl = clone_flag;

/// What some traces are about, each for so many of all: ops that seldom meet otherwise, of which
/// those come more often that are named twice; flags of clone and unshare; signals.
struct Theme {
  std::uint32_t share;
  std::initializer_list<Named> ops;
  CloneFlags flags = {};
  std::initializer_list<Signal> signals = {};
  bool tight = false;  // signals are queued up to the limit, and so are those of children that end
};
constexpr Theme kThemes[] = {
    // memory, threads, reapers, numbers
    {60, {"mmap", "madvise", "read", "write", "fork"}},
    {60, {"clone", "exec", "exit", "sigaction"}},
    {30, {"clone", "clone", "exec", "exit", "exit_group", "tgkill", "kill", "fork"}, kThread},
    {70, {"prctl_subreaper", "prctl_subreaper", "fork", "exit", "wait4"}},
    {15, {"prctl_subreaper", "prctl_subreaper", "fork", "clone", "exit"}, fl::parent},
    {25, {"clone", "exit", "fork", "prctl_pdeathsig", "sigaction", "sigprocmask"}, kThread},
    {25, {"clone", "exit", "exit", "fork", "fork", "sigprocmask"}, kThread, {sig::chld}},
    {20,
     {"prctl_pdeathsig", "prctl_pdeathsig", "setresuid", "exec", "fork", "exit"},
     {},
     {sig::kill, sig::usr1}},
    {40, {"pid_max", "pid_cursor", "clone", "wait4", "exit"}},
    {30, {"pid_cursor", "clone", "wait4", "setpgid", "exit"}},
    // signals
    {50, {"sigprocmask", "sigaction", "kill", "tgkill", "clone", "pause"}},
    {30,
     {"kill", "kill", "setpgid", "fork", "exit", "waitid", "wait4"},
     {},
     {sig::stop, sig::tstp, sig::cont}},
    {20, {"kill", "kill", "waitid", "waitid", "fork", "wait4"}, {}, {sig::stop, sig::cont}},
    {25,
     {"kill", "kill", "setpgid", "fork", "exit", "clone"},
     kThread,
     {sig::stop, sig::tstp, sig::cont}},
    {30,
     {"vfork", "vfork", "clone", "kill", "sigprocmask", "sigaction", "exec", "exit"},
     fl::vfork},
    {20, {"vfork", "vfork", "kill", "fork", "wait4"}, {}, {sig::quit, sig::term, sig::stop}},
    // limits, users, usage
    {40, {"setrlimit", "setresuid", "capset", "fork", "exec"}},
    {25, {"setrlimit", "setresuid", "clone", "exec", "wait4"}},
    {30, {"setresuid", "exec", "prctl_pdeathsig", "setrlimit", "getrlimit", "fork", "exit"}},
    {25,
     {"setrlimit", "sigprocmask", "kill", "tgkill", "clone", "exit"},
     {},
     {{40}, {64}, sig::usr1}},
    {40,
     {"setrlimit", "clone", "clone", "fork", "kill", "tgkill", "sigprocmask", "sigaction",
      "sigaction", "exit", "exit", "caught"},
     kThread,
     {{40}, {64}, sig::chld},
     true},
    {40, {"fault", "getrusage", "getrusage", "wait4", "waitid", "exit", "clone", "fork"}},
    {30, {"fault", "fault", "getrusage", "exit", "exit", "clone", "fork", "wait4"}, fl::newpid},
    {30,
     {"tgkill", "tgkill", "kill", "sigprocmask", "sigaction", "setrlimit", "setresuid", "sigq",
      "caught", "clone"},
     kThread,
     {{40}, {40}, {64}, sig::usr1}},
    {30,
     {"tgkill", "kill", "setresuid", "setresuid", "sigprocmask", "setrlimit", "sigq", "sigq",
      "fork", "exit"},
     {},
     {{40}, {40}, sig::chld}},
    {25,
     {"unshare", "map_ids", "setrlimit", "setresuid", "tgkill", "tgkill", "sigprocmask", "sigq",
      "fork"},
     fl::newuser,
     {{40}, {40}, sig::usr1}},
    {25,
     {"tgkill", "tgkill", "setresuid", "setresuid", "sigprocmask", "ptrace_seize", "ptrace_cont",
      "sigq", "sigq", "fork"},
     {},
     {{40}}},
    {12, {"spend", "spend", "times", "times", "exit", "clone", "fork", "wait4", "sigaction"}},
    // scheduling attributes, files
    {30,
     {"setpriority", "getpriority", "sched_setscheduler", "sched_getscheduler", "sched_setattr",
      "sched_setaffinity", "sched_getaffinity", "fork", "clone", "setresuid"}},
    {15, {"sigaltstack", "vfork", "clone", "exec", "prctl_name"}},
    {25, {"clone", "unshare", "umask", "open", "lseek"}},
    {20, {"open", "dup", "close", "fcntl_setfd", "lseek", "clone", "exec", "unshare"}, fl::files},
    {20, {"umask", "chdir", "getcwd", "clone", "unshare", "exec"}, fl::fs},
    // namespaces
    {60, {"clone", "unshare", "fork", "exit", "kill"}},
    {60,
     {"setns", "same_ns", "sethostname", "gethostname", "unshare", "clone", "fork", "exec",
      "umask", "reboot"}},
    {25, {"setns", "setns", "same_ns", "unshare", "clone", "exit", "fork"}, fl::newtime},
    {15, {"setns", "setns", "same_ns", "unshare", "clone", "exit", "fork"}, kThread},
    {15, {"setns", "setns", "same_ns", "unshare", "clone", "chdir", "getcwd"}, fl::fs},
    {30, {"pid_cursor", "unshare", "fork", "wait4", "exit"}, fl::newpid},
    {45,
     {"ns_pid_max", "ns_pid_cursor", "ns_pid_cursor", "unshare", "fork", "exit"},
     fl::newpid},
    {30, {"unshare", "clone", "fork", "setpgid", "setpgid", "wait4", "exit"}, fl::newpid},
    {25, {"unshare", "unshare", "unshare", "fork", "setns", "same_ns", "gethostname"}},
    {15, {"setrlimit", "unshare", "unshare", "unshare", "clone3", "fork"}, fl::newpid},
    {25, {"unshare", "clone", "fork", "reboot", "kill", "wait4"}, fl::newpid},
    {45,
     {"clone", "fork", "fork", "exit", "prctl_subreaper", "prctl_subreaper"},
     fl::newpid},
    // user namespaces
    {30,
     {"map_ids", "setns", "same_ns", "sethostname", "unshare", "clone", "capset", "reboot"},
     fl::newuser},
    {30,
     {"map_ids", "map_ids", "getuid", "setresuid", "unshare", "exec", "capset", "setns",
      "prctl_pdeathsig", "fork"},
     fl::newuser},
    {25,
     {"map_ids", "setrlimit", "setresuid", "clone", "setpriority", "sched_setscheduler", "exec",
      "tgkill"},
     fl::newuser},
    {25,
     {"map_ids", "clone3", "clone", "setns", "setns", "fork", "unshare", "reboot", "exec"},
     fl::newpid | fl::newuser},
    {30, {"map_ids", "exec", "exec", "prctl_pdeathsig", "unshare", "clone", "exit"}},
    {20, {"map_ids", "setns", "setns", "clone", "unshare", "fork"}, fl::newpid | fl::newuser},
    {20, {"map_ids", "setns", "setns", "clone", "exit"}, kThread},
    {20, {"map_ids", "setns", "setns", "clone", "clone", "unshare", "umask"}, fl::fs},
    {20,
     {"map_ids", "unshare", "clone", "ptrace_traceme", "ptrace_attach", "ptrace_seize", "capset",
      "setresuid"},
     fl::newuser},
    {30,
     {"max_namespaces", "max_namespaces", "map_ids", "unshare", "unshare", "clone", "setns", "exit",
      "wait4"},
     fl::newuser},
    {25,
     {"max_namespaces", "max_namespaces", "get_max_namespaces", "map_ids", "clone", "clone3",
      "unshare", "setns", "capset", "exit", "wait4"},
     fl::newuser | fl::newpid},
    {15,
     {"max_namespaces", "max_namespaces", "map_ids", "unshare", "unshare", "setns", "exec",
      "fork", "exit"},
     fl::newpid},
    {20,
     {"max_namespaces", "clone", "clone", "open", "close", "exit", "exit", "wait4", "wait4"},
     fl::newuser | fl::files},
    // pidfds, clone3, control groups
    {45, {"clone3", "pidfd_open", "pidfd_send_signal", "poll", "waitid"}},
    {25, {"clone3", "pidfd_open", "poll", "exit", "exec"}, kThread},
    {30, {"clone3", "clone3", "pidfd_open", "poll", "poll", "close", "exit", "wait4"},
     kThread | fl::files},
    {30, {"pidfd_open", "poll", "poll", "kill", "sigaction", "fork", "exit", "wait4"},
     {},
     {sig::usr1, sig::stop, sig::cont}},
    {20, {"pidfd_open", "poll", "poll", "kill", "fork", "exit", "wait4"}, {}, {sig::stop}},
    {20, {"clone3", "pidfd_open", "waitid", "waitid", "exit", "exit", "wait4", "pid_cursor"}},
    {20,
     {"pidfd_open", "poll", "poll", "ptrace_seize", "ptrace_traceme", "fork", "exit", "wait4"}},
    {20, {"clone3", "clone", "pidfd_send_signal", "sigprocmask", "exit"}},
    {25,
     {"clone3", "clone3", "pidfd_open", "pidfd_send_signal", "pidfd_send_signal", "setpgid",
      "setpgid", "setsid", "exit", "wait4", "wait4", "pid_cursor"}},
    {25, {"clone3", "clone3", "sigaction", "sigaction", "fork", "exit", "wait4"}, {}, {sig::chld}},
    {20,
     {"clone3", "clone3", "cgroup_make", "kill", "vfork", "vfork", "sigaction", "clone"},
     kThread,
     {sig::usr1, sig::chld}},
    {20, {"clone3", "clone3", "unshare", "open", "dup", "setrlimit"}, fl::newpid},
    {25,
     {"clone3", "clone3", "cgroup_make", "cgroup_of", "pids_current", "pids_max", "cgroup_freeze",
      "exit"}},
    {25,
     {"cgroup_make", "cgroup_move", "cgroup_remove", "cgroup_of", "pids_max", "pids_current",
      "clone", "exit", "wait4"}},
    {25,
     {"cgroup_make", "cgroup_move", "cgroup_freeze", "cgroup_thaw", "kill", "clone", "vfork",
      "exec", "wait4"}},
    // tracing
    {30,
     {"ptrace_traceme", "ptrace_attach", "ptrace_seize", "ptrace_interrupt", "ptrace_cont",
      "ptrace_detach", "kill", "sigprocmask", "fork", "wait4"}},
    {30,
     {"ptrace_seize", "ptrace_attach", "ptrace_traceme", "ptrace_cont", "fork", "exit", "exec",
      "unshare", "waitid", "ptrace_setoptions"}},
    {15, {"ptrace_seize", "ptrace_attach", "ptrace_interrupt", "ptrace_cont", "clone"}, kThread},
    // execs that fail, and what they lay out how
    {15, {"personality", "personality", "exec", "exec", "exec_fails", "fork", "vfork", "clone"}},
    {10,
     {"personality", "personality", "exec", "exec", "unshare", "unshare", "map_ids", "fork"},
     fl::newuser},
    {20,
     {"exec_fails", "exec_fails", "clone", "clone", "sigaction", "sigprocmask", "wait4", "kill"},
     fl::vm | fl::sighand,
     {{11}, {11}, sig::usr1}},
    {12, {"exec_fails", "exec_fails", "vfork", "clone", "open", "wait4", "fork"}, fl::files},
    {12, {"exec_fails", "exec_fails", "unshare", "clone", "same_ns", "fork"}, fl::newtime},
    {12,
     {"exec_fails", "exec_fails", "fork", "ptrace_traceme", "ptrace_seize", "ptrace_cont",
      "ptrace_cont", "ptrace_detach", "wait4"}},
    {25,
     {"exec_fails", "exec_fails", "clone", "ptrace_traceme", "ptrace_seize", "ptrace_cont",
      "ptrace_cont", "ptrace_detach", "ptrace_detach"},
     fl::newpid,
     {sig::segv, sig::segv, sig::stop}},
    {50,
     {"ptrace_seize", "ptrace_attach", "ptrace_cont", "ptrace_cont", "ptrace_detach", "clone",
      "clone", "kill", "tgkill", "ptrace_interrupt", "wait4"},
     kThread,
     {sig::stop, sig::cont, sig::tstp, sig::term}},
    {25,
     {"ptrace_seize", "ptrace_attach", "clone", "clone", "exec", "exec", "exit_group", "kill",
      "tgkill", "ptrace_cont"},
     kThread,
     {sig::term, sig::usr1}},
    {50,
     {"ptrace_seize", "ptrace_attach", "ptrace_traceme", "clone", "clone", "exit", "exit_group",
      "wait4", "waitid", "exec", "ptrace_cont", "fork", "sigaction"},
     kThread,
     {sig::chld, sig::kill, sig::usr1}},
};

/// Worlds with kernel threads have themes of their own.
constexpr Theme kKthreadThemes[] = {
    {50,
     {"kthread_create", "kthread_run", "kthread_stop", "kthread_park", "kthread_unpark",
      "wake_up_process", "kthread_parkme", "schedule"}},
    {30,
     {"kthread_run", "set_current_state", "set_current_state", "schedule", "schedule",
      "wake_up_state", "nr_uninterruptible", "kthread_stop"}},
    {30,
     {"kthread_run", "active_mm", "active_mm", "mm_users", "mm_count", "fork", "exit", "exit",
      "exec", "mmap"}},
    {15, {"kthread_run", "active_mm", "mm_users", "mm_count", "clone", "exit", "wait4"},
     clone_flag::vm},
    {15,
     {"kthread_run", "task_state_match", "task_state_match", "wake_up_state", "kill", "fork",
      "ptrace_attach", "exit"},
     {},
     {sig::stop, sig::cont, sig::kill}},
    {20,
     {"kthread_create", "kthread_create", "hold_kthreadd", "copy_process", "copy_process", "fork",
      "wake_up_process", "task_state_match", "kill", "setpriority", "sched_setscheduler",
      "sched_setattr"},
     {},
     {sig::kill}},
    {20,
     {"kthread_create", "kthread_run", "hold_kthreadd", "kill", "fork", "wake_up_process"},
     {},
     {sig::kill}},
    {10,
     {"kthread_run", "cgroup_make", "cgroup_move", "cgroup_freeze", "wake_up_process", "exit",
      "exec"}},
    {10,
     {"kthread_create", "kthread_create", "hold_kthreadd", "copy_process", "copy_process", "fork",
      "cgroup_make", "cgroup_move", "cgroup_move"}},
};

/// So many traces in a hundred have hardly anything besides their theme, and few tasks.
constexpr std::uint32_t kNarrow = 50;
constexpr std::size_t kFew = 5;
/// How often an op of the theme is wanted, at least.
constexpr std::uint32_t kShare = 24;
/// In so many, in a hundred, the flags and signals of the theme are what is most wanted.
constexpr std::uint32_t kFaithful = 60;
/// So many worlds in a hundred that have kernel threads are about them.
constexpr std::uint32_t kOfKthreads = 75;
/// What is there all the same, a little.
constexpr Named kBasics[] = {"fork", "clone", "exit", "wait4", "kill"};

}  // namespace

void Generator::weigh_ops() {
  for (std::size_t i = 0; i < kOps; ++i)
    weights_[i] = dice_.percent(25) ? 0 : kWantedOf[i] * (1 + dice_.below(4));
  if (dice_.percent(5))  // so that descriptors run out
    for (const Named op : {Named("open"), Named("dup")}) weights_[op.index] *= 16;
  std::array<std::uint32_t, kOps> rare{};  // an op may be in several groups
  for (const Seldom& seldom : kSeldom) {
    const std::uint32_t weight =
        dice_.percent(seldom.percent) ? seldom.times * (3 + dice_.below(8)) : 0;
    for (const Named op : seldom.ops)
      weights_[op.index] = rare[op.index] = std::max(weight, rare[op.index]);
  }
  const bool traced = dice_.percent(kTraced);
  for (std::size_t i = 0; i < kOps; ++i)
    if (kRoles[i] == Role::traces)
      weights_[i] = traced ? kWantedOf[i] * (1 + dice_.below(3)) : 0;
  const auto at_least = [&](Named op) {
    weights_[op.index] = std::max(weights_[op.index], kWantedOf[op.index]);
  };
  at_least(dice_.percent(50) ? Named("fork") : Named("clone"));
  if (dice_.percent(80)) at_least("exit");
}

void Generator::choose_theme(const Generator* about) {
  of_kthreads_ = about != nullptr ? about->of_kthreads_
                                  : world_.kthreads && dice_.percent(kOfKthreads);
  const std::span<const Theme> themes =
      of_kthreads_ ? std::span<const Theme>(kKthreadThemes) : std::span<const Theme>(kThemes);
  std::uint32_t all = 0;
  for (const Theme& theme : themes) all += theme.share;
  std::uint32_t at = dice_.below(all);
  for (theme_ = 0; at >= themes[theme_].share; ++theme_) at -= themes[theme_].share;
  if (about != nullptr) theme_ = about->theme_;
  const Theme& theme = themes[theme_];

  std::array<std::uint32_t, kOps> shares{};
  for (const Named op : theme.ops) shares[op.index] += kShare * (1 + dice_.below(3));
  dwell_on(shares);
  if (dice_.percent(kFaithful)) theme_flags_ = theme.flags;
  if (dice_.percent(kFaithful)) favourite_signals_ = theme.signals;
  is_tight_ = theme.tight;
}

/// These ops more often than others, or nearly them alone.
void Generator::dwell_on(const std::array<std::uint32_t, kOps>& shares) {
  if (dice_.percent(kNarrow)) {
    std::array<std::uint32_t, kOps> basics{};
    for (const Named op : kBasics) basics[op.index] = (weights_[op.index] + 3) / 4;
    weights_ = basics;
    crowd_ = std::min(crowd_, kFew);
    if (dice_.percent(40)) persistent_ = 50;
  } else {
    for (std::uint32_t& weight : weights_) weight = (weight + 1) / 2;
  }
  for (std::size_t i = 0; i < kOps; ++i) weights_[i] += shares[i];
  adopts_ = shares[Named("prctl_subreaper").index] > 0;
  const bool of_numbers = shares[Named("pid_cursor").index] > 0;
  if (of_numbers && dice_.percent(40)) world_.pid_max = dice_.between(kPidMaxMin, kPidMaxMin + 3);
}

}  // namespace forkproof::harness
