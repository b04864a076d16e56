/// The byte form of traces: it loses nothing but comments, and every byte string is a trace.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>
#include <set>

#include "props/arbitrary.hpp"
#include "spec/byte_values.hpp"
#include "spec/bytes.hpp"
#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof {
namespace {

using Bytes = std::vector<std::uint8_t>;

Script without_comments(Script script) {
  script.head.clear();
  return script;
}

/// What holds of every byte string: it is a script, and text and bytes give that script again.
bool is_a_script(const Bytes& bytes) {
  const Script script = decode(bytes);
  const Parsed parsed = parse(print(script));
  return well_formed(script) && !parsed.error && parsed.script == script &&
         decode(encode(script)) == script;
}

Script script_of(std::string_view lines) {
  Parsed parsed = parse("forkproof-trace v1\n" + std::string(lines));
  EXPECT_FALSE(parsed.error) << to_text(*parsed.error, lines);
  return std::move(parsed.script);
}

std::string text_of(const Bytes& bytes) {
  const std::string text = print(decode(bytes));
  return text.substr(text.find("\n\n") + 2);
}

RC_GTEST_PROP(TraceBytes, TheyLoseNothingButComments, ()) {
  const Script script = *props::arbitrary_script();
  RC_ASSERT(decode(encode(script)) == without_comments(script));
}

RC_GTEST_PROP(TraceBytes, AnyBytesAreAScript, ()) {
  const Bytes bytes = *rc::gen::arbitrary<Bytes>();
  RC_ASSERT(is_a_script(bytes));
}

TEST(TraceBytes, LongRandomBytesAreAScript) {
  std::mt19937 random{7};
  std::set<std::size_t> ops;
  for (int round = 0; round < 100; ++round) {
    Bytes bytes(random() % 2000);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
    ASSERT_TRUE(is_a_script(bytes)) << round;
    for (const Step& s : decode(bytes).steps) ops.insert(s.op.index());
  }
  EXPECT_EQ(ops.size(), kOps);
}

TEST(TraceBytes, RepeatedBytesAreAScript) {
  for (unsigned b = 0; b < 256; ++b)
    for (std::size_t size = 0; size < 80; size += 1 + size / 4)
      ASSERT_TRUE(is_a_script(Bytes(size, static_cast<std::uint8_t>(b)))) << b << ' ' << size;
}

RC_GTEST_PROP(TraceBytes, CutAnywhereTheyAreAScript, ()) {
  const Script script = *props::arbitrary_script();
  Bytes bytes = encode(script);
  while (!bytes.empty()) {
    bytes.pop_back();
    RC_ASSERT(well_formed(decode(bytes)));
  }
}

/// Arguments that are read once more are those of the second time alone.
TEST(TraceBytes, WhatIsReadReplacesWhatWasThere) {
  std::mt19937 random{7};
  const auto read_into = [](Op& op, const Bytes& bytes) {
    ByteReader in{bytes};
    std::visit([&](auto& o) { for_each_arg(o, [&](const auto&, auto& value) { in(value); }); }, op);
  };
  for (std::size_t round = 0; round < 100 * kOps; ++round) {
    Bytes bytes(40), others(40);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
    for (auto& b : others) b = static_cast<std::uint8_t>(random());
    Op fresh = default_op(round % kOps), used = fresh;
    read_into(used, others);
    read_into(used, bytes);
    read_into(fresh, bytes);
    ASSERT_EQ(used, fresh) << name_of(fresh);
  }
}

TEST(TraceBytes, WhatIsCommonIsShort) {
  EXPECT_EQ(encode(Script{}).size(), 1U);
  EXPECT_EQ(decode({}).world.pid_max, 310);
  const auto size = [](std::string_view lines) { return encode(script_of(lines)).size() - 1; };
  EXPECT_EQ(size("init: fork"), 2U);
  EXPECT_EQ(size("init: fork as A\nA: exit 3"), 5U);
  EXPECT_EQ(size("init: clone VM|SIGHAND|THREAD"), 4U);
  EXPECT_EQ(size("init: wait4 any WNOHANG"), 4U);
  EXPECT_EQ(size("init: kill 1 SIGKILL"), 5U);
  EXPECT_EQ(size("init: kill 77 SIGKILL"), 9U);
  EXPECT_EQ(size("world: pid_cursor 299"), 2U);
}

TEST(TraceBytes, TasksAreThoseThatWereMade) {
  const auto fork = static_cast<std::uint8_t>(*op_index("fork"));
  const auto exit = static_cast<std::uint8_t>(*op_index("exit"));
  EXPECT_EQ(text_of({0, exit, 9, 1}), "init: exit 1\n");
  EXPECT_EQ(text_of({0, fork, 9, fork, 1, exit, 5, 2}),
            "init: fork as A\nA: fork as B\nB: exit 2\n");
  EXPECT_EQ(text_of({0, static_cast<std::uint8_t>(fork + kOps)}), "init: fork\n");
}

TEST(TraceBytes, OneOpAfterTheOtherBoundsTheWork) {
  const auto exec = static_cast<std::uint8_t>(*op_index("exec"));
  EXPECT_EQ(decode(Bytes(2 * kStepsMax + 3, exec)).steps.size(), kStepsMax);
}

}  // namespace
}  // namespace forkproof
