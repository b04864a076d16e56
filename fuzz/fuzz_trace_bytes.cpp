/// The two forms of a trace are inverse: every byte string is a well-formed script, which is the
/// same after a detour through its bytes, and through its text.
#include "fuzz/focus.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/target.hpp"
#include "spec/bytes.hpp"
#include "spec/text.hpp"

namespace forkproof::fuzz {

const std::string_view kTargetName = "fuzz_trace_bytes";

namespace {

class TraceBytes final : public Target {
 public:
  std::string_view extension() const override { return ".raw"; }
  bool holds(Bytes input) override { return complaint(input).empty(); }
  Finding explain(Bytes input) override {
    return plain_finding(complaint(input), input, extension());
  }
  bool takes_traces() const override { return true; }
  Buffer mutate(Bytes input, std::uint32_t seed) override {
    return encode(Mutator(seed, focus_).mutate(decode(input)));
  }

 private:
  static std::string_view complaint(Bytes input) {
    const Script script = decode(input);
    if (!well_formed(script)) return "the bytes do not decode to a well-formed script";
    const Buffer bytes = encode(script);
    if (!(decode(bytes) == script)) return "decoding what was encoded gives another script";
    if (encode(decode(bytes)) != bytes) return "encoding what was decoded gives other bytes";
    const Parsed parsed = parse(print(script));
    if (parsed.error) return "the text of the script does not parse";
    if (!(parsed.script == script)) return "the text of the script parses to another script";
    return {};
  }

  Focus focus_;
};

}  // namespace

Target& target() {
  static TraceBytes t;
  return t;
}

}  // namespace forkproof::fuzz
