/// Rules: how many namespaces there may be of each kind.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kNamespaceLimitRules = std::to_array<Rule>({
    {"nslimit.at-first",
     "A new user namespace has a limit of 2147483647 for each kind of namespaces, whatever the "
     "limits of those above it.", "kernel-ucount LIMIT:1"},
    {"nslimit.no-time", "In linux-4.12 there is no kind called time: ENOENT.",
     "kernel-ucount LIMIT:2"},
    {"nslimit.right",
     "Only who has SYS_RESOURCE in its user namespace sets limits there: else EACCES.",
     "kernel-ucount WRITE:1"},
    {"nslimit.range", "A limit below 0 is EINVAL.", "kernel-ucount WRITE:2"},
    {"nslimit.set", "Limits are those of the caller's user namespace, for all who are in it.",
     "namespaces.7 LIMIT:1"},
    {"nslimit.get", "Everybody may read the limits of its user namespace, and no others.",
     "kernel-ucount READ:1"},
    {"nslimit.lowered", "A limit below what there is ends no namespace.",
     "kernel-ucount WRITE:3"},
    {"nslimit.full",
     "Where as many namespaces of a kind belong to a user namespace as may, and to those below it, "
     "no other is made that would belong to it: ENOSPC.", "namespaces.7 LIMIT:2"},
    {"nslimit.full-above",
     "Nor one that would belong to a user namespace below: it counts in each that this is in.",
     "namespaces.7 LIMIT:3"},
    {"nslimit.belongs-to-new",
     "What is made together with a user namespace counts in that, and so in those above.",
     "kernel-ucount COUNT:1"},
    {"nslimit.in-turn",
     "Of several kinds that are asked for together the first that cannot be made says why: mounts, "
     "then the host's name, System V IPC, pids, control groups, nets, time.",
     "kernel-nsproxy NEW:1"},
    {"nslimit.given-back", "A namespace counts until nobody is in it, and nothing needs it.",
     "kernel-ucount COUNT:2"},
    {"nslimit.file-keeps",
     "An open file keeps the user namespace that it was opened in.", "kernel-ucount COUNT:4"},
    {"nslimit.undone",
     "What was made for a task that is then refused for another reason counts no more.",
     "kernel-ucount COUNT:3"},
});

}  // namespace forkproof
