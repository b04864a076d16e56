/// States and wakes: which mask reaches which state, by the numbers of 4.12 and of 6.x, and the way
/// of exit_state.
#include "impl/bits/task_state.hpp"

#include "smt/claim.hpp"
#include "spec/words.hpp"

namespace forkproof::smt {

namespace bits = impl::bits;
using bits::StateTable;
using z3::expr;

namespace {

/// Every state that a task can be in, by the table.
enum At { running, sleeping, disk, killable, idle, stopped, traced, parked, born, dead, kStates };

std::uint64_t word_for(const StateTable& t, int at) {
  const std::uint64_t words[kStates] = {
      bits::kRunning, bits::kInterruptible, bits::kUninterruptible, t.killable(), t.idle(),
      t.stopped(),    t.traced,             t.parked,               t.born,       t.dead};
  return words[at];
}

/// A state of either table, as the number that it has there.
struct Task {
  expr since_5_19, which, state;
  explicit Task(Claim& c)
      : since_5_19(c.truth("6.x")), which(c.word("which state", show_number, 16)),
        state(number(which, 0)) {
    c.given(z3::ult(which, number(which, kStates)));
    for (int at = 0; at < kStates; ++at)
      state = z3::ite(is(at), by_table([&](const StateTable& t) {
                        return number(which, word_for(t, at));
                      }), state);
    c.tell("state", state);
  }
  expr is(int at) const { return which == number(which, static_cast<std::uint64_t>(at)); }
  expr is_one_of(std::initializer_list<int> these) const {
    expr any = which.ctx().bool_val(false);
    for (const int at : these) any = any || is(at);
    return any;
  }
  /// What `f` makes of the table that applies.
  expr by_table(auto f) const {
    return z3::ite(since_5_19, static_cast<const expr&>(f(bits::kStates6)),
                   static_cast<const expr&>(f(bits::kStates412)));
  }
  expr woken_by(const expr& mask) const { return bits::reaches(Word{mask}, Word{state}); }
  expr woken_by(std::uint64_t mask) const { return woken_by(number(which, mask)); }
  expr woken_by_signal(const expr& fatal) const {
    return woken_by(by_table([&](const StateTable& t) {
      return bits::signal_mask(Word{which}, Truth{fatal}, t).e;
    }));
  }
};

void signal_wakes_interruptible(Claim& c) {
  const Task t(c);
  c.holds(t.woken_by_signal(t.which.ctx().bool_val(false)) == t.is(sleeping));
}

void fatal_signal_wakes_killable(Claim& c) {
  const Task t(c);
  c.holds(t.woken_by_signal(t.which.ctx().bool_val(true)) ==
          t.is_one_of({sleeping, killable, stopped, traced}));
}

void cont_wakes_stopped(Claim& c) {
  const Task t(c);
  c.holds(t.woken_by(bits::kStoppedBit) == t.is(stopped));
}

void child_event_wakes_waiter(Claim& c) {
  const Task t(c);
  c.holds(t.woken_by(bits::kInterruptible) == t.is(sleeping));
}

void normal_wake_reaches_sleepers(Claim& c) {
  const Task t(c);
  c.holds(t.woken_by(bits::kNormal) == t.is_one_of({sleeping, disk, killable, idle}));
}

/// Whatever masks are used together.
void nothing_wakes_new_or_dead(Claim& c) {
  const Task t(c);
  const expr mask = c.word("mask", show_bits, 16), fatal = c.truth("fatal");
  const expr signal = t.by_table([&](const StateTable& table) {
    return bits::signal_mask(Word{t.which}, Truth{fatal}, table).e;
  });
  const expr park = t.by_table([&](const StateTable& table) {
    return number(t.which, table.parked);
  });
  const expr others = number(mask, bits::kNormal | bits::kStoppedBit) | park;
  c.given((mask & ~(signal | others)) == number(mask, 0));
  c.given(t.is_one_of({born, dead}));
  c.holds(!t.woken_by(mask));
}

expr exit_state(Claim& c, const char* name) {
  const expr e = c.word(name, show_number, 16);
  const auto is = [&](std::uint64_t k) { return e == number(e, k); };
  c.given(is(0) || is(bits::kExitZombie) || is(bits::kExitDead));
  return e;
}

void exit_goes_forward(Claim& c) {
  const expr now = exit_state(c, "exit_state"), next = exit_state(c, "what is asked for");
  const expr after = bits::exit_forward(Word{now}, Word{next});
  const auto is = [](const expr& e, std::uint64_t k) { return e == number(e, k); };
  c.holds(z3::implies(is(now, bits::kExitDead), is(after, bits::kExitDead)));
  c.holds(z3::implies(is(now, bits::kExitZombie), !is(after, 0)));
  c.holds(z3::implies(is(now, bits::kExitZombie) && is(next, bits::kExitDead), after == next));
  c.holds(z3::implies(is(now, 0), after == next));
}

/// A mask, a state and an exit_state that go together: a task that has exited is DEAD.
void letters(Claim& c) {
  const Task t(c);
  const expr exit = exit_state(c, "exit_state");
  c.given((exit != number(exit, 0)) == t.is(dead));
  c.given(!t.is(born));  // which neither shows
  const expr bit = t.by_table([&](const StateTable& table) {
    return bits::shown(Word{t.state}, Word{exit}, table).e;
  });
  const auto shows = [&](std::uint64_t k) { return bit == number(bit, k); };
  c.holds(shows(bits::kRunning) == t.is(running));
  c.holds(shows(bits::kInterruptible) ==
          (t.is(sleeping) || (t.is(parked) && !t.since_5_19)));
  c.holds(shows(bits::kUninterruptible) ==
          (t.is_one_of({disk, killable}) || (t.is(idle) && !t.since_5_19)));
  c.holds(shows(0x40) == (t.is(parked) && t.since_5_19));
  c.holds(shows(0x80) == (t.is(idle) && t.since_5_19));
  c.holds(shows(bits::kStoppedBit) == t.is(stopped));
  c.holds(shows(bits::kTracedBit) == t.is(traced));
  c.holds(shows(bits::kExitZombie) == (exit == number(exit, bits::kExitZombie)));
  c.holds(shows(bits::kExitDead) == (exit == number(exit, bits::kExitDead)));
}

/// Only the wake of kthread_unpark reaches a parked thread, whatever else is asked for.
void parked_by_its_mask(Claim& c) {
  const Task t(c);
  const expr fatal = c.truth("fatal");
  const expr park = t.by_table([&](const StateTable& table) {
    return number(t.which, table.parked);
  });
  const expr signal = t.by_table([&](const StateTable& table) {
    return bits::signal_mask(Word{t.which}, Truth{fatal}, table).e;
  });
  c.holds(t.woken_by(park) == t.is(parked));
  c.holds(z3::implies(t.is(parked), !t.woken_by(signal | number(signal, bits::kNormal) |
                                                number(signal, bits::kStoppedBit))));
}

/// Whom a wake with WAKEKILL reaches: TRACED has lost the bit.
void wakekill_reaches_killable(Claim& c) {
  const Task t(c);
  const expr kill = t.by_table([&](const StateTable& table) {
    return number(t.which, table.wakekill);
  });
  const expr traced_too = t.is(traced) && !t.since_5_19;
  c.holds(t.woken_by(kill) == (t.is_one_of({killable, stopped}) || traced_too));
}

void load_is_uninterruptible(Claim& c) {
  const Task t(c);
  const auto loads = [&](const StateTable& table) {
    return z3::ite(bits::counts_as_load(Word{t.state}, table), number(t.which, 1),
                   number(t.which, 0));
  };
  c.holds((t.by_table(loads) == number(t.which, 1)) == t.is_one_of({disk, killable}));
}

void pending_breaks_interruptible(Claim& c) {
  const Task t(c);
  const expr pending = c.truth("a signal seems to be pending");
  const expr broken = bits::sleep_is_broken(Word{t.state}, Truth{pending});
  c.holds(broken == (pending && t.is(sleeping)));
}

constexpr Obligation kObligations[] = {
    {"wake.not-fatal",
     "By both tables, a signal that is not fatal wakes INTERRUPTIBLE sleepers and nobody else.",
     "kernel-signal STATE:2", "reaches signal_mask mask_if", "", signal_wakes_interruptible},
    {"wake.fatal",
     "By both tables, a fatal signal wakes INTERRUPTIBLE, KILLABLE, STOPPED and TRACED, and nobody "
     "else.",
     "kernel-signal STATE:2", "reaches signal_mask", "", fatal_signal_wakes_killable},
    {"wake.cont", "By both tables, SIGCONT wakes those that are STOPPED and nobody else.",
     "kernel-signal STATE:3", "reaches", "", cont_wakes_stopped},
    {"wake.child-event", "By both tables, the news of a child wakes INTERRUPTIBLE sleepers only.",
     "kernel-signal STATE:1", "reaches", "", child_event_wakes_waiter},
    {"wake.process",
     "By both tables, a plain wake, as that of a vfork parent, reaches INTERRUPTIBLE, "
     "UNINTERRUPTIBLE, KILLABLE and IDLE, and neither STOPPED nor TRACED nor PARKED.",
     "kernel-signal STATE:4", "reaches", "", normal_wake_reaches_sleepers},
    {"wake.never-new-or-dead",
     "By both tables, nothing wakes a task that is NEW or DEAD: no mask that there is, nor all of "
     "them together.",
     "kernel-signal STATE:5", "reaches signal_mask", "", nothing_wakes_new_or_dead},
    {"exit.forward",
     "exit_state goes from 0 to ZOMBIE to DEAD and never back, whatever is asked for.",
     "kernel-signal STATE:6", "exit_forward exit_rank", "", exit_goes_forward},
    {"state.shown",
     "By both tables, each state is shown by its letter, and what has exited as Z or X; by 4.12's "
     "a parked thread as S and an idle one as D.",
     "kernel-signal STATE:7", "shown", "", letters},
    {"wake.parked",
     "By both tables, the wake of kthread_unpark reaches whoever is PARKED and nobody else, and no "
     "other wake, nor all of them together, reaches that.",
     "kernel-kthread PARK:8", "reaches", "", parked_by_its_mask},
    {"wake.wakekill",
     "By both tables, a wake with WAKEKILL reaches KILLABLE and STOPPED, by 4.12's TRACED too, and "
     "nobody else.",
     "kernel-signal STATE:2", "reaches", "", wakekill_reaches_killable},
    {"state.load",
     "By both tables, UNINTERRUPTIBLE and KILLABLE sleepers count as load, and nobody else: IDLE "
     "does not.",
     "kernel-kthread STATE:3", "counts_as_load", "", load_is_uninterruptible},
    {"state.broken-sleep",
     "When a signal seems to be pending an INTERRUPTIBLE sleep does not begin, and every other "
     "does.",
     "kernel-kthread STOP:3", "sleep_is_broken", "", pending_breaks_interruptible},
};

}  // namespace

std::span<const Obligation> state_obligations() { return kObligations; }

}  // namespace forkproof::smt
