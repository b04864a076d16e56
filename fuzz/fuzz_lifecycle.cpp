/// All ops, on the implementation and the model in lockstep.
#include "fuzz/script_target.hpp"

namespace forkproof::fuzz {

const std::string_view kTargetName = "fuzz_lifecycle";

Target& target() {
  static ScriptTarget t{Focus{}};
  return t;
}

}  // namespace forkproof::fuzz
