/// The smallest violation that can be had of one that a campaign found.
#pragma once
#include <cstdint>

#include "harness/campaign.hpp"

namespace forkproof::harness {

/// The violation `found` of trace `k`, made as small as it can be. One that stays long may have
/// shrunk into a corner: then others are looked for that break the same promise and get shorter, or
/// another one in three ops fewer, in up to 60,000 traces: like it, about the same, or any.
/// That is for systems that repeat what they do; they are asked in a process of its own, which what
/// is wrong with a system, or a signal, may end: then what had been reached holds.
Violation least_like(Checker& checker, const Campaign& campaign, std::uint64_t k, Violation found);

}  // namespace forkproof::harness
