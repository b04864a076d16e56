/// Rules: what marks a task as one that has used capabilities (PF_SUPERPRIV).
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kPrivilegeRules = std::to_array<Rule>({
    {"superpriv.set",
     "A call that asks for a capability which its caller has sets PF_SUPERPRIV of the caller, "
     "whatever comes of the call; where the caller has it not, nothing is set.",
     "kernel-cred SUPERPRIV:1"},
    {"superpriv.not-inherited", "No new task has PF_SUPERPRIV, be it a process or a thread.",
     "kernel-fork FLAGS:2"},
    {"superpriv.exec-kept", "An exec leaves PF_SUPERPRIV as it is.", "kernel-exec FLAGS:2"},
    {"superpriv.exit-kept", "Zombies have PF_SUPERPRIV if they had it.", "kernel-exit FLAGS:3"},
    {"superpriv.not-needed",
     "What one's limits of priorities allow, and to become in reality who one is in effect, asks "
     "for no capability.", "kernel-cred SUPERPRIV:2"},
    {"superpriv.asked-first",
     "In linux-4.12 setresuid and sched_setscheduler ask for theirs before anything is compared.",
     "kernel-cred SUPERPRIV:3"},
    {"superpriv.access",
     "To trace a task, or to enter its namespaces, asks for no capability over a task of the same "
     "user and user namespace that has no more capabilities than the caller.",
     "kernel-ptrace SUPERPRIV:1"},
    {"superpriv.access-unmarked",
     "In linux-4.12 what that asks for because of another user sets nothing.",
     "kernel-ptrace SUPERPRIV:2"},
    {"superpriv.home-first",
     "setns asks for SYS_ADMIN where a namespace belongs to, and only then where the caller is; of "
     "one of control groups the other way round.", "kernel-nsproxy SUPERPRIV:1"},
    {"superpriv.file-looked-at",
     "To read a limit on namespaces asks for the capability that writing it takes.",
     "kernel-ucount SUPERPRIV:1"},
    {"superpriv.denies-setgroups",
     "Who maps groups denies setgroups before, which asks for SYS_ADMIN in the user namespace; to "
     "map users, all but oneself, asks for SETUID in the one above.",
     "kernel-user-namespace SUPERPRIV:1"},
    {"superpriv.exec-unsafe",
     "In linux-4.12 an exec of who is somebody else in reality than in effect, and whose directory "
     "another process has, too, asks for SETUID.", "kernel-exec FLAGS:3"},
});

}  // namespace forkproof
