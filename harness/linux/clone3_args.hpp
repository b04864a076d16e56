/// What clone3 is given when it is given something odd.
#pragma once
#include <linux/sched.h>

#include <cstddef>
#include <cstdint>

#include "spec/pidfd_words.hpp"

namespace forkproof::harness::kernel {

constexpr std::uint64_t kNowhere = 16;  // an address at which no program has anything

/// Changes the struct as `how` says, with `tids` for a list of numbers. Answers the size to tell.
std::size_t spoil(clone_args& args, Clone3Args how, std::uint64_t tids);

}  // namespace forkproof::harness::kernel
