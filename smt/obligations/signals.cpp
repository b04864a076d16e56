/// Signals as sets of 64: what is taken next, dropped, driven out; who is woken; what a parent is
/// told of a death.
#include "impl/bits/signal_set.hpp"

#include "impl/bits/death.hpp"
#include "impl/bits/wake.hpp"
#include "smt/claim.hpp"
#include "spec/words.hpp"

namespace forkproof::smt {

namespace bits = impl::bits;
using z3::expr;

namespace {

expr none(const expr& like) { return number(like, 0); }
expr in(const expr& signal, const expr& set) { return (signal & set) != none(signal); }
expr in(const expr& signal, SigSet set) { return in(signal, number(signal, set.bits)); }

expr signals(Claim& c, const char* name) { return c.word(name, show_signals); }
/// Any one signal.
expr signal(Claim& c, const char* name) {
  const expr s = signals(c, name);
  c.given(s != none(s) && (s & (s - number(s, 1))) == none(s));
  return s;
}

void delivers_unblocked(Claim& c) {
  const expr pending = signals(c, "pending"), blocked = signals(c, "blocked"),
             s = signal(c, "signal");
  c.holds(in(s, bits::deliverable(Word{pending}, Word{blocked})) ==
          (in(s, pending) && !in(s, blocked)));
}

/// A choice of the next signal, and another one that could be.
struct Next {
  expr pending, blocked, next, other;
  explicit Next(Claim& c)
      : pending(signals(c, "pending")), blocked(signals(c, "blocked")),
        next(bits::next_signal(Word{pending}, Word{blocked})), other(signal(c, "other")) {
    c.tell("next", next, show_signals);
  }
  expr ready(const expr& s) const { return in(s, pending) && !in(s, blocked); }
};

void next_is_ready(Claim& c) {
  const Next n(c);
  const expr is_one = n.next != none(n.next);
  c.holds(z3::implies(is_one, n.ready(n.next)));
  c.holds((n.next & (n.next - number(n.next, 1))) == none(n.next));
  c.holds(z3::implies(n.ready(n.other), is_one));
}

void next_is_synchronous(Claim& c) {
  const Next n(c);
  c.given(n.ready(n.other) && in(n.other, kSynchronous));
  c.holds(in(n.next, kSynchronous));
}

void next_is_lowest(Claim& c) {
  const Next n(c);
  c.given(n.ready(n.other));
  c.holds(z3::implies(in(n.other, kSynchronous) == in(n.next, kSynchronous),
                      z3::ule(n.next, n.other)));
}

void unblockable(Claim& c) {
  const expr set = signals(c, "set"), s = signal(c, "signal");
  const expr blocked = bits::blockable(Word{set});
  c.holds(in(s, blocked) == (in(s, set) && !in(s, kUnblockable)));
}

void ignored_by_choice_or_default(Claim& c) {
  const expr ignored = signals(c, "ignored"), caught = signals(c, "caught"),
             s = signal(c, "signal");
  c.given((ignored & caught) == none(ignored));
  c.holds(in(s, bits::ignoring(Word{ignored}, Word{caught})) ==
          (in(s, ignored) || (!in(s, caught) && in(s, kDefaultIgnored))));
}

/// A signal, sent to a process with some dispositions.
struct Sending {
  expr ignored, caught, blocked, unkillable, s, is_dropped;
  explicit Sending(Claim& c)
      : ignored(signals(c, "ignored")), caught(signals(c, "caught")),
        blocked(signals(c, "blocked")), unkillable(c.truth("to init")), s(signal(c, "signal")),
        is_dropped(in(s, bits::dropped(Word{ignored}, Word{caught}, Word{blocked},
                                       Truth{unkillable}))) {
    c.given((ignored & caught) == none(ignored));
    const expr unblocked = number(s, kUnblockable.bits);
    c.given(((ignored | caught | blocked) & unblocked) == none(s));
  }
};

void blocked_is_kept(Claim& c) {
  const Sending x(c);
  c.given(in(x.s, x.blocked));
  c.holds(!x.is_dropped);
}

void caught_is_kept(Claim& c) {
  const Sending x(c);
  c.given(in(x.s, x.caught));
  c.holds(!x.is_dropped);
}

void ignored_is_dropped(Claim& c) {
  const Sending x(c);
  c.given(!x.unkillable);
  c.holds(x.is_dropped == (!in(x.s, x.blocked) && (in(x.s, x.ignored) ||
                           (in(x.s, kDefaultIgnored) && !in(x.s, x.caught)))));
}

void init_drops_defaults(Claim& c) {
  const Sending x(c);
  c.given(x.unkillable);
  c.holds(x.is_dropped == (!in(x.s, x.blocked) && !in(x.s, x.caught)));
}

void kill_is_never_dropped(Claim& c) {
  const Sending x(c);
  c.given(!x.unkillable && in(x.s, kUnblockable));
  c.holds(!x.is_dropped);
}

void spared_when_taken(Claim& c) {
  const expr ignored = signals(c, "ignored"), unkillable = c.truth("by init"),
             s = signal(c, "signal");
  const expr spared = in(s, bits::spared(Word{ignored}, Truth{unkillable}));
  c.holds(spared == (in(s, ignored) || in(s, kDefaultIgnored) ||
                     (unkillable && !in(s, kUnblockable))));
}

void dooms_at_once(Claim& c) {
  const expr ignored = signals(c, "ignored"), caught = signals(c, "caught"),
             s = signal(c, "signal");
  const expr harmless = in(s, bits::harmless(Word{ignored}, Word{caught}));
  const expr ends = !in(s, kDefaultIgnored) && !in(s, kStopSignals) && !in(s, kCoreSignals);
  c.holds(harmless == !(ends && !in(s, ignored) && !in(s, caught)));
}

void stops_and_cont_drive_out(Claim& c) {
  const expr s = signal(c, "sent"), other = signal(c, "other");
  const SigSet cont = SigSet::of(sig::cont);
  c.holds(in(other, bits::driven_out(Word{s})) ==
          ((in(s, cont) && in(other, kStopSignals)) || (in(s, kStopSignals) && in(other, cont))));
}

void never_both_pending(Claim& c) {
  const expr pending = signals(c, "pending"), s = signal(c, "sent");
  const auto both = [&](const expr& set) {
    return in(set, SigSet::of(sig::cont)) && in(set, kStopSignals);
  };
  c.given(!both(pending));
  const expr left = bits::without(Word{pending}, bits::driven_out(Word{s}));
  c.holds(!both(left | s));
}

void without_takes_out(Claim& c) {
  const expr set = signals(c, "set"), out = signals(c, "out"), s = signal(c, "signal");
  c.holds(in(s, bits::without(Word{set}, Word{out})) == (in(s, set) && !in(s, out)));
}

/// A thread, and whether it would take a signal.
struct Taker {
  expr blocked, exiting, kill, stopped, busy, wants;
  explicit Taker(Claim& c)
      : blocked(c.truth("blocks it")), exiting(c.truth("exiting")), kill(c.truth("SIGKILL")),
        stopped(c.truth("stopped")), busy(c.truth("busy")),
        wants(bits::wants(Truth{blocked}, Truth{exiting}, Truth{kill}, Truth{stopped},
                          Truth{busy})) {}
};

void nobody_on_its_way_out_wants(Claim& c) {
  const Taker t(c);
  c.holds(z3::implies(t.exiting || t.blocked, !t.wants));
}

void stopped_wants_kill_only(Claim& c) {
  const Taker t(c);
  c.given(t.stopped || t.busy);
  c.holds(t.wants == (t.kill && !t.blocked && !t.exiting));
}

void idle_wants_all(Claim& c) {
  const Taker t(c);
  c.given(!t.stopped && !t.busy);
  c.holds(t.wants == (!t.blocked && !t.exiting));
}

/// Who is told of a signal, and whether that wakes it.
struct Told {
  expr fatal, zombie, stopped, in_vfork, wakes;
  explicit Told(Claim& c)
      : fatal(c.truth("fatal")), zombie(c.truth("zombie")), stopped(c.truth("stopped")),
        in_vfork(c.truth("in vfork")),
        wakes(bits::wakes(Truth{fatal}, Truth{zombie}, Truth{stopped}, Truth{in_vfork})) {}
};

void nothing_wakes_a_zombie(Claim& c) {
  const Told t(c);
  c.holds(z3::implies(t.zombie, !t.wakes));
}

void fatal_wakes_all_others(Claim& c) {
  const Told t(c);
  c.given(t.fatal);
  c.holds(t.wakes == !t.zombie);
}

void other_wakes_interruptible(Claim& c) {
  const Told t(c);
  c.given(!t.fatal);
  c.holds(t.wakes == (!t.zombie && !t.stopped && !t.in_vfork));
}

/// A death: the exit signal, whether the parent has exec'd since, and what it does with SIGCHLD.
struct Death {
  expr exit_signal, execed, ignored, no_wait;
  Word signal;
  expr is_chld;
  explicit Death(Claim& c)
      : exit_signal(c.word("exit signal", show_number, 32)), execed(c.truth("parent exec'd")),
        ignored(c.truth("SIGCHLD ignored")), no_wait(c.truth("SA_NOCLDWAIT")),
        signal(bits::death_signal(Word{exit_signal}, Truth{execed})),
        is_chld(execed || exit_signal == number(exit_signal, 17)) {}
};

void exec_forgets_exit_signal(Claim& c) {
  const Death d(c);
  c.holds(d.signal == z3::ite(d.execed, number(d.exit_signal, 17), d.exit_signal));
}

void unwanted_only_by_sigchld(Claim& c) {
  const Death d(c);
  c.holds(bits::unwanted(d.signal, Truth{d.ignored}, Truth{d.no_wait}) ==
          (d.is_chld && (d.ignored || d.no_wait)));
}

void told_unless_ignored(Claim& c) {
  const Death d(c);
  const expr one = number(d.exit_signal, 1), last = number(d.exit_signal, kSignalMax);
  const expr is_signal = z3::uge(d.exit_signal, one) && z3::ule(d.exit_signal, last);
  c.holds(bits::is_sent(d.signal, Truth{d.ignored}) ==
          ((d.is_chld || is_signal) && !(d.is_chld && d.ignored)));
}

constexpr const char* kDisjoint =
    "no signal is both ignored and caught, SIGKILL and SIGSTOP are neither and not blocked";

constexpr Obligation kSignalObligations[] = {
    {"signal.deliverable", "What is pending and not blocked can be delivered, and nothing else.",
     "signal.7 MASK:1", "deliverable", "", delivers_unblocked},
    {"signal.next-is-ready",
     "The next signal is one, pending and not blocked; there is none only if none is.",
     "kernel-signal TAKE:3", "next_signal deliverable lowest_set", "", next_is_ready},
    {"signal.synchronous-first", "While a synchronous signal can be taken, no other is.",
     "kernel-signal TAKE:1", "next_signal", "", next_is_synchronous},
    {"signal.lowest-first", "Of the synchronous ones, and of the others, the lowest is taken.",
     "kernel-signal TAKE:3", "next_signal lowest_set", "", next_is_lowest},
    {"signal.unblockable", "All signals can be blocked but SIGKILL and SIGSTOP.", "signal.7 KILL:1",
     "blockable", "", unblockable},
    {"signal.ignoring", "A signal is ignored by choice or, if it is not caught, by default.",
     "signal.7 DEFAULT:1", "ignoring", "no signal is both ignored and caught",
     ignored_by_choice_or_default},
    {"signal.blocked-is-kept", "What the target blocks is never dropped.", "kernel-signal DROP:3",
     "dropped", kDisjoint, blocked_is_kept},
    {"signal.caught-is-kept", "What has a handler is never dropped.", "kernel-signal DROP:3",
     "dropped", kDisjoint, caught_is_kept},
    {"signal.ignored-is-dropped",
     "A process that can be killed drops what it ignores and the target does not block, and "
     "nothing else.",
     "kernel-signal DROP:3", "dropped ignoring", kDisjoint, ignored_is_dropped},
    {"signal.init-drops-defaults", "init drops all that is neither caught nor blocked.",
     "kernel-signal INIT:1", "dropped mask_if", kDisjoint, init_drops_defaults},
    {"signal.kill-is-kept", "SIGKILL and SIGSTOP are never dropped, but by init.",
     "signal.7 KILL:1", "dropped", kDisjoint, kill_is_never_dropped},
    {"signal.spared",
     "Of signals that are taken and not caught those do nothing that are ignored, by choice or "
     "default, and, to init, all but SIGKILL and SIGSTOP.",
     "kernel-signal INIT:2", "spared mask_if", "", spared_when_taken},
    {"signal.dooms-at-once",
     "The process is doomed at once by signals whose default is to end it without a core, if they "
     "are neither ignored nor caught.",
     "kernel-signal FATAL:1", "harmless", "", dooms_at_once},
    {"signal.stop-and-cont",
     "SIGCONT drives out the four stop signals, each of them SIGCONT, and others nothing.",
     "kernel-signal STOP:1", "driven_out mask_if", "", stops_and_cont_drive_out},
    {"signal.never-both-pending",
     "If SIGCONT and a stop signal were not pending together, they are not after any is sent.",
     "kernel-signal STOP:1", "driven_out without", "", never_both_pending},
    {"signal.without", "A set without others holds what was in it and is not in those.",
     "kernel-signal STOP:1", "without", "", without_takes_out},
    {"wake.not-on-its-way-out", "No thread takes a signal that it blocks, or while it exits.",
     "kernel-signal TARGET:2", "wants", "", nobody_on_its_way_out_wants},
    {"wake.stopped-wants-kill",
     "A thread that is stopped, or has signals to look at, takes SIGKILL only.",
     "kernel-signal STOP:7", "wants", "", stopped_wants_kill_only},
    {"wake.idle-wants-all", "A thread that is neither takes all that it does not block.",
     "kernel-signal TARGET:2", "wants", "", idle_wants_all},
    {"wake.zombie", "Nothing wakes a zombie.", "kernel-signal DROP:2", "wakes", "",
     nothing_wakes_a_zombie},
    {"wake.fatal", "A fatal signal wakes everybody else: running, asleep, in vfork, stopped.",
     "kernel-fork VFORK:6", "wakes", "", fatal_wakes_all_others},
    {"wake.not-fatal", "Any other wakes neither those that are stopped nor those in vfork.",
     "kernel-fork VFORK:5", "wakes", "", other_wakes_interruptible},
    {"death.exec-forgets",
     "A parent that has exec'd is told by SIGCHLD, others by the exit signal.",
     "kernel-signal NOTIFY:1", "death_signal", "", exec_forgets_exit_signal},
    {"death.unwanted",
     "A death is unwanted only if it means SIGCHLD and that is ignored or has SA_NOCLDWAIT.",
     "wait.2 IGNORE:1", "death_signal unwanted", "", unwanted_only_by_sigchld},
    {"death.told", "A signal is sent unless it is none, or SIGCHLD and ignored.",
     "clone.2 EXITSIG:1", "death_signal is_sent", "", told_unless_ignored},
};

}  // namespace

std::span<const Obligation> signal_obligations() { return kSignalObligations; }

}  // namespace forkproof::smt
