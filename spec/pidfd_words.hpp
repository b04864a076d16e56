/// The words of poll and of clone3 beyond their flags.
///
/// Sources: poll(2); clone(2) clone3(), kernel/fork.c copy_clone_args_from_user().
#pragma once
#include <array>

#include "spec/words.hpp"

namespace forkproof {

/// How long poll(2) waits: its timeout is 0, or one below 0.
enum class Timeout : std::uint8_t { zero, infinite };
inline constexpr std::array kTimeouts{Word{"zero", 0}, Word{"infinite", 1}};

/// What clone3 is given besides flags: a struct that is as it should be, or what is odd about it.
/// `cgroup_*` says what the descriptor is of, and counts with INTO_CGROUP only.
enum class Clone3Args : std::uint8_t {
  plain,
  size_63,
  size_64,  // as the struct was at first: without set_tid
  size_80,  // as it was then: without cgroup
  size_96,  // more than is known, and 0
  tail_set,
  size_4097,
  unreadable,
  tids_33,
  tids_null,
  tids_empty,
  tids_unreadable,
  signal_high,  // a bit of the exit signal above 32 bits
  stack_alone,
  stack_size_alone,
  stack_beyond,
  one_place,  // for what PIDFD and PARENT_SETTID store
  pidfd_unwritable,
  cgroup_high,     // a number that no descriptor has
  cgroup_folder,   // a folder that is no control group
  cgroup_removed,  // a group that is gone
  cgroup_invalid,  // a group that is no domain, among threads
  cgroup_busy,     // a group that hands controllers down
};
inline constexpr std::array kClone3Args{
    Word{"plain", 0},          Word{"size-63", 1},          Word{"size-64", 2},
    Word{"size-80", 3},        Word{"size-96", 4},          Word{"tail-set", 5},
    Word{"size-4097", 6},      Word{"unreadable", 7},       Word{"tids-33", 8},
    Word{"tids-null", 9},      Word{"tids-empty", 10},      Word{"tids-unreadable", 11},
    Word{"signal-high", 12},   Word{"stack-alone", 13},     Word{"stack-size-alone", 14},
    Word{"stack-beyond", 15},  Word{"one-place", 16},       Word{"pidfd-unwritable", 17},
    Word{"cgroup-high", 18},   Word{"cgroup-folder", 19},   Word{"cgroup-removed", 20},
    Word{"cgroup-invalid", 21}, Word{"cgroup-busy", 22}};

}  // namespace forkproof
