/// The running kernel as a system under test: ops, rest, outcomes.
#include "harness/linux/system.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "harness/system_fault.hpp"
#include "spec/derive.hpp"

namespace forkproof::harness::kernel {

namespace {

/// A task that ends is gone for a moment before its number is free, and those that it was to
/// release. One that is not real-time may be interrupted there: so often, and for so long, the
/// processor is left to it.
constexpr int kFarewells = 2;
constexpr timespec kFarewell{.tv_sec = 0, .tv_nsec = 10'000};

/// How often this thread has been off its processor.
long switches() {
  rusage use{};
  ::getrusage(RUSAGE_THREAD, &use);
  return use.ru_nvcsw + use.ru_nivcsw;
}

/// Nobody holds the list of tasks for writing when this returns: an exit that can be seen has also
/// woken and signalled whom it wakes and signals.
void task_list_barrier() { ::kill(0, 0); }  // to the own process group

/// The status that the kernel keeps for a descriptor of a process that is gone, since 6.15.
std::optional<std::int32_t> exit_status(const Descriptor& pidfd) {
  struct Info {  // struct pidfd_info as it was at first
    std::uint64_t mask, cgroup;
    std::uint32_t ids[11];
    std::int32_t exit_code;
  };
  constexpr std::uint64_t kExit = 1 << 3;  // PIDFD_INFO_EXIT
  Info info{};
  info.mask = kExit;
  if (::ioctl(pidfd.get(), _IOWR(0xFF, 11, Info), &info) != 0) return std::nullopt;
  return (info.mask & kExit) != 0 ? std::optional{info.exit_code} : std::nullopt;
}

/// Throws SystemLimit where the op is about what the kernel does not offer.
void expect_offered(const Op& op, const Abilities& a) {
  if (is_about_scheduling(op) && !a.policies)
    throw SystemLimit("policies and nice values cannot be varied here");
  if (std::holds_alternative<Personality>(op) && !a.randomizes)
    throw SystemLimit("whether memory is laid out at random cannot be varied here");
  if (makes_namespace(op) && !a.namespaces)
    throw SystemLimit("pid namespaces in one another are not shown here");
  if (is_about_other_namespaces(op) && !a.kinds)
    throw SystemLimit("namespaces but those of pids are not to be had here");
  if (makes_user_namespace(op) && !a.user_namespaces)
    throw SystemLimit("user namespaces cannot be made here");
}

/// Throws it where the answer is that who is not root may not.
void expect_allowed(const Op& op, std::int64_t answer) {
  if (answer != -EACCES && answer != -EPERM) return;
  if (is_about_scheduling(op)) throw SystemLimit("priorities cannot be raised here");
  if (std::holds_alternative<Setns>(op))
    throw SystemLimit("the machine's own namespaces cannot be entered here");
}

bool sends_children_elsewhere(const Op& op) {
  const auto* const setns = std::get_if<Setns>(&op);
  return makes_namespace(op) || (setns != nullptr && setns->flags.has(clone_flag::newpid));
}

}  // namespace

std::string System::refuses(Profile profile) {
  if (profile == Profile::linux_6) return {};
  return fmt::format("the running kernel is no {}",
                     *name_of(kProfiles, static_cast<std::uint64_t>(profile)));
}

void System::reset(const WorldSpec& world) {
  if (world.kthreads) throw SystemLimit("no program drives kernel threads");
  puppets_.clear();
  stage_.close();
  control_groups_.end();
  spare_slots_.clear();
  next_slot_ = 1;
  over_ = below_ = leaves_late_ = traced_ = init_traced_ = policies_are_real_ = false;
  limited_ = shared_ = waited_ = false;
  stage_.open();
  add(0, kInit, {});
  puppets_[0].born = true;
  puppets_[0].calling = false;
  puppets_[0].rest = Rest::idle;
  pid_max_ = world.pid_max;
  if (stage_.abilities().pid_max == PidMax::missing) return;  // matters when it is reached
  pid_max_ = 0;
  begin_pid_max(world.pid_max);
  if (pid_max_ == world.pid_max) return;
  // The least is 301, or eight for each processor that there may be (kernel/pid.c pid_idr_init()).
  if (world.pid_max < 8 * ::get_nprocs_conf())
    throw SystemLimit("pid_max must be larger on so many processors");
  throw SystemFault("pid_max of a namespace cannot be set");
}

const Effects& System::apply(Pid actor, const Op& op) {
  effects_.clear();
  last_op_ = op;
  if (is_by_world(op)) {
    const auto answer = by_convention(op);
    effects_.outcome = answer ? *answer : ask_world(op);
    return effects_;
  }
  Puppet* const puppet = find(actor);
  if (over_ || puppet == nullptr || puppet->rest != Rest::idle)
    effects_.outcome = Outcome::of(Outcome::Kind::not_run);
  else if (puppet->tgid == kInit && std::holds_alternative<PtraceTraceme>(op))
    effects_.outcome = Outcome::failure(Errno::perm);  // its parent is none of the world's
  else if (const auto answer = by_convention(op))
    effects_.outcome = *answer;
  else if (const std::string_view why = beyond_puppets(op); !why.empty())
    throw SystemLimit(std::string(why));
  else
    effects_.outcome = act(*puppet, op);
  return effects_;
}

/// Until a trace asks for policies its tasks have what keeps them in order, which is said to be the
/// policy of the init of a world. From then on they have that.
void System::make_policies_real() {
  if (policies_are_real_) return;
  std::vector<Pid> all;
  tasks(all);
  for (const Pid p : all) stage_.make_ordinary(p.n);
  policies_are_real_ = true;
}

/// An op that touches nobody else: its answer is all.
Outcome System::ask(Puppet& actor, const Op& op) {
  const std::uint32_t slot = actor.slot;
  const bool caps = std::holds_alternative<Capset>(op);
  const Rights& rights = caps ? rights_of(actor) : stage_.rights();
  if (!write_limit_call(op, stage_.slot(slot), slot, rights, stage_.abilities()))
    write_call(op, stage_.slot(slot), slot, 0);
  if (actor.tid == kInit && std::holds_alternative<PrctlPdeathsig>(op))
    stage_.slot(slot).action = Action::dependent_call;
  const auto began = std::chrono::steady_clock::now();
  std::int64_t answer = carry_out(actor, op);
  while (waits_for_late(op, outcome_of(op, stage_.slot(slot)), began))
    answer = carry_out(actor, op);
  if (!stage_.abilities().raises) expect_allowed(op, answer);
  const auto* const setns = std::get_if<Setns>(&op);
  if (sends_children_elsewhere(op) && answer == 0)  // a setns may lead back
    actor.diverts = setns == nullptr || chain(meant_by(actor, setns->task.n)).size() >
                                            std::max<std::size_t>(actor.numbers.size(), 1);
  if (const auto told = limit_or_user_in(stage_.slot(slot), op, stage_.rights())) return *told;
  const Outcome said = outcome_of(op, stage_.slot(slot));
  refuse_missing_right(actor.tid, op, said);
  return said;
}

/// What a puppet is not asked to do as a call, but is told by files, or by /proc alone.
std::optional<Outcome> System::act_without_call(Puppet& actor, const Op& op) {
  if (const auto* const same = std::get_if<SameNs>(&op)) return compare(actor, *same);
  if (const auto* const max = std::get_if<NsPidMax>(&op)) return turn_knob(actor, *max);
  if (const auto* const next = std::get_if<NsPidCursor>(&op)) return turn_knob(actor, *next);
  if (const auto* const max = std::get_if<MaxNamespaces>(&op)) return turn_knob(actor, *max);
  if (const auto* const max = std::get_if<GetMaxNamespaces>(&op)) return turn_knob(actor, *max);
  refuse_what_is_missing(actor, op);
  refuse_what_users_hide(actor, op);
  if (const auto* const map = std::get_if<MapIds>(&op)) return map_ids(actor, *map);
  if (std::holds_alternative<Sigq>(op)) return count_queued(actor);
  return std::nullopt;
}

/// Has a puppet make a call, and waits until all are at rest.
Outcome System::call(std::uint32_t slot, const Op& op) {
  Puppet& actor = *find_slot(slot);
  actor.calling = true;
  actor.made = {};
  actor.child = creates(op) ? free_slot() : 0;
  if (actor.child != 0) stage_.arm(actor.child, makes_below(actor));
  const std::uint32_t child = actor.child;
  write_call(op, stage_.slot(slot), slot, child);
  name_cgroup(op, stage_.slot(slot));
  stage_.post(slot);
  settle(slot);
  const Outcome answer = outcome(*find_slot(slot), op);
  charge_child(*find_slot(slot), op, child);
  return answer;
}

Outcome System::act(Puppet& actor, const Op& op) {
  const std::uint32_t slot = actor.slot;
  actor.op = op;
  expect_offered(op, stage_.abilities());
  if (is_about_policies(op)) make_policies_real();
  if (const auto told = act_without_call(actor, op)) return *told;
  below_ = below_ || makes_namespace(op);
  leaves_late_ = leaves_late_ || ends_late(op);
  refuse_endless_ends(actor, op);
  refuse_attaching_to_execs(actor, op);
  if (is_private(op)) return ask(actor, op);
  doubt_after(actor, op, false);
  const Pid tid = actor.tid, tracer = tracer_of(actor);
  shared_ = shared_ || shares_memory(op);
  if (!actor.process) actor.process = stage_.open_pidfd(actor.tgid.n);
  const auto began = std::chrono::steady_clock::now();
  Outcome answer = call(slot, op);
  while (waits_for_late(op, answer, began)) answer = call(slot, op);
  refuse_untraceable(*find_slot(slot), op, answer);
  bury();
  refuse_freed(tracer, op, answer);
  refuse_missing_right(tid, op, answer);
  for (const Returned& r : effects_.returned)
    if (const Puppet* const p = find(r.task)) refuse_missing_right(r.task, p->op, r.outcome);
  return answer;
}

void System::bury() {
  for (const Puppet& p : puppets_)
    if (p.rest == Rest::gone) spare_slots_.push_back(p.slot);
  std::erase_if(puppets_, [](const Puppet& p) { return p.rest == Rest::gone; });
  over_ = std::ranges::find(puppets_, kInit, &Puppet::tgid) == puppets_.end();
}

/// A list of numbers that is too long for the trace's world is not too long for the namespaces that
/// the world is in.
void System::refuse_what_is_missing(const Puppet& actor, const Op& op) const {
  if (is_about_pidfds(op) && !stage_.abilities().pidfds)
    throw SystemLimit("pidfds are not here what they are since 6.15");
  const auto* const clone = std::get_if<Clone3>(&op);
  if (clone == nullptr) return;
  if (!stage_.abilities().clone3) throw SystemLimit("clone3 is missing here");
  const bool below = actor.diverts || makes_namespace(op);
  if (clone->set_tid.size > std::max<std::size_t>(actor.numbers.size(), 1) + (below ? 1 : 0))
    throw SystemLimit("a number outside the trace's world would be asked for");
}

Outcome System::outcome(const Puppet& actor, const Op& op) {
  if (actor.born && !actor.calling) return outcome_of(op, stage_.slot(actor.slot));
  if (actor.rest != Rest::gone && !actor.ends_namespace) {
    Outcome blocks = Outcome::of(Outcome::Kind::blocks);
    blocks.who = TaskRef::number(actor.made);
    return blocks;
  }
  if (has_no_outcome(op)) return Outcome::of(Outcome::Kind::nothing);
  if (const auto* const reboot = std::get_if<Reboot>(&op))
    return Outcome::death(death_by_reboot(reboot->command));
  return Outcome::death({death_status(actor) & 0x7f});
}

/// The status of the process that a dead puppet belonged to: its zombie shows it, or, where nobody
/// wanted a zombie, what the kernel keeps for those that hold a descriptor of the process.
std::int32_t System::death_status(const Puppet& actor) {
  if (const auto stat = parse_stat(read(fmt::format("{}/stat", actor.tgid.n)));
      stat && (stat->state == 'Z' || actor.ends_namespace)) {
    if (stage_.abilities().exit_codes) return stat->exit_code;
    if (const auto status = peek(stat->ppid, actor.tgid)) return *status;
  }
  if (const auto status = exit_status(actor.process)) return *status;
  throw SystemLimit("of what a process died that left no zombie cannot be told here");
}

/// The signal that a zombie died of, by its parent if that is idle, which leaves the zombie.
std::optional<std::int32_t> System::peek(std::int32_t parent, Pid zombie) {
  const auto at = std::ranges::find_if(
      puppets_, [&](const Puppet& p) { return p.tgid.n == parent && p.rest == Rest::idle; });
  if (at == puppets_.end()) return std::nullopt;
  Slot& slot = stage_.slot(at->slot);
  std::memset(slot.area, 0, sizeof(siginfo_t));
  const std::int32_t number = number_for(*at, zombie.n);
  stage_.call(at->slot, SYS_waitid,
              {P_PID, static_cast<std::uint64_t>(number), area_at(at->slot),
               WEXITED | WNOHANG | WNOWAIT | __WALL});
  siginfo_t info;
  std::memcpy(&info, slot.area, sizeof info);
  return info.si_pid == number && info.si_code != CLD_EXITED ? std::optional{info.si_status}
                                                               : std::nullopt;
}

// --- rest ----------------------------------------------------------------------------------------

void System::settle(std::uint32_t actor) {
  Watchdog watchdog;
  int farewells = runs_in_order() ? 0 : kFarewells;
  long seen = switches();
  while (true) {
    take_answers(actor);
    if (safeguards_.barrier) task_list_barrier();
    const bool rest = !stage_.abilities().call_numbers ? still_at_rest()
                      : safeguards_.everybody          ? all_at_rest()
                                                       : at_rest(actor);
    const long now = switches();
    const bool undisturbed = now == seen || !safeguards_.undisturbed;
    if (rest && undisturbed) {
      if (farewells-- <= 0 || (nobody_is_gone() && nobody_ends_namespace())) return;
      ::nanosleep(&kFarewell, nullptr);
      seen = switches();
      continue;
    }
    // Whether somebody moved or might have: under a tracer that never ends.
    watchdog.wait([&] { return rest ? "a look that nothing interrupts" : restless(); });
    seen = switches();
  }
}

bool System::nobody_is_gone() const {
  return std::ranges::find(puppets_, Rest::gone, &Puppet::rest) == puppets_.end();
}

/// Takes down who has answered, and who was born.
void System::take_answers(std::uint32_t actor) {
  for (std::size_t i = 0; i < puppets_.size(); ++i) {  // births make it longer
    const bool answered = puppets_[i].calling && !pending(stage_.slot(puppets_[i].slot));
    if (puppets_[i].child != 0)
      makes_below(puppets_[i]) ? take_birth_below(i, answered) : take_birth(i, answered);
    if (!answered) continue;
    Puppet& p = puppets_[i];
    const Slot& slot = stage_.slot(p.slot);
    p.calling = false;
    if (!std::exchange(p.born, true)) {
      const auto status = p.numbers.empty()
                              ? std::optional(TaskStatus{.tgid = slot.tgid, .numbers = {}})
                              : parse_status(read(fmt::format("{}/status", p.tid.n)));
      if (status) p.tgid = {status->tgid};
      continue;
    }
    if (executes(p.op) && slot.result == 0) take_over_process(p);
    if (p.slot != actor) effects_.returned.push_back({p.tid, outcome_of(p.op, slot)});
  }
}

/// A creating call has a child as soon as that says so itself, or its maker does.
void System::take_birth(std::size_t maker, bool answered) {
  const std::uint32_t child = puppets_[maker].child;
  const std::int64_t result = answered ? stage_.slot(puppets_[maker].slot).result : 0;
  const Pid tid{result > 0 ? static_cast<std::int32_t>(result) : said_by_newborn(puppets_[maker])};
  if (result < 0) spare_slots_.push_back(child);
  if (answered || tid.n != 0) puppets_[maker].child = 0;
  if (result < 0 || tid.n == 0) return;
  if (tid.n >= pid_max_ && stage_.abilities().pid_max == PidMax::missing)
    throw SystemLimit("pid_max cannot be varied here, and is reached");
  puppets_[maker].made = tid;
  add(child, tid, puppets_[maker]);
}

/// An exec has ended all other threads; the one that called is the leader now.
void System::take_over_process(Puppet& survivor) {
  for (Puppet& p : puppets_)
    if (p.tgid == survivor.tgid && p.slot != survivor.slot) p.rest = Rest::gone;
  if (survivor.tid == survivor.tgid) return;
  hand_on_doubt(survivor.tid, survivor.tgid);
  survivor.tid = survivor.tgid;
  if (!survivor.numbers.empty()) survivor.numbers = chain(survivor.tid.n);
  survivor.stat = Descriptor();
  survivor.syscall = Descriptor();
}

bool System::all_at_rest() {
  for (Puppet& p : puppets_) {
    if (p.rest == Rest::gone) continue;
    p.rest = look(p);
    if (p.rest == Rest::none) return false;
  }
  return true;
}

/// The look of a controller that trusts answers: the actor counts, others are where they said.
bool System::at_rest(std::uint32_t actor) {
  bool rests = true;
  for (Puppet& p : puppets_) {
    if (p.rest == Rest::gone) continue;
    p.rest = look(p);
    if (p.rest != Rest::none) continue;
    if (p.slot == actor) rests = false;
    p.rest = p.calling ? Rest::asleep : Rest::idle;
  }
  return rests;
}

/// Where nothing better can be had: the same is seen again and again.
bool System::still_at_rest() {
  constexpr int kLooks = 4;
  constexpr timespec kBetween{.tv_sec = 0, .tv_nsec = 100'000};
  for (int look = 0; look < kLooks; ++look) {
    if (!all_at_rest()) return false;
    for (const Puppet& p : puppets_)
      if (p.calling && !pending(stage_.slot(p.slot))) return false;
    ::nanosleep(&kBetween, nullptr);
  }
  return true;
}

/// The number of the call is not shown: a call that was begun, by a task that sleeps.
Rest System::look_by_state(const Puppet& p, char state) const {
  const Slot& slot = stage_.slot(p.slot);
  if (is_halted(state)) return state == 'T' ? Rest::stopped : Rest::traced;
  if (!sleeping_call(p.op) || !pending(slot) || load(slot.taken) != load(slot.posted))
    return Rest::none;
  return asleep_in_call(p, state);
}

Rest System::look(Puppet& p) {
  const auto glance = parse_glance(read(p.stat, p.tid, "stat"));
  if (!glance && has_become_leader(p)) {
    take_over_process(p);
    return Rest::none;  // under its new number it has not been looked at
  }
  if (!glance || glance->state == 'Z') return Rest::gone;
  if (glance->state == 'X') {  // it has its number until nobody is found under it
    p.stat = Descriptor();
    return Rest::none;
  }
  if ((glance->flags & task_flag::exiting.bits) != 0) {
    p.ends_namespace = glance->state == 'S' && ends_namespace(p);
    return p.ends_namespace ? Rest::asleep : Rest::none;
  }
  if (glance->state == 'S' && control_groups_.has_frozen() && is_frozen(p.tid)) return Rest::frozen;
  if (!is_halted(glance->state) && !p.calling)
    return glance->state == 'S' ? Rest::idle : Rest::none;

  if (!stage_.abilities().call_numbers) return look_by_state(p, glance->state);
  if (safeguards_.number_of_call && !is_in_its_call(p, glance->state)) return Rest::none;
  if (is_halted(glance->state)) return glance->state == 'T' ? Rest::stopped : Rest::traced;
  return pending(stage_.slot(p.slot)) ? asleep_in_call(p, glance->state) : Rest::none;
}

/// Only of a task that is off the processor does this file tell a number; where one stopped does
/// not count. Who has lost its program stops where it faults, which is in no call: -1.
bool System::is_in_its_call(Puppet& p, char state) const {
  const std::string_view call = read_call(p.syscall, p.tid);
  if (is_halted(state) && call.starts_with("-1 ")) return executes(p.op);
  const auto number = parse_syscall(call);
  return number && (is_halted(state) || number == sleeping_call(p.op) ||
                    goes_on_by_another(p.op, *number));
}

/// A thread that execs gets the leader's number before it has its answer, which a stop can keep
/// back. Its own number is gone then, but not its process.
bool System::has_become_leader(const Puppet& p) const {
  if (!p.calling || !executes(p.op) || p.tid == p.tgid) return false;
  const auto leader = parse_glance(read(fmt::format("{}/stat", p.tgid.n)));
  return leader && leader->state != 'Z' && leader->state != 'X';
}

// --- the puppets ---------------------------------------------------------------------------------

void System::add(std::uint32_t slot, Pid tid, const Puppet& maker) {
  const bool thread = clone_flags_of(maker.op).has(clone_flag::thread);
  Puppet p;
  p.slot = slot;
  p.tid = tid;
  p.tgid = thread ? maker.tgid : tid;  // also of one that stops before it can say so
  p.calling = true;  // until it says that it is born
  puppets_.push_back(std::move(p));
  trust(tid);
}

/// A number can come again, but not before the task that had it is gone.
const System::Puppet* System::find(Pid tid) const {
  const auto at = std::ranges::find(puppets_, tid, &Puppet::tid);
  return at == puppets_.end() ? nullptr : &*at;
}
System::Puppet* System::find(Pid tid) {
  return const_cast<Puppet*>(std::as_const(*this).find(tid));
}

System::Puppet* System::find_slot(std::uint32_t slot) {
  return &*std::ranges::find(puppets_, slot, &Puppet::slot);
}

std::uint32_t System::free_slot() {
  if (next_slot_ < kPuppets) return next_slot_++;
  if (spare_slots_.empty())
    throw SystemFault(fmt::format("more than {} tasks at a time", kPuppets));
  const std::uint32_t slot = spare_slots_.back();
  spare_slots_.pop_back();
  return slot;
}

}  // namespace forkproof::harness::kernel
