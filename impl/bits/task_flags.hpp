/// The flags of a task (PF_*): what a child inherits, what exec clears, what the end sets.
///
/// Sources: kernel/fork.c copy_process(); fs/exec.c begin_new_exec(); kernel/exit.c do_exit();
/// kernel/signal.c get_signal().
#pragma once
#include "impl/bits/word.hpp"
#include "spec/words.hpp"

namespace forkproof::impl::bits {

template <class W>
constexpr W flags_of_child(const W& makers) {
  return (makers & ~constant(makers, task_flag::superpriv.bits)) |
         constant(makers, task_flag::forknoexec.bits);
}

template <class W>
constexpr W flags_after_exec(const W& flags) {
  return flags & ~constant(flags, task_flag::forknoexec.bits);
}

template <class W>
constexpr W flags_exiting(const W& flags) {
  return flags | constant(flags, task_flag::exiting.bits);
}

/// Of who is as good as dead: in 4.12, dead.
template <class W>
constexpr W flags_ended(const W& flags) {
  return flags | constant(flags, task_flag::postcoredump.bits);
}

template <class W>
constexpr W flags_signaled(const W& flags) {
  return flags | constant(flags, task_flag::signaled.bits);
}

}  // namespace forkproof::impl::bits
