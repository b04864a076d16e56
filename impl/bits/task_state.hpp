/// The words that say what a task is at, state and exit_state, and the masks by which it is woken:
/// a wake reaches a task if they have a bit in common. Two tables of numbers, 4.12's and 6.x's.
///
/// Sources: include/linux/sched.h; kernel/sched/core.c try_to_wake_up(), ttwu_state_match();
/// kernel/signal.c signal_wake_up_state(); fs/proc/array.c get_task_state(); include/linux/sched.h
/// task_contributes_to_load(); include/linux/sched/signal.h signal_pending_state().
#pragma once
#include "impl/bits/word.hpp"
#include "spec/words.hpp"

namespace forkproof::impl::bits {

/// Bits of both tables.
inline constexpr std::uint64_t kRunning = 0, kInterruptible = 1, kUninterruptible = 2,
                               kStoppedBit = 4, kTracedBit = 8, kExitDead = 16, kExitZombie = 32;
inline constexpr std::uint64_t kNormal = kInterruptible | kUninterruptible;  // wake_up_process

/// What differs.
struct StateTable {
  std::uint64_t parked, dead, wakekill, noload, born;  // born: TASK_NEW
  std::uint64_t traced;     // TASK_TRACED as a whole
  std::uint64_t fatal_too;  // what a fatal signal wakes beside those that WAKEKILL says
  std::uint64_t reported;   // the bits that have a letter
  // What stands for these two among the letters. 0: their bits do.
  std::uint64_t shows_idle, shows_parked;

  constexpr std::uint64_t killable() const { return wakekill | kUninterruptible; }
  constexpr std::uint64_t stopped() const { return wakekill | kStoppedBit; }
  constexpr std::uint64_t idle() const { return noload | kUninterruptible; }
};
inline constexpr StateTable kStates412{.parked = 512, .dead = 64, .wakekill = 128, .noload = 1024,
                                       .born = 2048, .traced = 128 | kTracedBit, .fatal_too = 0,
                                       .reported = 63, .shows_idle = 0,
                                       .shows_parked = kInterruptible};
inline constexpr StateTable kStates6{.parked = 0x40, .dead = 0x80, .wakekill = 0x100,
                                     .noload = 0x400, .born = 0x800, .traced = kTracedBit,
                                     .fatal_too = kTracedBit, .reported = 127, .shows_idle = 128,
                                     .shows_parked = 0};

/// What /proc shows for a bit; the place in the table is the number of the bit, from 1.
struct StateLetter {
  char letter;
  std::uint64_t bit;
  State state;
};
inline constexpr std::array kStateLetters{
    StateLetter{'R', kRunning, State::running},
    StateLetter{'S', kInterruptible, State::sleeping},
    StateLetter{'D', kUninterruptible, State::disk_sleep},
    StateLetter{'T', kStoppedBit, State::stopped},
    StateLetter{'t', kTracedBit, State::traced},
    StateLetter{'X', kExitDead, State::dead},
    StateLetter{'Z', kExitZombie, State::zombie},
    StateLetter{'P', 0x40, State::parked},
    StateLetter{'I', 0x80, State::idle},
};

/// Whether a wake with this mask makes a task run that is in this state.
template <class W>
constexpr auto reaches(const W& mask, const W& state) {
  return (mask & state) != constant(state, 0);
}

/// The mask with which a task is told of a signal.
template <class W, class Truth>
constexpr W signal_mask(const W& like, const Truth& fatal, const StateTable& table) {
  const W kills = constant(like, table.wakekill) | constant(like, table.fatal_too);
  return constant(like, kInterruptible) | (mask_if(fatal, like) & kills);
}

/// How far gone a task is by its exit_state: 0, ZOMBIE, DEAD.
template <class W>
constexpr W exit_rank(const W& exit_state) {
  const W beyond = ite(exit_state == constant(exit_state, kExitZombie), constant(exit_state, 1),
                       constant(exit_state, 2));
  return ite(is_zero(exit_state), constant(exit_state, 0), beyond);
}

/// The exit_state of a task that has `now` and is to have `next`: never one that it has left.
template <class W>
constexpr W exit_forward(const W& now, const W& next) {
  return ite(less(exit_rank(now), exit_rank(next)), next, now);
}

/// The bit of kStateLetters that is shown: of exit_state, once there is one. TASK_IDLE has a letter
/// of its own, or else that of a plain uninterruptible sleep; TASK_PARKED its own, or else that of
/// an interruptible one.
template <class W>
constexpr W shown(const W& state, const W& exit_state, const StateTable& table) {
  W letter = (ite(is_zero(exit_state), state, exit_state)) & constant(state, table.reported);
  const auto show = [&](std::uint64_t what, std::uint64_t as) {
    if (as != 0) letter = ite(state == constant(state, what), constant(state, as), letter);
  };
  show(table.idle(), table.shows_idle);
  show(table.parked, table.shows_parked);
  return letter;
}

/// Whether who sleeps so counts as load.
template <class W>
constexpr auto counts_as_load(const W& state, const StateTable& table) {
  const W mask = constant(state, kUninterruptible) | constant(state, table.noload);
  return (state & mask) == constant(state, kUninterruptible);
}

/// The state that a kernel thread says it will sleep in.
constexpr std::uint64_t state_of_sleep(Sleep sleep, const StateTable& table) {
  const std::uint64_t states[] = {kRunning, kInterruptible, kUninterruptible, table.killable(),
                                  table.idle()};
  return states[static_cast<std::size_t>(sleep)];
}

/// The states that a wake is for, as a mask.
constexpr std::uint64_t wake_mask(WakeMask mask, const StateTable& table) {
  const std::uint64_t masks[] = {kNormal,      kInterruptible, kUninterruptible,
                                 table.wakekill, table.parked,   kStoppedBit,
                                 kTracedBit,   signal_mask(std::uint64_t{0}, true, table)};
  return masks[static_cast<std::size_t>(mask)];
}

/// Whether schedule() leaves a task running though its state is another: a signal seems to be
/// pending, and it would sleep so that signals wake it.
template <class W, class Truth>
constexpr auto sleep_is_broken(const W& state, const Truth& signal_pending) {
  return signal_pending && (state & constant(state, kInterruptible)) != constant(state, 0);
}

}  // namespace forkproof::impl::bits
