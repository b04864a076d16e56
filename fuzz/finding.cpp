/// What is wrong with an input, or what a trace is there for.
#include "fuzz/finding.hpp"

#include <fmt/format.h>

#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof::fuzz {

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return h;
}

std::string name_by(std::string_view rule, const Script& script) {
  std::string shape;
  for (const Step& s : script.steps) shape += fmt::format("{}:{} ", s.actor, name_of(s.op));
  return fmt::format("{}-{:08x}", rule, hash_of(shape) & 0xFFFFFFFF);
}

Finding finding_of(const harness::Violation& v, std::string_view system) {
  Finding f;
  f.name = name_by(v.id, v.trace);
  f.extension = ".trace";
  f.report = harness::report(
      v, fmt::format("forkproof replay {}{} --system {}", f.name, f.extension, system));
  Script trace = v.trace;
  trace.head = {fmt::format(" {}: {}", v.id, v.says), fmt::format(" observed: {}", v.observed),
                fmt::format(" allowed:  {}", v.allowed)};
  f.content = print(trace);
  return f;
}

}  // namespace forkproof::fuzz
