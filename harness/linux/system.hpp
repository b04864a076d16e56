/// The running kernel as a system under test. Each task of a trace is a puppet, a real task in a
/// pid namespace of its own that does the calls that the trace says; the answers, and what /proc
/// shows, are the kernel's.
///
/// The adapter knows nothing of what ought to happen. After an op that can touch others it waits
/// until every puppet is at rest: idle, asleep in its call, stopped, or dead. They are at rest when
/// one look at all of them finds each so, and the controller was not off the processor meanwhile:
/// all share that one processor, so nobody can have moved. What cannot be told is a SystemFault.
///
/// Cost of an op: that of the call and of waking a puppet (about 3 us), and for ops that can touch
/// others one read of /proc for each puppet (about 1.3 us), two for those that block.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "harness/linux/calls.hpp"
#include "harness/linux/op_kinds.hpp"
#include "harness/linux/control_groups.hpp"
#include "harness/linux/proc.hpp"
#include "harness/linux/stage.hpp"
#include "harness/system.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness::kernel {

/// In which way a puppet is at rest; `none` is not.
enum class Rest : std::uint8_t { none, idle, asleep, suspended, stopped, traced, frozen, gone };

class System {
 public:
  explicit System(const Safeguards& safeguards = {}) : safeguards_(safeguards) {}

  /// Looks are guarded so from now on; where and how puppets are scheduled stays as it was.
  void guard(const Safeguards& safeguards) { safeguards_ = safeguards; }

  void reset(const WorldSpec& world);
  const Effects& apply(Pid actor, const Op& op);
  TaskView view(Pid p) const;
  void pages(Pid p, std::vector<PageView>& out) const;
  void tasks(std::vector<Pid>& out) const;
  bool sound() const { return true; }
  bool sound(Pid, bool) const { return true; }

  static constexpr bool kSlowToLookAt = true;
  static constexpr TraceScope kTraceScope{
      .kthreads = false, .brief = true, .own_root = false,
      .without = kOpsThat<NeverByPuppetsTrait>};

  /// Clears what this system does not show.
  void hide(TaskView& view) const;
  /// Throws SystemLimit where a field of TaskView is not shown of a task.
  void expect_shown(std::size_t field, Pid task) const;
  /// Why what was seen last says nothing of the kernel; empty if it does.
  std::string excuse();
  /// Whether the last call answered as one does that wants for something, in a world or in the
  /// machine: if it does not do so again, it was the machine.
  bool was_of_want() const;
  /// Whether it answered that there are enough namespaces of a kind, of which those that have ended
  /// may not be free yet.
  bool may_be_late() const { return limited_ && is_late(last_op_, effects_.outcome); }
  /// From now on what may be late is asked for again, for so long.
  void be_patient(std::chrono::milliseconds patience) { patience_ = patience; }
  /// Whether those who are woken together run in that order. Where verdicts are provisional the
  /// order is taken as it is seen. The end of an init below the trace's leaves the processor now
  /// and then.
  bool keeps_order() const {
    return (runs_in_order() && !below_ && !leaves_late_ && !ended_slowly()) ||
           !stage_.abilities().call_numbers;
  }
  /// Whether in the last step nobody but the actor had anything to do. Tasks of ordinary policies
  /// interrupt whoever wakes them, even one that is about to end: then it hangs on more than on the
  /// order of those who are woken. So does who ends a namespace that takes long to end.
  bool was_alone() const {
    return (!policies_are_real_ && !leaves_late_ && !ended_slowly()) || is_private(last_op_) ||
           (creates(last_op_) && !sleeps_for_child(last_op_));
  }
  /// Whether init has ended that may have had dead tracees: it releases those before it kills the
  /// others, and leaves the processor meanwhile (kernel/exit.c find_child_reaper()).
  bool ended_slowly() const { return over_ && init_traced_; }
  /// What is missing here.
  std::string abilities() const { return describe(stage_.abilities()); }

  /// Why the kernel cannot be held to the profile; empty if it can.
  static std::string refuses(Profile profile);

