/// Clone flags and task flags: every word of 64 bits, every caller.
#include "impl/bits/clone_flags.hpp"

#include <fmt/format.h>

#include "impl/bits/task_flags.hpp"
#include "smt/claim.hpp"
#include "spec/words.hpp"

namespace forkproof::smt {

namespace bits = impl::bits;
using z3::expr;

namespace {

expr has(const expr& word, std::uint64_t flag) {
  return (word & number(word, flag)) != number(word, 0);
}
expr has(const expr& flags, CloneFlags f) { return has(flags, f.bits); }

/// The flags that the model's world has.
constexpr std::uint64_t known_flags() {
  std::uint64_t known = 0;
  for (const forkproof::Word& w : CloneKind::words) known |= w.value;
  return known;
}

/// Those that decide whether clone refuses.
constexpr CloneFlags kDeciding =
    clone_flag::vm | clone_flag::sighand | clone_flag::thread | clone_flag::parent |
    clone_flag::newpid | clone_flag::newns | clone_flag::newuser | clone_flag::fs;

/// A clone: its flags, who calls it, and whether the implementation refuses it.
struct Call {
  expr flags, unkillable, refused;

  explicit Call(Claim& c)
      : flags(c.word("flags", show_clone_flags)), unkillable(c.truth("caller is init")),
        refused(bits::clone_refuses(Word{flags}, Truth{unkillable})) {
    c.wish((flags & ~number(flags, known_flags())) == number(flags, 0));
  }
};

/// The rules of the book, in its order: the first that applies says the errno.
void refusals_are_the_books(Claim& c) {
  const Call call(c);
  const auto errno_of = [&](Errno e) { return c.value(static_cast<std::uint64_t>(e), 8); };
  const expr inval = errno_of(Errno::inval), ok = errno_of(Errno::ok);
  const std::pair<expr, expr> book[] = {
      {has(call.flags, clone_flag::newns) && has(call.flags, clone_flag::fs), inval},
      {has(call.flags, clone_flag::newuser) && has(call.flags, clone_flag::fs), inval},
      {has(call.flags, clone_flag::newuser) && has(call.flags, clone_flag::thread), inval},
      {has(call.flags, clone_flag::thread) && !has(call.flags, clone_flag::sighand), inval},
      {has(call.flags, clone_flag::sighand) && !has(call.flags, clone_flag::vm), inval},
      {has(call.flags, clone_flag::parent) && call.unkillable, inval},
      {has(call.flags, clone_flag::thread) && has(call.flags, clone_flag::newpid), inval}};
  expr answer = ok;
  for (auto rule = std::rbegin(book); rule != std::rend(book); ++rule)
    answer = z3::ite(rule->first, rule->second, answer);
  c.holds(z3::ite(call.refused, inval, ok) == answer);
}

/// A whole call: the flags, a look at signals, then the search for a number, and before 4.19 the
/// look. Which of them ends it, with what, is the order of the book.
void answers_in_order(Claim& c) {
  const expr flags = c.word("flags", show_clone_flags), init = c.truth("caller is init");
  const expr exhausted = c.truth("no number is free"), pending = c.truth("a signal is pending");
  const expr since_4_19 = c.truth("since 4.19");
  const auto look = [&] { return Truth{pending}; };
  const Word early = bits::before_copying(Word{flags}, Truth{init}, Truth{since_4_19}, look);
  const Word late = bits::after_search(Word{flags}, Truth{exhausted}, Truth{since_4_19}, look);
  const expr answer = z3::ite(early.e != number(flags, bits::kGoesOn), early.e, late.e);

  const auto code = [&](Errno e) { return number(flags, static_cast<std::uint64_t>(e)); };
  const expr restarts = number(flags, bits::kRestarts);
  const std::pair<expr, expr> book[] = {
      {has(flags, clone_flag::newns) && has(flags, clone_flag::fs), code(Errno::inval)},
      {has(flags, clone_flag::newuser) && has(flags, clone_flag::fs), code(Errno::inval)},
      {has(flags, clone_flag::newuser) && has(flags, clone_flag::thread), code(Errno::inval)},
      {has(flags, clone_flag::thread) && !has(flags, clone_flag::sighand), code(Errno::inval)},
      {has(flags, clone_flag::sighand) && !has(flags, clone_flag::vm), code(Errno::inval)},
      {has(flags, clone_flag::parent) && init, code(Errno::inval)},
      {has(flags, clone_flag::thread) && has(flags, clone_flag::newpid), code(Errno::inval)},
      {pending && since_4_19, restarts},
      {exhausted, code(Errno::again)},
      {pending, restarts}};
  expr expected = number(flags, bits::kGoesOn);
  for (auto rule = std::rbegin(book); rule != std::rend(book); ++rule)
    expected = z3::ite(rule->first, rule->second, expected);
  c.holds(answer == expected);
}

void mounts_need_their_own_fs(Claim& c) {
  const Call call(c);
  c.given(has(call.flags, clone_flag::newns) && has(call.flags, clone_flag::fs));
  c.holds(call.refused);
}

void users_need_their_own_fs(Claim& c) {
  const Call call(c);
  c.given(has(call.flags, clone_flag::newuser) && has(call.flags, clone_flag::fs));
  c.holds(call.refused);
}

void threads_are_of_the_same_users(Claim& c) {
  const Call call(c);
  c.given(has(call.flags, clone_flag::newuser) && has(call.flags, clone_flag::thread));
  c.holds(call.refused);
}

void thread_needs_sighand(Claim& c) {
  const Call call(c);
  c.given(has(call.flags, clone_flag::thread) && !has(call.flags, clone_flag::sighand));
  c.holds(call.refused);
}

void sighand_needs_vm(Claim& c) {
  const Call call(c);
  c.given(has(call.flags, clone_flag::sighand) && !has(call.flags, clone_flag::vm));
  c.holds(call.refused);
}

void init_has_no_siblings(Claim& c) {
  const Call call(c);
  c.given(has(call.flags, clone_flag::parent) && call.unkillable);
  c.holds(call.refused);
}

void thread_goes_nowhere_else(Claim& c) {
  const Call call(c);
  c.given(has(call.flags, clone_flag::thread) && has(call.flags, clone_flag::newpid));
  c.holds(call.refused);
}

void thread_implies_vm(Claim& c) {
  const Call call(c);
  c.holds(z3::implies(!call.refused && has(call.flags, clone_flag::thread),
                      has(call.flags, clone_flag::vm)));
}

void other_bits_do_not_count(Claim& c) {
  const Call call(c);
  const expr other = c.word("other flags", show_clone_flags);
  const expr mask = number(other, kDeciding.bits);
  c.given((other & mask) == (call.flags & mask));
  c.holds(bits::clone_refuses(Word{other}, Truth{call.unkillable}) == call.refused);
}

/// The flags alone, and with all others of the model's world that decide nothing, but for VFORK.
template <std::uint64_t kFlags, bool kAlsoInit>
void is_legal(Claim& c) {
  const Call call(c);
  const CloneFlags fs = clone_flag::fs;  // without NEWNS it decides nothing
  const std::uint64_t others = (known_flags() & ~(kDeciding | clone_flag::vfork).bits) | fs.bits;
  const expr inert = number(call.flags, others);
  c.given((call.flags & ~inert) == number(call.flags, kFlags));
  if (!kAlsoInit) c.given(!call.unkillable);
  c.holds(!call.refused);
}

constexpr std::uint64_t kVm = clone_flag::vm.bits, kSighand = clone_flag::sighand.bits,
                        kThread = clone_flag::thread.bits, kParent = clone_flag::parent.bits,
                        kVfork = clone_flag::vfork.bits, kNewpid = clone_flag::newpid.bits;

void sibling_has_its_makers(Claim& c) {
  const expr flags = c.word("flags", show_clone_flags);
  const expr makers = c.word("its maker's"), given = c.word("given");
  const expr got = bits::from_maker(Word{flags}, Word{makers}, Word{given});
  c.holds(z3::implies(has(flags, clone_flag::parent), got == makers));
  c.holds(z3::implies(!has(flags, clone_flag::parent), got == given));
}

/// The one flag that the template sets or clears; all others stay as they were.
void changes_one_flag(Claim& c, auto change, TaskFlags flag, bool set) {
  const expr flags = c.word("flags", show_task_flags, 32), bit = c.single("any flag", 32);
  const expr after = change(Word{flags});
  const expr zero = number(flags, 0);
  const expr is_the_one = bit == number(bit, flag.bits);
  const expr is_set = (after & bit) != zero;
  c.holds(z3::implies(is_the_one, set ? is_set : !is_set));
  c.holds(z3::implies(!is_the_one, (after & bit) == (flags & bit)));
}

void child_inherits(Claim& c) {
  const expr flags = c.word("flags", show_task_flags, 32), bit = c.single("any flag", 32);
  const expr after = bits::flags_of_child(Word{flags}), zero = number(flags, 0);
  const expr gets = bit == number(bit, task_flag::forknoexec.bits);
  const expr loses = bit == number(bit, task_flag::superpriv.bits);
  c.holds(z3::implies(gets, (after & bit) != zero));
  c.holds(z3::implies(loses, (after & bit) == zero));
  c.holds(z3::implies(!gets && !loses, (after & bit) == (flags & bit)));
}
void exec_clears(Claim& c) {
  changes_one_flag(c, [](const Word& w) { return bits::flags_after_exec(w); },
                   task_flag::forknoexec, false);
}
void exit_sets(Claim& c) {
  changes_one_flag(c, [](const Word& w) { return bits::flags_exiting(w); }, task_flag::exiting,
                   true);
}
void end_sets(Claim& c) {
  changes_one_flag(c, [](const Word& w) { return bits::flags_ended(w); }, task_flag::postcoredump,
                   true);
}
void death_sets(Claim& c) {
  changes_one_flag(c, [](const Word& w) { return bits::flags_signaled(w); }, task_flag::signaled,
                   true);
}

std::string flags_trace(const Values& v) {
  std::uint64_t left = v.at("flags");
  for (const forkproof::Word& w : CloneKind::words) left &= ~w.value;
  if (left != 0) return {};
  const bool none = v.at("flags") == 0;
  const std::string call =
      none ? "clone exit_signal=SIGCHLD" : "clone " + show_clone_flags(v.at("flags"));
  if (v.at("caller is init") != 0) return fmt::format("init: {} as Child\n", call);
  return fmt::format("init: fork as Caller\nCaller: {} as Child\n", call);
}

constexpr const char* kRefuses = "clone_refuses";

constexpr Obligation kFlags[] = {
    {"clone.refusals",
     "What clone refuses, and with which errno, is what the book's rules say in their order, for "
     "every word of flags and every caller.",
     "kernel-fork ORDER:1", kRefuses, "", refusals_are_the_books, flags_trace},
    {"clone.precedence",
     "EINVAL comes before a restart by a signal since 4.19, that before EAGAIN, and EAGAIN before "
     "the restart of earlier kernels, for every call.",
     "kernel-fork PENDING:1", "before_copying after_search clone_refuses",
     "nothing between the look and the search for a number changes what is pending",
     answers_in_order},
    {"clone.thread-needs-sighand", "THREAD without SIGHAND is refused.", "clone.2 EINVAL:1",
     kRefuses, "", thread_needs_sighand, flags_trace},
    {"clone.sighand-needs-vm", "SIGHAND without VM is refused.", "clone.2 EINVAL:2", kRefuses, "",
     sighand_needs_vm, flags_trace},
    {"clone.init-has-no-siblings", "PARENT is refused to init.", "clone.2 EINVAL:3", kRefuses, "",
     init_has_no_siblings, flags_trace},
    {"clone.thread-not-elsewhere", "THREAD with NEWPID is refused.", "clone.2 NEWPID:1", kRefuses,
     "", thread_goes_nowhere_else, flags_trace},
    {"clone.mounts-not-with-fs", "NEWNS with FS is refused.", "clone.2 NEWNS:1", kRefuses, "",
     mounts_need_their_own_fs, flags_trace},
    {"clone.users-not-with-fs", "NEWUSER with FS is refused.", "user_namespaces.7 FS:1", kRefuses,
     "", users_need_their_own_fs, flags_trace},
    {"clone.users-not-of-a-thread", "NEWUSER with THREAD is refused.", "user_namespaces.7 THREAD:1",
     kRefuses, "", threads_are_of_the_same_users, flags_trace},
    {"clone.thread-implies-vm", "What is made with THREAD shares the memory.", "clone.2 EINVAL:2",
     kRefuses, "", thread_implies_vm, flags_trace},
    {"clone.inert-flags",
     "VM, FS, SIGHAND, THREAD, PARENT, NEWNS, NEWPID and NEWUSER decide, and no other of the 64 "
     "bits (what goes with PIDFD is asked apart).",
     "clone.2 INERT:1", kRefuses, "", other_bits_do_not_count, flags_trace},
    {"clone.legal-fork", "No flags, with any that decide nothing, are accepted from all.",
     "clone.2 INERT:1", kRefuses, "", is_legal<0, true>, flags_trace},
    {"clone.legal-vm", "VM without SIGHAND is accepted from all.", "clone.2 VM:1", kRefuses, "",
     is_legal<kVm, true>, flags_trace},
    {"clone.legal-sighand", "VM|SIGHAND without THREAD is accepted from all.", "clone.2 SIGHAND:1",
     kRefuses, "", is_legal<kVm | kSighand, true>, flags_trace},
    {"clone.legal-thread", "VM|SIGHAND|THREAD is accepted from all.", "clone.2 THREAD:1", kRefuses,
     "", is_legal<kVm | kSighand | kThread, true>, flags_trace},
    {"clone.legal-newpid", "NEWPID is accepted from all, with VM and SIGHAND or without.",
     "clone.2 NEWPID:1", kRefuses, "", is_legal<kNewpid | kVm | kSighand, true>, flags_trace},
    {"clone.legal-vfork", "VFORK without VM is accepted from all.", "kernel-fork VFORK:2", kRefuses,
     "", is_legal<kVfork, true>, flags_trace},
    {"clone.legal-vfork-thread", "VFORK with THREAD is accepted from all.", "kernel-fork VFORK:2",
     kRefuses, "", is_legal<kVfork | kVm | kSighand | kThread, true>, flags_trace},
    {"clone.legal-parent", "PARENT is accepted from everybody but init.", "clone.2 PARENT:1",
     kRefuses, "", is_legal<kParent, false>, flags_trace},
    {"clone.legal-vfork-parent", "VFORK with PARENT is accepted from everybody but init.",
     "kernel-fork VFORK:2", kRefuses, "", is_legal<kVfork | kParent, false>, flags_trace},
    {"clone.siblings",
     "With PARENT, and only then, the child has its maker's parent, exit signal and exec count of "
     "the parent.",
     "kernel-fork EXITSIG:2", "from_maker", "", sibling_has_its_makers},
    {"flags.inherited",
     "Of the flags that are kept, a child has its maker's and FORKNOEXEC, and not SUPERPRIV.",
     "kernel-fork FLAGS:1", "flags_of_child", "", child_inherits},
    {"flags.exec", "Of the flags that are kept, exec clears FORKNOEXEC and no other.",
     "kernel-exec FLAGS:1", "flags_after_exec", "", exec_clears},
    {"flags.exiting", "A task that exits gets EXITING and no other flag.", "kernel-exit FLAGS:1",
     "flags_exiting", "", exit_sets},
    {"flags.ended", "A task that has ended gets POSTCOREDUMP and no other flag.",
     "kernel-exit FLAGS:2", "flags_ended", "", end_sets},
    {"flags.signaled", "A task that a signal ends gets SIGNALED and no other flag.",
     "kernel-signal FLAGS:1", "flags_signaled", "", death_sets},
};

}  // namespace

std::span<const Obligation> clone_obligations() { return kFlags; }

}  // namespace forkproof::smt
