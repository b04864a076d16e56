/// The list of all obligations, and of what is not proved.
#include "smt/obligation.hpp"

namespace forkproof::smt {

namespace {

constexpr Gap kGaps[] = {
    {"That taking and giving back go on upwards as long as the summary changes: a loop of six "
     "lines in `impl/pid_bitmap.hpp`, whose step is proved (`pid.take-keeps-summary`)",
     "`PidBitmap::sound` and `props/bits_test.cpp`, which walk the numbers one by one"},
    {"That take and give back are called when a number comes into use, and when it falls out of "
     "it: that each changes the count of bits by one is proved (`pid.take-counts`)",
     "`Machine::sound`, which compares the bits with the numbers in use; `explore --faults`"},
    {"What clone refuses of namespaces once it makes the task (NEWIPC with SYSVSEM, no room, no "
     "right), where NEWPID, NEWNS and NEWUSER with other flags are proved (`clone.*`)",
     "the lockstep with the model, and the litmus traces, on Linux, too"},
    {"When tasks get SUPERPRIV, NPROC_EXCEEDED, KTHREAD and NOFREEZE, and lose them, but by fork, "
     "exec and the end (`flags.*`)",
     "the lockstep with the model; of the flags in `spec/other_task_flags.hpp`, which has the "
     "reasons, nothing is said"},
    {"What does not go with CLONE_PIDFD, and what clone3 checks besides",
     "the traces in pidfds/ and clone3/, and random ones, on the implementation and on Linux"},
    {"That a stack has no memory behind its addresses: the machine's own calls use the stack of "
     "the process that it is part of, and what a task pushes is a number of bytes",
     "the op `recurse` and the traces in stack/, which overflow one"},
    {"The core-dump bit of a status: no core is ever written in the model's world",
     "`status.complete` and `status.macros` cover statuses that have it"},
    {"That the loops over the entries of a node count each of them: that a count stays right for "
     "one entry is proved (`cow.*-counts`)",
     "`PageTables::sound`, which counts all anew"},
    {"The search for a run of free pages (mmap)", "the lockstep with the model"},
    {"Z3 and cvc5 themselves, and the compiler", "that the two solvers agree on every formula"},
};

}  // namespace

std::vector<const Obligation*> obligations() {
  std::vector<const Obligation*> all;
  for (const auto file : {pid_word_obligations, pid_search_obligations, clone_obligations,
                          signal_obligations, state_obligations, stack_obligations,
                          wait_obligations, entry_obligations, index_obligations})
    for (const Obligation& o : file()) all.push_back(&o);
  return all;
}

std::span<const Gap> gaps() { return kGaps; }

}  // namespace forkproof::smt
