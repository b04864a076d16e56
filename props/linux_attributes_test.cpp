/// Masks of processors and deadlines on the running kernel, which its adapter leaves out, as all of
/// its puppets share one processor. Puppets that may run anywhere do what a trace says, the model
/// does the same, and their answers must be the same, one by one.
///
/// The model's first processor stands for the machine's first, and the model's others, all of them
/// together, for the machine's others. What is not there stands for what is not there.
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/generate.hpp"
#include "harness/linux/calls.hpp"
#include "harness/linux/schedule.hpp"
#include "harness/linux/stage.hpp"
#include "harness/system_fault.hpp"
#include "spec/derive.hpp"
#include "spec/model.hpp"
#include "spec/text.hpp"

namespace forkproof::props {
namespace {

using harness::Dice;
using harness::SystemFault;
using harness::kernel::Abilities;
using harness::kernel::Action;
using harness::kernel::area_at;
using harness::kernel::give_up;
using harness::kernel::SchedulingPlan;
using harness::kernel::Slot;
using harness::kernel::Stage;

// --- the machine's processors --------------------------------------------------------------------

constexpr std::int32_t kFirst = 1, kOthers = kProcessors & ~kFirst, kNotThere = kProcessors + 1;

class Processors {
 public:
  explicit Processors(const cpu_set_t& machine) : machine_(machine) {
    while (first_ < CPU_SETSIZE && !CPU_ISSET(first_, &machine_)) ++first_;
  }

  int count() const { return CPU_COUNT(&machine_); }

  /// The machine's set that a mask of the model stands for.
  cpu_set_t set_of(std::int32_t mask) const {
    const std::int32_t others = mask & kOthers;
    if (others != 0 && others != kOthers) throw std::logic_error("a mask of some of the others");
    cpu_set_t set;
    CPU_ZERO(&set);
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
      if ((mask & stand_in(cpu)) != 0) CPU_SET(cpu, &set);
    return set;
  }

  /// The mask that stands for a set; -1 if none does.
  std::int32_t mask_of(const cpu_set_t& set) const {
    for (const std::int32_t mask : {0, kFirst, kOthers, kProcessors}) {
      const cpu_set_t same = set_of(mask);
      if (CPU_EQUAL(&set, &same)) return mask;
    }
    return -1;
  }

 private:
  std::int32_t stand_in(std::size_t cpu) const {
    if (!CPU_ISSET(cpu, &machine_)) return ~kProcessors;
    return cpu == first_ ? kFirst : kOthers;
  }

  cpu_set_t machine_;
  std::size_t first_ = 0;
};

// --- the kernel ----------------------------------------------------------------------------------

std::uint64_t word(std::int64_t n) { return static_cast<std::uint64_t>(n); }

template <class T>
void put(Slot& slot, const T& value) {
  std::memcpy(slot.area, &value, sizeof value);
}

void put_call(Slot& slot, std::uint64_t number, std::initializer_list<std::uint64_t> args) {
  slot.action = Action::call;
  slot.number = number;
  std::ranges::fill(slot.args, 0);
  std::ranges::copy(args, slot.args);
}

cpu_set_t set_in(const Slot& slot) {
  cpu_set_t set;
  std::memcpy(&set, slot.area, sizeof set);
  return set;
}

/// A world of puppets in a pid namespace of their own, where their numbers are those of the model.
class Kernel {
 public:
  Kernel() { reset(); }

  /// A new world, whose init has the ordinary policy and may run everywhere.
  void reset();
  Outcome apply(Pid actor, const Op& op);

  const Processors& processors() const { return processors_; }
  const Abilities& abilities() const { return stage_.abilities(); }

 private:
  void write(const Op& op, std::uint32_t index, std::uint32_t child);
  std::int64_t post(const Op& op, std::uint32_t index, std::uint32_t child);

