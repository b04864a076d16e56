/// What a rule is: a clause of the spec with a name, a sentence and a source.
#pragma once
#include <array>
#include <string_view>

namespace forkproof {

/// `id` is for good: never reused, never given another meaning. `source` is a file of spec/sources/
/// without its `.md`, and the label of a sentence in it.
struct Rule {
  std::string_view id, says, source;
};

}  // namespace forkproof
