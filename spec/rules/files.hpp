/// Rules: open files, their descriptors, the umask, and who shares them.
#pragma once
#include "spec/rules/rule.hpp"

namespace forkproof {

inline constexpr auto kFileRules = std::to_array<Rule>({
    {"file.open", "open answers the lowest descriptor that is free.", "open.2 LOWEST:1"},
    {"file.open-fresh", "A file that was just opened is at offset 0.", "open.2 OFFSET:1"},
    {"file.open-full", "open with no descriptor free is EMFILE.", "open.2 EMFILE:1"},
    {"file.open-cloexec",
     "A descriptor opened with CLOEXEC is closed by an exec, others are not.", "open.2 CLOEXEC:1"},
    {"file.close", "close frees the descriptor, for open and dup to answer again.",
     "close.2 FREE:1"},
    {"file.close-last",
     "An open file goes with the last descriptor that stands for it, in whatever table.",
     "close.2 LAST:1"},
    {"file.close-unknown", "close of what is no open descriptor is EBADF.", "close.2 EBADF:1"},
    {"file.dup", "dup answers the lowest descriptor that is free.", "dup.2 LOWEST:1"},
    {"file.dup-same", "The descriptors of one open file have one offset.", "dup.2 SAME:1"},
    {"file.dup-stays-open", "The descriptor that dup makes is not closed by an exec.",
     "dup.2 CLOEXEC:1"},
    {"file.dup-unknown", "dup of what is no open descriptor is EBADF, before EMFILE.",
     "dup.2 EBADF:1"},
    {"file.dup-full", "dup with no descriptor free is EMFILE.", "dup.2 EMFILE:1"},
    {"file.setfd", "F_SETFD sets whether an exec closes this descriptor, and no other of its file.",
     "fcntl.2 SETFD:1"},
    {"file.setfd-unknown", "F_SETFD of what is no open descriptor is EBADF.", "fcntl.2 EBADF:1"},
    {"file.lseek", "lseek moves the offset by so much and answers where it then is.",
     "lseek.2 CUR:1"},
    {"file.lseek-before-start", "lseek to before the start is EINVAL, and moves nothing.",
     "lseek.2 EINVAL:1"},
    {"file.lseek-unknown", "lseek of what is no open descriptor is EBADF.", "lseek.2 EBADF:1"},

    {"file.fork-copied",
     "A new task without CLONE_FILES has a copy of its maker's descriptors: what either opens or "
     "closes later, the other does not see.", "fork.2 FILES:1"},
    {"file.fork-offset",
     "The copies of a descriptor stand for one open file: its offset is one.", "fork.2 FILES:2"},
    {"file.clone-shares",
     "With CLONE_FILES both tasks have one table of descriptors.", "clone.2 FILES:1"},
    {"file.exec-own",
     "exec gives the caller a table of descriptors of its own; who shared it keeps the old one.",
     "kernel-exec FILES:1"},
    {"file.exec-closes", "exec closes the descriptors that carry CLOEXEC.", "execve.2 FILES:1"},
    {"file.exec-keeps", "Other descriptors stay open over an exec.", "execve.2 FILES:2"},
    {"file.exit", "Whoever ends lets go of its table; with the last user all of it is closed.",
     "kernel-exit FILES:1"},

    {"fs.umask", "umask sets the mask of the caller and answers the one before.", "umask.2 MASK:1"},
    {"fs.umask-bits", "Of the argument of umask the nine permission bits count.", "umask.2 MASK:2"},
    {"fs.fork-copied", "A new task without CLONE_FS has a copy of its maker's umask.",
     "umask.2 FORK:1"},
    {"fs.clone-shares", "With CLONE_FS both tasks have one umask.", "clone.2 FS:1"},
    {"fs.exec-keeps", "exec keeps the umask, and whoever shares it.", "umask.2 EXEC:1"},

    {"unshare.unknown",
     "unshare of VFORK, PARENT, SETTLS, PARENT_SETTID, CHILD_CLEARTID, PIDFD or DETACHED is "
     "EINVAL.", "unshare.2 EINVAL:1"},
    {"unshare.threads",
     "unshare of THREAD, SIGHAND or VM by a process with more than one thread is EINVAL.",
     "unshare.2 EINVAL:2"},
    {"unshare.sighand",
     "unshare of SIGHAND or VM by a process that shares its dispositions is EINVAL.",
     "kernel-fork UNSHARE:1"},
    {"unshare.vm", "unshare of VM by a process that shares its memory is EINVAL.",
     "unshare.2 EINVAL:3"},
    {"unshare.files", "unshare of FILES gives the caller a copy of the table that it shared.",
     "unshare.2 FILES:1"},
    {"unshare.fs", "unshare of FS gives the caller a umask of its own, as it was.",
     "unshare.2 FS:1"},
    {"unshare.nothing-shared", "unshare of what is not shared changes nothing.",
     "unshare.2 NOTHING:1"},
});

}  // namespace forkproof