  Stage stage_{{.one_processor = false, .real_time = false}};
  Processors processors_{cpu_set_t{}};
  std::map<std::int32_t, std::uint32_t> slots_;  // by the numbers of their puppets
  std::uint32_t next_slot_ = 1;
};

void Kernel::reset() {
  stage_.close();
  stage_.open();
  slots_ = {{kInit.n, 0}};
  next_slot_ = 1;
  const auto expect = [](std::string_view what, std::int64_t answer) {
    if (answer < 0) give_up(what, static_cast<int>(-answer));
  };
  Slot& init = stage_.slot(0);
  cpu_set_t set;
  std::memset(&set, 0xFF, sizeof set);
  put(init, set);
  expect("sched_setaffinity", stage_.call(0, SYS_sched_setaffinity, {0, sizeof set, area_at(0)}));
  put(init, cpu_set_t{});
  expect("sched_getaffinity", stage_.call(0, SYS_sched_getaffinity, {0, sizeof set, area_at(0)}));
  processors_ = Processors(set_in(init));
  if (apply(kInit, SchedSetscheduler{}) != Outcome::success())
    throw SystemFault("init cannot have the ordinary policy");
}

/// Writes the op into a slot: those that the adapter leaves out are written here.
void Kernel::write(const Op& op, std::uint32_t index, std::uint32_t child) {
  Slot& slot = stage_.slot(index);
  const auto mask_call = [&](std::uint64_t number, TaskRef task, const cpu_set_t& set) {
    put(slot, set);
    put_call(slot, number, {word(task.n), sizeof set, area_at(index)});
  };
  if (const auto* const set = std::get_if<SchedSetaffinity>(&op)) {
    mask_call(SYS_sched_setaffinity, set->task, processors_.set_of(set->mask));
  } else if (const auto* const get = std::get_if<SchedGetaffinity>(&op)) {
    mask_call(SYS_sched_getaffinity, get->task, cpu_set_t{});
  } else if (const auto* const ask = std::get_if<SchedSetattr>(&op)) {
    SchedulingPlan plan;
    plan.policy = static_cast<std::uint32_t>(Policy::deadline);
    plan.flags = ask->flags.has(sched_flag::reset_on_fork) ? 1 : 0;  // SCHED_FLAG_RESET_ON_FORK
    plan.slice = 1'000'000;
    plan.deadline = plan.period = 10'000'000;
    put(slot, plan);
    put_call(slot, SYS_sched_setattr, {word(ask->task.n), area_at(index), 0});
  } else {
    harness::kernel::write_call(op, slot, index, child);
  }
}

/// Has a puppet do the op. The time of deadlines that are gone is free again a little later, so
/// that for want of it the call is made again.
std::int64_t Kernel::post(const Op& op, std::uint32_t index, std::uint32_t child) {
  constexpr timespec kAWhile{.tv_sec = 0, .tv_nsec = 20'000'000};
  for (int tries_left = 5;; --tries_left) {
    write(op, index, child);
    stage_.post(index);
    if (has_no_outcome(op)) return 0;
    const std::int64_t answer = stage_.await(index);
    const bool full = std::holds_alternative<SchedSetattr>(op) && answer == -EBUSY;
    if (!full || tries_left == 0) return answer;
    ::nanosleep(&kAWhile, nullptr);
  }
}

Outcome Kernel::apply(Pid actor, const Op& op) {
  const std::uint32_t index = slots_.at(actor.n), child = next_slot_;
  const Slot& slot = stage_.slot(index);
  if (creates(op)) stage_.arm(child);
  const std::int64_t answer = post(op, index, child);
  if (has_no_outcome(op)) return Outcome::of(Outcome::Kind::nothing);  // who waits for it, sees it
  if (creates(op) && answer > 0) {
    stage_.await(child);
    slots_[static_cast<std::int32_t>(answer)] = child;
    ++next_slot_;
  }
  if (std::holds_alternative<Exec>(op) && answer == 0) slots_[slot.tid] = index;
  if (std::holds_alternative<SchedGetaffinity>(op) && answer >= 0)
    return Outcome::number(processors_.mask_of(set_in(slot)));
  return harness::kernel::outcome_of(op, slot);
}

// --- the kernel and the model, side by side ------------------------------------------------------

class Pair {
 public:
  explicit Pair(Kernel& kernel) : kernel_(kernel) { begin(); }

