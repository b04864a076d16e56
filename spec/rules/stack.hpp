/// Rules: what a task's kernel stack holds, and what becomes of who needs more.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kStackRules = std::to_array<Rule>({
    {"stack.holds", "Calls within the kernel that the caller's kernel stack has room for return.",
     "kernel-fork STACK:1"},
    {"stack.size", "A kernel stack has 16384 bytes (linux-6 only).", "kernel-fork STACK:1"},
    {"stack.size-before", "A kernel stack has 8192 bytes (linux-4.12 only).",
     "forkproof STACK:1"},
    {"stack.overflow",
     "A task that needs more runs into the guard of its stack, and dies by SIGSEGV.",
     "forkproof STACK:2"},
    {"stack.overflow-alone",
     "That ends the thread, not its process, whose others go on; what a neighbour has on its stack "
     "is as before.", "kernel-fork STACK:3"},
});

}  // namespace forkproof
