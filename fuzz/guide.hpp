/// What steers a fuzzer besides the edges of the code: which rules acted, which op had which
/// outcome, and which kinds of task there were. libFuzzer reads the counters like those of edges.
///
/// FORKPROOF_GUIDE names the sources that count, with commas between them: `rules`, `outcomes`,
/// `states`; `none` is none of them. All do if it is not set. That is for measuring what each is
/// worth (bench/fuzz), as is FORKPROOF_RULES_WANTED: the process ends with a line on standard error
/// when so many rules have acted.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "spec/model.hpp"

namespace forkproof::fuzz {

/// Forgets the input before.
void begin_guide();

/// Counts what the last step of the model did.
void guide_by(const spec::Model& model, const Op& op);

/// One byte a rule, then those of the pairs, then those of the states.
std::span<const std::uint8_t> counters();
/// Those of the rules and of the pairs.
std::span<const std::uint8_t> lasting_counters();

/// Of all that the guide saw since it began, whatever counts.
std::uint64_t guide_hash();

/// The kind of a task: what the invariants look at, numbers left out.
std::uint64_t kind_of_task(const spec::World& world, spec::TaskId id);

}  // namespace forkproof::fuzz