  /// A new world in both.
  void begin() {
    kernel_.reset();
    model_.reset({});
    history_.clear();
  }

  /// Has the kernel do `asked` and the model do `told`. Answers whether they answer alike.
  bool agree(Pid actor, const Op& asked, const Op& told) {
    said_ = model_.apply(actor, told, choice_).outcome;
    for (const RuleId rule : model_.fired()) acted_[rule.n] = true;
    const Outcome seen = kernel_.apply(actor, asked);
    const auto text = [&](const Outcome& o) { return to_text(o, {}, answers_with_task(asked)); };
    history_ += fmt::format("{}: {} -> {}\n", actor.n, to_text(asked, {}), text(seen));
    if (seen == said_) return true;
    history_ += fmt::format("the model answers {} ({})\n", text(said_),
                            model_.outcome_rule().rule().id);
    return false;
  }

  const spec::Model& model() const { return model_; }
  /// What the model answered last.
  const Outcome& said() const { return said_; }
  /// What the kernel answered in this world, and the model where that is something else.
  const std::string& history() const { return history_; }
  /// Whether a rule has acted, in any world.
  bool has_acted(RuleId rule) const { return acted_[rule.n]; }

 private:
  Kernel& kernel_;
  spec::Model model_;
  spec::FirstChoice choice_;
  Outcome said_;
  std::string history_;
  std::vector<bool> acted_ = std::vector<bool>(kRules.size());
};

using Twist = Op (*)(Op);
constexpr Twist kAsItIs = [](Op op) { return op; };

/// What was answered up to the first step of a trace in which the two differ; empty if in none.
/// Steps end with a semicolon. The model is told what the twist makes of each op.
std::string disagreement(Pair& pair, std::string_view lines, Twist twist = kAsItIs) {
  std::string text{"forkproof-trace v1\n"};
  std::ranges::replace(text += lines, ';', '\n');
  const Parsed parsed = parse(text);
  if (parsed.error) throw std::logic_error(to_text(*parsed.error, "the trace"));
  pair.begin();
  std::vector<Pid> numbers{kInit};
  for (const Step& s : parsed.script.steps) {
    const Op op = resolve(s.op, numbers);
    const Pid actor = numbers.at(static_cast<std::size_t>(s.actor));
    if (!pair.agree(actor, op, twist(op))) return pair.history();
    if (s.binds == kNoName) continue;
    const Outcome& said = pair.said();
    numbers.push_back(said.kind == Outcome::Kind::task ? said.who.pid() : kNeverAPid);
  }
  return {};
}

class LinuxProcessors : public testing::Test {
 protected:
  void SetUp() override {
    const char* const required = std::getenv("FORKPROOF_REQUIRE_LINUX");
    try {
      kernel_.emplace();
    } catch (const SystemFault& fault) {
      if (required != nullptr && std::string_view(required) == "1") FAIL() << fault.what();
      GTEST_SKIP() << fault.what();
    }
    if (kernel_->processors().count() < 2) GTEST_SKIP() << "there is one processor only";
  }

  /// Both do what the trace says and answer alike, and these rules act in it.
  void expect_agreement(std::string_view lines, std::initializer_list<RuleId> rules) {
    Pair pair(*kernel_);
    EXPECT_EQ(disagreement(pair, lines), "");
    for (const RuleId rule : rules) EXPECT_TRUE(pair.has_acted(rule)) << rule.rule().id;
  }