 private:
  /// A task, from the moment that it is known to be until it is seen to be dead.
  struct Puppet {
    std::uint32_t slot = 0;
    Pid tid, tgid;
    Rest rest = Rest::none;
    bool born = false;         // it has said so
    bool calling = false;      // its call has not been answered
    std::uint32_t child = 0;   // the slot kept for the task that the call is to make
    Pid made;                  // the task that it has made, as its own namespace calls it
    std::vector<std::int32_t> numbers;  // in its pid namespaces, if they are several: see chain()
    bool diverts = false;      // its children are in another pid namespace than itself
    bool ends_namespace = false;  // an init that ends, and waits for others to be gone
    Op op;                     // the last
    Descriptor stat, syscall;  // of /proc, once they were needed
    Descriptor process;        // a pidfd of its process, once it has acted
  };

  // What the puppets do.
  Outcome ask_world(const Op& op);
  Outcome ask(const auto& op) { return turn_knob(op); }
  Outcome turn_knob(const Op& op);
  void begin_pid_max(std::int32_t max);
  Outcome turn_knob(const Puppet& actor, const NsPidMax& op);
  Outcome turn_knob(const Puppet& actor, const NsPidCursor& op);
  Outcome turn_knob(const Puppet& actor, const MaxNamespaces& op);
  Outcome turn_knob(const Puppet& actor, const GetMaxNamespaces& op);
  static bool is_late(const Op& op, const Outcome& said);
  using Moment = std::chrono::steady_clock::time_point;
  bool waits_for_late(const Op& op, const Outcome& said, Moment since);
  Outcome act(Puppet& actor, const Op& op);
  std::optional<Outcome> act_without_call(Puppet& actor, const Op& op);
  Outcome call(std::uint32_t slot, const Op& op);
  Outcome ask(Puppet& actor, const Op& op);
  void refuse_what_is_missing(const Puppet& actor, const Op& op) const;
  Outcome outcome(const Puppet& actor, const Op& op);
  std::int32_t death_status(const Puppet& actor);
  std::optional<std::int32_t> peek(std::int32_t parent, Pid zombie);

  void refuse_missing_right(Pid task, const Op& op, const Outcome& said) const;
  static std::uint64_t kills_for_memory();

  // Waiting until they rest.
  void settle(std::uint32_t actor);
  void bury();
  void take_answers(std::uint32_t actor);
  void take_birth(std::size_t maker, bool answered);
  void take_over_process(Puppet& survivor);

  // Control groups (control_groups.cpp).
  void use_control_groups();
  void name_cgroup(const Op& op, Slot& slot);
  void charge_child(const Puppet& maker, const Op& op, std::uint32_t slot);
  std::int64_t outside_control_groups() const;
  Outcome ask(const CgroupMake& op);
  Outcome ask(const CgroupRemove& op);
  Outcome ask(const CgroupMove& op);
  Outcome ask(const CgroupOf& op);
  Outcome ask(const PidsMax& op);
  Outcome ask(const PidsCurrent& op);
  Outcome ask(const CgroupFreeze& op);
  Outcome ask(const CgroupThaw& op);
  bool is_frozen(Pid task) const;
  std::int32_t said_by_newborn(const Puppet& maker) const;
  // Tracing (tracing.cpp).
  void refuse_attaching_to_execs(const Puppet& actor, const Op& op);
  void refuse_silent_births(const Puppet& actor, const Op& op) const;
  void refuse_untraceable(const Puppet& actor, const Op& op, const Outcome& answer) const;
  Pid tracer_of(const Puppet& puppet) const;
  bool is_trapped(Pid task) const;
  void refuse_freed(Pid tracer, const Op& op, const Outcome& answer) const;

  // Who has used capabilities (privileges.cpp).
  void doubt(Pid task);
  void trust(Pid task);
  void hand_on_doubt(Pid from, Pid to);
  bool is_doubted(Pid task) const;
  void doubt_after(const Puppet& actor, const Op& op, bool failed);

