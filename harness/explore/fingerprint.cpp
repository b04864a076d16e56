/// Fingerprints by XXH3, 128 bits: https://xxhash.com.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "harness/explore/levels.hpp"

namespace forkproof::harness {

Fingerprint fingerprint(std::span<const std::uint64_t> row) {
  const XXH128_hash_t hash = XXH3_128bits(row.data(), row.size_bytes());
  return {.low = hash.low64, .high = hash.high64};
}

}  // namespace forkproof::harness