  std::optional<Kernel> kernel_;
};

class LinuxDeadlines : public LinuxProcessors {
 protected:
  void SetUp() override {
    LinuxProcessors::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::ifstream file("/proc/sys/kernel/sched_rt_runtime_us");
    long kept = 0;
    if (file >> kept && kept < 0) GTEST_SKIP() << "deadlines have no bound, and any processors";
    SchedSetattr probe;
    probe.flags = sched_flag::reset_on_fork;
    const Outcome answer = kernel_->apply(kInit, probe);
    for (const Errno e : {Errno::perm, Errno::busy, Errno::nosys})
      if (answer == Outcome::failure(e))
        GTEST_SKIP() << "init can have no deadline here: " << to_text(answer, {}, false);
  }
};

// --- processors ----------------------------------------------------------------------------------

TEST_F(LinuxProcessors, AreSetAndAnsweredForOneTask) {
  expect_agreement(R"(
    init: fork as A; A: sched_getaffinity 0; A: sched_setaffinity 0 1;
    A: sched_getaffinity 0; init: sched_getaffinity A; init: sched_getaffinity 0;
    init: sched_setaffinity A 14; A: sched_getaffinity 0; A: sched_setaffinity 0 17;
    A: sched_getaffinity A; A: sched_setaffinity init 30; init: sched_getaffinity 0;
    init: sched_setaffinity A 31; A: sched_getaffinity 0)",
                   {"affinity.set"_rule, "affinity.get"_rule});
}

TEST_F(LinuxProcessors, AreInheritedAndStayOverAnExec) {
  expect_agreement(R"(
    init: sched_setaffinity 0 1; init: fork as A; A: sched_getaffinity 0;
    A: clone VM|SIGHAND|THREAD as T; T: sched_getaffinity 0; T: sched_setaffinity 0 14;
    A: sched_getaffinity 0; A: sched_getaffinity T; T: fork as B; A: fork as C;
    B: sched_getaffinity 0; C: sched_getaffinity 0; T: exec; A: sched_getaffinity 0;
    init: sched_getaffinity A; init: sched_getaffinity T; C: exec; C: sched_getaffinity 0;
    C: clone VM|SIGHAND|THREAD as U; U: sched_getaffinity 0; init: sched_getaffinity 0)",
                   {"affinity.inherited"_rule, "affinity.get-unknown"_rule});
}

TEST_F(LinuxProcessors, MustBeThereAndSoMustTheTask) {
  expect_agreement(R"(
    init: fork as A; A: sched_setaffinity 0 14; init: sched_setaffinity A 16;
    init: sched_setaffinity A 0; A: sched_setaffinity 0 16; A: sched_getaffinity 0;
    init: sched_setaffinity 77 1; init: sched_setaffinity 77 16;
    init: sched_setaffinity -1 1; init: sched_setaffinity -1 16; init: sched_getaffinity 77;
    init: sched_getaffinity -1)",
                   {"affinity.none"_rule, "affinity.set-unknown"_rule,
                    "affinity.get-unknown"_rule});
}

TEST_F(LinuxProcessors, OfAZombieAreAsGoodAsOthers) {
  expect_agreement(R"(
    init: fork as A; A: sched_setaffinity 0 1; A: exit 3; init: waitid A WEXITED|WNOWAIT;
    init: sched_getaffinity A; init: sched_setaffinity A 14; init: sched_getaffinity A;
    init: sched_setaffinity A 16; init: wait4 A; init: sched_getaffinity A;
    init: sched_setaffinity A 1)",
                   {"affinity.set"_rule, "affinity.set-unknown"_rule});
}

TEST_F(LinuxProcessors, OfTheStrongerAreNotForThePowerless) {
  if (!kernel_->abilities().user_namespaces) GTEST_SKIP() << "no user namespace can be made here";
  expect_agreement(R"(
    init: fork as A; A: unshare NEWUSER; A: sched_setaffinity init 1; A: exec;
    A: sched_setaffinity init 14; A: sched_setaffinity init 16; A: sched_getaffinity init;
    A: sched_setaffinity 0 14; A: fork as B; A: sched_setaffinity B 1;
    B: sched_getaffinity 0; init: sched_setaffinity A 15; A: sched_getaffinity 0)",
                   {"sched.stronger"_rule});
}

