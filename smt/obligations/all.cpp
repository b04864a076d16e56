/// The list of all obligations, and of what is not proved.
#include "smt/obligation.hpp"

namespace forkproof::smt {

namespace {

constexpr Gap kGaps[] = {
    {"That the loops of the pid bitmap walk its levels as the steps are proved: the induction over "
     "levels is an argument about six lines of `impl/pid_bitmap.hpp`",
     "`PidBitmap::sound` and `props/bits_test.cpp`, which walk the numbers one by one"},
    {"That the bits set are the numbers in use: take and give back are proved to change their one "
     "bit, that they are called when a number comes into use and falls out of it is not",
     "`Machine::sound`, which compares both"},
    {"The precedence of EINVAL, EAGAIN and a restart by a signal in clone: the searches and looks "
     "between them have effects, so they are code and no mask",
     "the lockstep with the model, in both profiles; the matrix of clone flags on the kernel"},
    {"The flags of clone that the model's world does not have (namespaces, CLONE_PIDFD, "
     "CLONE_DETACHED and others) with their rules, and those of tasks (PF_SUPERPRIV, "
     "PF_WQ_WORKER, PF_KTHREAD and others)",
     "nothing: they are not modelled, and no op carries them"},
    {"The kernel's states and wake masks as numbers (TASK_*, 4.12 and 6.x), exit_state as a word",
     "nothing: the implementation has no such words. Who is woken by what is proved (`wake.*`), "
     "that a zombie stays one is held by the lockstep"},
    {"thread_info and masks of the kernel stack", "nothing: the implementation has no stack"},
    {"The core-dump bit of a status: no core is ever written in the model's world",
     "`status.complete` and `status.macros` cover statuses that have it"},
    {"That the counts of nodes and frames are those of their users",
     "`PageTables::sound`, which counts them anew"},
    {"The search for a run of free pages (mmap)", "the lockstep with the model"},
    {"Z3 and cvc5 themselves, and the compiler", "that the two solvers agree on every formula"},
};

}  // namespace

std::vector<const Obligation*> obligations() {
  std::vector<const Obligation*> all;
  for (const auto file : {pid_word_obligations, pid_search_obligations, clone_obligations,
                          signal_obligations, wait_obligations, entry_obligations,
                          index_obligations})
    for (const Obligation& o : file()) all.push_back(&o);
  return all;
}

std::span<const Gap> gaps() { return kGaps; }

}  // namespace forkproof::smt
