/// The text form of traces: printing and parsing are inverse to each other, and whatever is no
/// trace is refused with a place and a reason.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "props/arbitrary.hpp"
#include "spec/derive.hpp"
#include "spec/text.hpp"

namespace forkproof {
namespace {

constexpr std::string_view kHeader = "forkproof-trace v1\n";

/// A trace with something of everything, as the printer writes it.
constexpr std::string_view kSample = R"(forkproof-trace v1
# A family
world profile=linux-4.12 pid_max=400

init: fork -> A
A: fork -> B pid 7
A: exit 3
init: wait4 any -> A exited 3
B: getppid -> init
B: getpid -> 7
init: wait4 any -> blocks
B: exit 2
init => B exited 2
expect B state dead
expect init ppid 0
expect init pgid init
expect init flags EXITING|FORKNOEXEC
expect init exit_signal SIGCHLD
expect init exit_code 512
expect init blocked SIGUSR1|40
expect init pending none
init: wait4 any -> ECHILD
init: kill 77 SIGTERM -> ESRCH
init: clone VM|VFORK exit_signal=0 -> R
R: exit_group -1
init => R
R: exit 0 -> not-run
init: waitid any WSTOPPED|WEXITED|4096
init: waitid R WEXITED|WNOWAIT -> EINVAL
init: wait4 group:R WNOHANG|WUNTRACED -> none
init: wait4 own-group -> R killed SIGSEGV core
init: wait4 R __WALL -> R stopped SIGTSTP
init: wait4 -5 WCONTINUED -> 9 continued
init: clone as T -> EAGAIN
init: fork -> EAGAIN
init: fork
init: vfork as Q -> blocks
init: vfork as S -> S
init: fork as U
U: sigaction SIGCHLD ignore SA_NOCLDSTOP|SA_NOCLDWAIT -> 0
U: sigaction 40 catch
U: sigprocmask set SIGUSR1|SIGTERM|64
U: sigprocmask block none
U: kill own-group SIGKILL -> dies SIGKILL
U: kill all 0
U: kill group:Q SIGSTOP
U: tgkill U 9 65
U: mmap private pages=3 -> 0
U: mmap shared -> task:3
U: getpid -> value:3
U: madvise 3 WIPEONFORK
U: write 3 4294967295
world: pid_max 400 -> 0
world: pid_cursor 299
)";

std::string with_header(std::string_view lines) {
  return std::string(kHeader) + std::string(lines);
}

/// `LINE:COLUMN: MESSAGE` of a text that must be refused.
std::string refusal(std::string_view text) {
  const Parsed parsed = parse(text);
  return parsed.error ? to_text(*parsed.error, "").substr(1) : "accepted";
}
std::string refusal_below_header(std::string_view lines) { return refusal(with_header(lines)); }

/// Whatever `text` is: it is refused at a place that is in it, or is a trace like any other.
void answers_soundly(std::string_view text) {
  const Parsed parsed = parse(text);
  if (!parsed.error) {
    ASSERT_TRUE(well_formed(parsed.script)) << text;
    const Parsed again = parse(print(parsed.script));
    ASSERT_FALSE(again.error) << text << print(parsed.script);
    ASSERT_EQ(again.script, parsed.script) << text;
    return;
  }
  const auto lines = std::ranges::count(text, '\n') + 1;
  ASSERT_FALSE(parsed.error->message.empty());
  ASSERT_TRUE(parsed.error->line >= 1 && parsed.error->line <= lines) << text;
  std::string_view line = text;
  for (int i = 1; i < parsed.error->line; ++i) line.remove_prefix(line.find('\n') + 1);
  const auto columns = std::min(line.find('\n'), line.size()) + 1;
  ASSERT_TRUE(parsed.error->column >= 1) << text;
  ASSERT_LE(static_cast<std::size_t>(parsed.error->column), columns) << text;
}

RC_GTEST_PROP(TraceText, ParsingWhatIsPrintedGivesTheScript, ()) {
  const Script script = *props::arbitrary_script();
  RC_ASSERT(well_formed(script));
  const Parsed parsed = parse(print(script));
  RC_ASSERT(!parsed.error);
  RC_ASSERT(parsed.script == script);
}

RC_GTEST_PROP(TraceText, PartsAreReadAsTheyAreWritten, ()) {
  const std::vector<std::string> names{"init", "A", "B"};
  const Op op = props::pick_op(3);
  const Outcome outcome = props::pick_outcome(3);
  const bool answers_task = props::once_in(2);
  RC_ASSERT(read_op(to_text(op, names), names) == op);
  RC_ASSERT(read_outcome(to_text(outcome, names, answers_task), names, answers_task) == outcome);
}

TEST(TraceText, TheSampleIsPrintedAsItStands) {
  const Parsed parsed = parse(kSample);
  ASSERT_FALSE(parsed.error) << to_text(*parsed.error, "sample");
  EXPECT_EQ(print(parsed.script), kSample);
  EXPECT_TRUE(well_formed(parsed.script));
  EXPECT_EQ(parsed.script.steps[2].line, 7);
  std::string crlf;
  for (const char c : kSample) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(parse(crlf).script, parsed.script);
}

TEST(TraceText, WhatItMeans) {
  const Script s = parse(with_header("init: fork -> A pid 7\nA: vfork -> V\nV: exit 1\nA => V\n"
                                     "init: kill 1 9 -> 0\ninit: kill init 9 -> 5\n"
                                     "init: getpid -> 5\ninit: fork\n")).script;
  ASSERT_EQ(s.steps.size(), 7U);
  EXPECT_EQ(s.steps[0].outcome, Outcome::task(TaskRef::name(1)));
  EXPECT_EQ(s.steps[0].pid, Pid{7});
  Outcome sleeps = Outcome::of(Outcome::Kind::blocks);
  sleeps.who = TaskRef::name(2);
  EXPECT_EQ(s.steps[1].outcome, sleeps);
  EXPECT_EQ(s.steps[1].binds, 2);
  const ExpectedReturn back{TaskRef::name(1), Outcome::task(TaskRef::name(2))};
  EXPECT_EQ(s.steps[2].returns, std::vector{back});
  EXPECT_EQ(s.steps[3].op, (Op{Kill{{Target::Kind::task, TaskRef::number(kInit)}, sig::kill}}));
  EXPECT_EQ(s.steps[4].op, (Op{Kill{{Target::Kind::task, TaskRef::name(0)}, sig::kill}}));
  EXPECT_EQ(s.steps[4].outcome, Outcome::number(5));
  EXPECT_EQ(s.steps[5].outcome, Outcome::task(Pid{5}));
  EXPECT_EQ(s.steps[6].outcome, std::nullopt);
  EXPECT_EQ(s.names, (std::vector<std::string>{"init", "A", "V", "C"}));
}

TEST(TraceText, OtherSpellingsAreTheSame) {
  const auto printed = [](std::string_view lines) {
    const Parsed parsed = parse(with_header(lines));
    return parsed.error ? to_text(*parsed.error, lines) : print(parsed.script);
  };
  EXPECT_EQ(printed("init:\tfork   -> A # why\n\n  A: exec#\n"),
            with_header("\ninit: fork -> A\nA: exec\n"));
  EXPECT_EQ(printed("init: clone 0x100|0x4000 exit_signal=17 -> A"),
            with_header("\ninit: clone VM|VFORK -> A\n"));
  EXPECT_EQ(printed("init: waitid any WUNTRACED"), with_header("\ninit: waitid any WSTOPPED\n"));
  EXPECT_EQ(printed("init: wait4 any WSTOPPED"), with_header("\ninit: wait4 any WUNTRACED\n"));
  EXPECT_EQ(printed("init: mmap private pages=1"), with_header("\ninit: mmap private\n"));
  EXPECT_EQ(printed("init: pause\nexpect init flags 0\nexpect init ignored 0"),
            with_header("\ninit: pause\nexpect init flags 0\nexpect init ignored none\n"));
  EXPECT_EQ(print(parse("# one\n\nforkproof-trace v1\n#two").script),
            "forkproof-trace v1\n# one\n#two\n");
}

TEST(TraceText, ANameIsWrittenWhereItCounts) {
  const auto is_fixed = [](std::string_view lines) {
    EXPECT_EQ(print(parse(with_header(lines)).script), with_header(lines));
  };
  is_fixed("\ninit: fork -> EAGAIN\ninit: fork -> A\n");
  is_fixed("\ninit: fork\ninit: fork -> A\ninit: fork -> A_\ninit: fork -> B\n");
  is_fixed("\ninit: fork as A\nA: exit 0\n");
  is_fixed("\ninit: fork as A -> EAGAIN\nexpect A state dead\n");
  is_fixed("\ninit: fork as A -> blocks\ninit => A\n");
  is_fixed("\ninit: fork as A pid 9 -> not-run\n");
  std::string crowd = "\n";
  for (std::string name = "A"; name.size() <= kNameMax; name += '_')
    crowd += "init: fork -> " + name + '\n';
  const Script script = parse(with_header(crowd + "init: fork\n")).script;
  EXPECT_TRUE(well_formed(script));
}

/// Lines below the header, and what is said of them.
constexpr struct { const char *lines, *message; } kRefusals[] = {
    {"init: frok", "2:7: expected an op (did you mean `fork`?), found `frok`"},
    {"init: \xff\x01", "2:7: expected an op, such as fork or wait4, found `\\xff\\x01`"},
    {"init:", "2:6: expected an op, such as fork or wait4, found the end of the line"},
    {"A: fork", "2:1: expected `init:`, a task made above, or `world:`, found `A:`"},
    {"init: kill Q 9", "2:12: expected a task made above, a pid, `group:` and one of these, "
                       "`own-group` or `all`, found `Q`"},
    {"init: kill 1 SIGFOO", "2:14: expected a signal, such as SIGTERM or 0, found `SIGFOO`"},
    {"init: getsid 2147483648", "2:14: expected a task made above, or a pid, found `2147483648`"},
    {"init: exit", "2:11: expected a number from -2147483648 to 2147483647, found the end of the "
                   "line"},
    {"init: exit 0 -> 0", "2:17: expected `not-run`, all that can be seen of an op that never "
                          "returns, found `0`"},
    {"init: fork -> A\ninit: fork -> A", "3:15: expected a name that no task has yet, found `A`"},
    {"init: fork as any", "2:15: expected a name for the new task, found `any`"},
    {"init: fork -> ENOTTY", "2:15: expected an outcome: a number, a task, an errno, blocks, none, "
                          "dies, not-run, or a task's news, found `ENOTTY`"},
    {"init: fork -> A pid 0", "2:21: expected a pid from 1 to 4194304, found `0`"},
    {"init: fork -> A -> B", "2:17: expected the end of the line, found `->`"},
    {"init: pause -> 0 1", "2:18: expected `exited`, `killed`, `stopped`, `continued` or the end "
                           "of the line, found `1`"},
    {"init: pause now", "2:13: expected `->` and an outcome, or the end of the line, found "
                        "`now`"},
    {"init: pid_max 400", "2:7: expected an op of a task, found `pid_max`"},
    {"world: fork", "2:8: expected an op of the world, like pid_max, found `fork`"},
    {"init: mmap both", "2:12: expected one of private shared, found `both`"},
    {"init: mmap shared pages=x", "2:19: expected a number from 0 to 4294967295, found "
                                  "`pages=x`"},
    {"init: sigaction 1 catch SA_FOO", "2:25: expected flags joined by `|`, of SA_NOCLDSTOP "
                                       "SA_NOCLDWAIT SA_RESTART, found `SA_FOO`"},
    {"init: sigaction 1 catch 4", "2:25: expected flags joined by `|`, of SA_NOCLDSTOP "
                                  "SA_NOCLDWAIT SA_RESTART, found `4`"},
    {"init: sigprocmask set SIGHUP|65", "2:23: expected signals joined by `|`, such as "
                                        "SIGUSR1|40, or `none`, found `SIGHUP|65`"},
    {"init => 0", "2:1: expected a step before the calls that it makes return, found `init`"},
    {"expect init state dead", "2:1: expected a step before what it is expected to show, found "
                               "`expect`"},
    {"init: pause\nexpect init state dead\ninit => 0",
     "4:1: expected the lines with `=>` before those with `expect`, found `init`"},
    {"init: pause\nexpect init stat dead",
     "3:13: expected a field, one of state pid tgid ppid pgid sid exit_signal exit_code flags "
     "threads pending shared_pending blocked ignored caught comm nice policy rt_priority nspid "
     "level user capabilities tracer randomized, found `stat`"},
    {"init: pause\nexpect init state tired",
     "3:19: expected one of running sleeping disk-sleep stopped zombie dead parked idle "
     "traced, found `tired`"},
    {"init pause", "2:1: expected `ACTOR: OP`, `ACTOR => OUTCOME` or `expect TASK FIELD VALUE`, "
                   "found `init`"},
    {"world pid_max=300", "2:7: expected pid_max=N with N from 301 to 4194304, found "
                          "`pid_max=300`"},
    {"world profile=linux-7", "2:7: expected profile=linux-6 or profile=linux-4.12, found "
                              "`profile=linux-7`"},
    {"world pid_max=400 pid_max=400",
     "2:19: expected `profile=`, `pid_max=` or `kthreads=`, each once, found `pid_max=400`"},
    {"world\nworld", "3:1: expected one `world` line at most, found `world`"},
    {"init: pause\nworld", "3:1: expected the `world` line before the first step, found `world`"},
    {"init: pause # \xc3", "2:15: expected UTF-8 without control characters, found the byte "
                           "`\\xc3`"},
};

TEST(TraceText, EveryRefusalSaysWhereAndWhatWasExpected) {
  for (const auto& [lines, message] : kRefusals) EXPECT_EQ(refusal_below_header(lines), message);
}

TEST(TraceText, TheHeaderMustBeThere) {
  EXPECT_EQ(refusal(""),
            "1:1: expected the header `forkproof-trace v1`, found the end of the text");
  EXPECT_EQ(refusal("# a\n"),
            "2:1: expected the header `forkproof-trace v1`, found the end of the text");
  EXPECT_EQ(refusal("\n init: fork"),
            "2:2: expected the header `forkproof-trace v1`, found `init:`");
  EXPECT_EQ(refusal("forkproof-trace v2"),
            "1:17: expected `v1`, the one version of the language, found `v2`");
  EXPECT_EQ(refusal("forkproof-trace v1 x"), "1:20: expected the end of the line, found `x`");
  EXPECT_TRUE(is_text(kSample));
  EXPECT_TRUE(is_text("\n# a\n forkproof-trace v9"));
  EXPECT_FALSE(is_text("forkproof-traces"));
  EXPECT_FALSE(is_text(std::string_view{"\0forkproof-trace v1", 19}));
}

TEST(TraceText, CutAnywhereItIsAnswered) {
  for (std::size_t n = 0; n <= kSample.size(); ++n) {
    answers_soundly(kSample.substr(0, n));
    answers_soundly(with_header(kSample.substr(n)));
  }
}

TEST(TraceText, WithAnyBitFlippedItIsAnswered) {
  std::string text{kSample};
  for (char& c : text)
    for (int bit = 0; bit < 8; ++bit) {
      const char was = std::exchange(c, static_cast<char>(c ^ (1 << bit)));
      answers_soundly(text);
      c = was;
    }
}

TEST(TraceText, LongJunkIsRefusedAtOnceOrReadOnce) {
  EXPECT_EQ(refusal(std::string(kTextMax + 1, '\0')), "1:1: the text is longer than 64 MiB");
  const std::string junk(1 << 22, 'x');
  const std::string found = "found `" + std::string(40, 'x') + "...`";
  EXPECT_EQ(refusal(junk), "1:1: expected the header `forkproof-trace v1`, " + found);
  EXPECT_EQ(refusal_below_header("init: " + junk),
            "2:7: expected an op, such as fork or wait4, " + found);
  EXPECT_EQ(parse(with_header("#" + junk)).script.head, std::vector{junk});
  EXPECT_EQ(refusal_below_header("init: sigprocmask set " + std::string(1 << 22, '|')).substr(0, 5),
            "2:23:");
}

TEST(TraceText, AMillionStepsAreTheMost) {
  std::string text{kHeader};
  for (std::size_t i = 0; i < kStepsMax; ++i) text += "init: exec\n";
  EXPECT_EQ(parse(text).script.steps.size(), kStepsMax);
  EXPECT_EQ(refusal(text + "init: exec\n"),
            "1000002:1: expected at most 1000000 steps, found `init:`");
}

}  // namespace
}  // namespace forkproof