TEST_F(LinuxProcessors, AnotherAnswerIsSeen) {
  Pair pair(*kernel_);
  constexpr std::string_view kPinned = "init: sched_setaffinity 0 1; init: sched_getaffinity 0";
  EXPECT_EQ(disagreement(pair, kPinned), "");
  const std::string seen = disagreement(pair, kPinned, [](Op op) {
    if (auto* const set = std::get_if<SchedSetaffinity>(&op)) set->mask = kOthers;
    return op;
  });
  EXPECT_NE(seen.find("affinity.get"), seen.npos) << seen;
}

// --- deadlines -----------------------------------------------------------------------------------

TEST_F(LinuxDeadlines, ArePassedOnToNobody) {
  expect_agreement(R"(
    init: fork as A; A: sched_setattr 0; A: sched_getscheduler 0; A: fork as B;
    A: vfork as V; A: clone VM|SIGHAND|THREAD as T; A: clone THREAD as T2;
    A: sched_setattr 0 RESET_ON_FORK; A: sched_getscheduler 0; A: fork as C;
    C: sched_getscheduler 0; C: sched_getaffinity 0; C: fork as D;
    A: clone VM|SIGHAND|THREAD as T3; T3: sched_getscheduler 0; T3: fork as E;
    A: sched_setattr 0; A: sched_getscheduler 0; A: fork as F; init: fork as G;
    A: sched_setscheduler 0 OTHER; A: fork as H)",
                   {"sched.deadline"_rule, "sched.deadline-fork"_rule, "sched.reset-policy"_rule,
                    "sched.reset-once"_rule, "fork.number"_rule});
}

TEST_F(LinuxDeadlines, NeedAllProcessors) {
  expect_agreement(R"(
    init: fork as A; A: sched_setaffinity 0 1; A: sched_setattr 0;
    init: sched_setattr A RESET_ON_FORK; A: sched_getscheduler 0; A: fork as B;
    B: sched_setattr 0; A: sched_setaffinity 0 15; A: sched_setattr 0;
    A: sched_setaffinity 0 1; A: sched_setaffinity 0 30; A: sched_setaffinity 0 16;
    init: sched_setaffinity A 14; A: sched_getaffinity 0; A: sched_setaffinity 0 31;
    A: sched_getaffinity 0; A: sched_getscheduler 0; A: sched_setscheduler 0 OTHER;
    A: sched_setaffinity 0 14; A: sched_setattr 0; A: sched_getscheduler 0)",
                   {"sched.deadline-everywhere"_rule, "affinity.deadline"_rule});
}

TEST_F(LinuxDeadlines, AreOfOneThreadAndStayOverAnExec) {
  expect_agreement(R"(
    init: fork as A; A: clone VM|SIGHAND|THREAD as T; T: sched_setattr 0 RESET_ON_FORK;
    A: sched_getscheduler 0; init: sched_getscheduler T; A: fork as B;
    A: sched_setaffinity 0 1; A: sched_setaffinity T 1; T: exec; init: sched_getscheduler A;
    A: sched_getaffinity 0; A: fork as C; C: sched_getscheduler 0; C: sched_setattr 0;
    C: exec; C: sched_getscheduler 0; C: fork as D; C: sched_setaffinity 0 14)",
                   {"sched.exec-kept"_rule, "sched.deadline-fork"_rule, "affinity.deadline"_rule});
}

TEST_F(LinuxDeadlines, AreForTasksThatAreThere) {
  expect_agreement(R"(
    init: sched_setattr 77; init: sched_setattr -5; init: sched_setattr -5 RESET_ON_FORK;
    init: sched_setscheduler 0 DEADLINE; init: fork as A; init: sched_setattr A;
    A: sched_getscheduler 0; A: exit 0; init: waitid A WEXITED|WNOWAIT;
    init: sched_getscheduler A; init: sched_setaffinity A 1; init: sched_getaffinity A;
    init: wait4 A; init: sched_setattr A)",
                   {"sched.set-unknown"_rule, "sched.set-negative"_rule,
                    "sched.deadline-not-so"_rule, "affinity.deadline"_rule});
}

