/// Rules: address spaces: what is mapped, what fork copies, and what is shared.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kMemoryRules = std::to_array<Rule>({
    {"mem.mmap-nothing", "mmap of 0 pages is EINVAL.", "mmap.2 EINVAL:1"},
    {"mem.mmap-full",
     "mmap is ENOMEM when no run of free pages is long enough.", "mmap.2 ENOMEM:1"},
    {"mem.mmap-lowest",
     "mmap takes the lowest free run that is long enough and answers its first page.",
     "kernel-mm PLACE:1"},
    {"mem.mmap-zero", "Fresh pages read 0.", "mmap.2 ZERO:1"},
    {"mem.munmap-range",
     "munmap of 0 pages, or past the end of the address space, is EINVAL.", "mmap.2 EINVAL:2"},
    {"mem.munmap",
     "munmap takes the pages out of the address space; where nothing is mapped it is content.",
     "mmap.2 UNMAP:1"},
    {"mem.advice-unknown",
     "WIPEONFORK and KEEPONFORK are EINVAL (linux-4.12 only).", "madvise.2 EINVAL:1"},
    {"mem.advice-unmapped",
     "madvise for a page that is not mapped is ENOMEM.", "madvise.2 ENOMEM:1"},
    {"mem.wipe-shared",
     "WIPEONFORK for a shared page is EINVAL (linux-6 only).", "madvise.2 EINVAL:2"},
    {"mem.dontfork",
     "A page advised DONTFORK is not mapped in a child's copy of the memory.",
     "madvise.2 DONTFORK:1"},
    {"mem.dofork", "DOFORK takes DONTFORK back.", "madvise.2 DONTFORK:2"},
    {"mem.wipeonfork",
     "A page advised WIPEONFORK reads 0 in a child's copy of the memory (linux-6 only).",
     "madvise.2 WIPE:1"},
    {"mem.wipeonfork-inherited",
     "The copy of a page advised WIPEONFORK has the advice too: a grandchild's is wiped as well "
     "(linux-6 only).", "madvise.2 WIPE:2"},
    {"mem.keeponfork", "KEEPONFORK takes WIPEONFORK back (linux-6 only).", "madvise.2 WIPE:3"},
    {"mem.read-unmapped", "read of a page that is not mapped is EFAULT.", "kernel-mm FAULT:1"},
    {"mem.write-unmapped",
     "write of a page that is not mapped is EFAULT, and changes nothing.", "kernel-mm FAULT:1"},
    {"mem.read",
     "read answers what was last written to the page by a task that shares it.", "mmap.2 VALUE:1"},
    {"mem.write", "write changes the page for every task that shares it.", "mmap.2 VALUE:1"},
    {"mem.private-apart",
     "After a copy neither side sees what the other writes to a private page.", "fork.2 MEM:2"},
    {"mem.shared-together",
     "After a copy both sides see what either writes to a shared page.", "mmap.2 SHARED:1"},
});

}  // namespace forkproof
