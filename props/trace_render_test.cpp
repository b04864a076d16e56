/// The pictures of a trace, line by line.
#include <gtest/gtest.h>

#include <algorithm>

#include "spec/bytes.hpp"
#include "spec/render.hpp"
#include "spec/text.hpp"

namespace forkproof {
namespace {

const Script& family() {
  static const Script script = parse(R"(forkproof-trace v1
init: fork -> A pid 2
A: fork -> B
A: clone VM|SIGHAND|THREAD -> T
B: vfork -> V
V: exec -> 0
B => V
init: fork -> EAGAIN
init: fork -> C
C: exec -> EFAULT
C: exit 1 -> not-run
A: exit_group 3
init: waitid A WEXITED|WNOWAIT -> A exited 3
init: wait4 any -> A exited 3
init: wait4 any -> blocks
init: kill B SIGKILL -> not-run
V: kill B SIGKILL -> 0
init => B killed SIGKILL
C: kill C SIGSEGV -> dies SIGSEGV
)").script;
  return script;
}

TEST(TraceRender, TheTreeSaysWhoMadeWhomAndHowTheyEnded) {
  ASSERT_EQ(family().steps.size(), 16U);
  EXPECT_EQ(tree(family()),
            "init\n"
            "├─ A  fork, pid 2, exited 3, reaped by init\n"
            "│  ├─ B  fork, killed SIGKILL, reaped by init\n"
            "│  │  └─ V  vfork, exec\n"
            "│  └─ T  clone VM|SIGHAND|THREAD\n"
            "├─ E  fork, EAGAIN\n"
            "└─ C  fork, killed SIGSEGV\n");
}

TEST(TraceRender, TheGraphHasANodeATaskAndAnEdgeACreation) {
  EXPECT_EQ(dot(family()),
            "digraph forkproof {\n"
            "  node [shape=box];\n"
            "  t0 [label=\"init\"];\n"
            "  t1 [label=\"A\\npid 2\\nexited 3\\nreaped by init\"];\n"
            "  t2 [label=\"B\\nkilled SIGKILL\\nreaped by init\"];\n"
            "  t3 [label=\"T\"];\n"
            "  t4 [label=\"V\\nexec\"];\n"
            "  t5 [label=\"E\\nEAGAIN\", style=dotted];\n"
            "  t6 [label=\"C\\nkilled SIGSEGV\"];\n"
            "  t0 -> t1 [label=\"fork\"];\n"
            "  t0 -> t5 [label=\"fork\"];\n"
            "  t0 -> t6 [label=\"fork\"];\n"
            "  t1 -> t2 [label=\"fork\"];\n"
            "  t1 -> t3 [label=\"clone VM|SIGHAND|THREAD\", style=dashed];\n"
            "  t2 -> t4 [label=\"vfork\"];\n"
            "}\n");
}

TEST(TraceRender, OnlyInit) {
  EXPECT_EQ(tree(Script{}), "init\n");
  EXPECT_EQ(dot(Script{}),
            "digraph forkproof {\n  node [shape=box];\n  t0 [label=\"init\"];\n}\n");
}

TEST(TraceRender, ALongChainTakesLinesOfBoundedLength) {
  Script script;
  for (std::int32_t i = 0; i < 20'000; ++i) {
    Step& s = script.steps.emplace_back();
    s.actor = i;
    s.binds = i + 1;
    script.names.push_back(canonical_name(i + 1));
  }
  ASSERT_TRUE(well_formed(script));
  EXPECT_LT(tree(script).size(), std::size_t{20'000} * 400);
}

TEST(TraceRender, EveryScriptHasAPicture) {
  for (unsigned b = 0; b < 256; ++b) {
    std::vector<std::uint8_t> bytes;
    for (unsigned i = 0; i < 400; ++i) bytes.push_back(static_cast<std::uint8_t>(b * i + i / 7));
    const Script script = decode(bytes);
    const std::string text = tree(script);
    EXPECT_EQ(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')),
              script.names.size());
    EXPECT_TRUE(dot(script).ends_with("}\n"));
  }
}

}  // namespace
}  // namespace forkproof