TEST_F(LinuxDeadlines, AreNotForUserNamespacesBelow) {
  if (!kernel_->abilities().user_namespaces) GTEST_SKIP() << "no user namespace can be made here";
  expect_agreement(R"(
    init: fork as A; A: unshare NEWUSER; A: sched_setattr 0; A: sched_getscheduler 0;
    init: sched_setattr A; A: sched_getscheduler 0; A: sched_setattr 0;
    A: sched_setaffinity 0 1; A: fork as B; A: sched_setscheduler 0 OTHER; A: fork as C;
    C: sched_getscheduler 0)",
                   {"sched.set-below"_rule, "sched.deadline-fork"_rule});
}

TEST_F(LinuxDeadlines, AnotherAnswerIsSeen) {
  Pair pair(*kernel_);
  constexpr std::string_view kForks = "init: sched_setattr 0; init: fork as A";
  EXPECT_EQ(disagreement(pair, kForks), "");
  const std::string seen = disagreement(pair, kForks, [](Op op) {
    if (auto* const set = std::get_if<SchedSetattr>(&op)) set->flags = sched_flag::reset_on_fork;
    return op;
  });
  EXPECT_NE(seen.find("fork.number"), seen.npos) << seen;
}

// --- both at random ------------------------------------------------------------------------------

constexpr std::size_t kTasksMost = 6;  // all of them may have deadlines at once, on two processors

Op any_op(Dice& dice, std::span<const Pid> tasks) {
  constexpr std::int32_t kMasks[] = {kProcessors, kProcessors | kNotThere, kProcessors, kFirst,
                                     kOthers,     kFirst | kNotThere,      kNotThere};
  const TaskRef task = dice.percent(50) ? TaskRef{} : TaskRef::number(dice.one_of(tasks));
  const SchedFlags flags = dice.percent(50) ? sched_flag::reset_on_fork : SchedFlags{};
  Clone thread;
  thread.flags = clone_flag::vm | clone_flag::sighand | clone_flag::thread;
  switch (dice.below(tasks.size() < kTasksMost ? 8 : 6)) {
    case 0: return SchedSetaffinity{task, dice.one_of(std::span<const std::int32_t>(kMasks))};
    case 1: return SchedGetaffinity{task};
    case 2: return SchedSetattr{task, flags};
    case 3: return SchedGetscheduler{task};
    case 4: return SchedSetscheduler{task, Policy::other, flags, 0};
    case 5: return Exec{};
    case 6: return Fork{};
    default: return thread;
  }
}

TEST_F(LinuxDeadlines, AndProcessorsAtRandom) {
  constexpr std::uint64_t kWorlds = 40;
  constexpr int kSteps = 50;  // only threads end, in an exec, so that there is soon no room
  Pair pair(*kernel_);
  std::vector<Pid> tasks;
  for (std::uint64_t seed = 1; seed <= kWorlds; ++seed) {
    Dice dice(seed);
    pair.begin();
    for (int step = 0; step < kSteps; ++step) {
      pair.model().tasks(tasks);
      const Pid actor = dice.one_of(std::span<const Pid>(tasks));
      const Op op = any_op(dice, tasks);
      ASSERT_TRUE(pair.agree(actor, op, op)) << "seed " << seed << ":\n" << pair.history();
    }
  }
  for (const RuleId rule : {"affinity.inherited"_rule, "affinity.deadline"_rule,
                            "sched.deadline-everywhere"_rule, "sched.deadline-fork"_rule,
                            "sched.reset-policy"_rule})
    EXPECT_TRUE(pair.has_acted(rule)) << rule.rule().id;
}

}  // namespace
}  // namespace forkproof::props