  // Pid namespaces (namespaces.cpp).
  bool makes_below(const Puppet& maker) const;
  void take_birth_below(std::size_t maker, bool answered);
  std::vector<std::int32_t> chain(std::int32_t task) const;
  std::int32_t number_for(const Puppet& viewer, std::int32_t task) const;
  bool sees(const Puppet& viewer, std::int32_t task) const;
  std::int32_t meant_by(const Puppet& viewer, std::int32_t number) const;
  Outcome compare(const Puppet& actor, const SameNs& op) const;

  // User namespaces (users.cpp).
  Outcome map_ids(const Puppet& actor, const MapIds& op);
  bool is_hosts_root(const Puppet& puppet) const;
  void refuse_hosts_queue(const Puppet& actor, const Op& op) const;
  Outcome count_queued(const Puppet& actor) const;
  void refuse_what_users_hide(const Puppet& actor, const Op& op) const;
  Rights rights_of(const Puppet& actor) const;
  bool is_below_users(const Puppet& puppet) const;
  const Puppet* make_lookable(const Puppet& actor, const Op& op);
  std::int64_t carry_out(const Puppet& actor, const Op& op);

  std::int32_t newborn(std::uint32_t slot, std::size_t level, std::int32_t number) const;
  bool lives(const Puppet& p) const;
  bool ends_namespace(const Puppet& puppet) const;
  void refuse_endless_ends(const Puppet& actor, const Op& op) const;
  bool all_at_rest();
  bool at_rest(std::uint32_t actor);
  bool is_in_its_call(Puppet& puppet, char state) const;
  bool still_at_rest();
  Rest look(Puppet& puppet);
  bool nobody_is_gone() const;
  bool nobody_ends_namespace() const;
  std::string restless() const;
  Rest look_by_state(const Puppet& puppet, char state) const;
  static Rest asleep_in_call(const Puppet& puppet, char state);
  bool has_become_leader(const Puppet& puppet) const;

  /// Whether puppets are real-time tasks of one priority.
  bool runs_in_order() const { return stage_.abilities().real_time && !policies_are_real_; }
  void make_policies_real();

  void add(std::uint32_t slot, Pid tid, const Puppet& maker);
  const Puppet* find(Pid tid) const;
  Puppet* find(Pid tid);
  Puppet* find_slot(std::uint32_t slot);
  std::uint32_t free_slot();

  Comm comm_of(std::string_view comm) const;
  std::vector<std::int32_t> numbers_in(const std::string& folder) const;
  std::string_view read(const std::string& path, bool to_the_end = false) const;
  std::string_view read(Descriptor& kept, Pid task, const char* name) const;
  std::string_view read(int fd, bool to_the_end) const;
  std::string_view read_call(Descriptor& kept, Pid task) const;
  Descriptor open(const std::string& path, int flags) const;

  Safeguards safeguards_;
  ControlGroups control_groups_;  // outlives all who are in them
  Stage stage_{safeguards_};
  std::vector<Puppet> puppets_;  // in the order in which they were seen; the dead are taken out
  std::uint32_t next_slot_ = 1;
  std::vector<std::uint32_t> spare_slots_;  // of the dead
  std::int32_t pid_max_ = 0;
  bool below_ = false;  // there was a namespace below the trace's
  bool leaves_late_ = false;  // there was a namespace whose end leaves the processor
  bool traced_ = false;  // the trace has had somebody traced
  bool init_traced_ = false;  // ... perhaps by init
  bool limited_ = false;  // ... and a limit on namespaces
  bool shared_ = false;   // ... and tasks that shared memory
  bool waited_ = false;   // ... and a call that was made in vain as long as there was patience
  std::chrono::milliseconds patience_{};
  std::vector<Pid> doubted_;  // of whom it says nothing that they have used capabilities
  bool over_ = false;  // init is dead, and everybody with it
  bool policies_are_real_ = false;  // the trace has asked for them
  Op last_op_;
  Effects effects_;
  std::uint64_t kills_for_memory_ = kills_for_memory();
  mutable std::string text_;  // what was read last
};

}  // namespace forkproof::harness::kernel
