/// The ops as system calls: what a puppet is told to do, and what its answer means.
#pragma once
#include <optional>

#include "harness/linux/shared.hpp"
#include "spec/outcome.hpp"

namespace forkproof::harness::kernel {

/// What the world answers without asking the kernel: where an address space is not the kernel's,
/// but has as many pages as a trace may use, and for functions of the kernel, which a world without
/// kernel threads has not.
std::optional<Outcome> by_convention(const Op& op);

/// Writes the op into the slot `index` of a puppet, all but the word that posts it. `child` is the
/// slot for the task that the op makes, if it makes one.
void write_call(const Op& op, Slot& slot, std::uint32_t index, std::uint32_t child);

/// The outcome that the answer in the slot is, after `op`.
Outcome outcome_of(const Op& op, const Slot& slot);

}  // namespace forkproof::harness::kernel
