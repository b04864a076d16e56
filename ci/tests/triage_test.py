"""How ci/fuzz.py sorts what crashed into findings, and makes each small. A made-up target, replay
and afl-fuzz stand in for the real ones: what an input says is what they do."""
import importlib.util
import os
import tempfile
import unittest
from argparse import Namespace
from pathlib import Path
from unittest import mock

FUZZ = Path(__file__).resolve().parent.parent / "fuzz.py"
spec = importlib.util.spec_from_file_location("fuzz", FUZZ)
fuzz = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fuzz)

TARGET = r"""#!/usr/bin/env bash
for argument in "$@"; do
  case $argument in
    -artifact_prefix=*) prefix=${argument#*=} ;;
    -exact_artifact_path=*) small=${argument#*=} ;;
    -minimize_crash=1) minimise=yes ;;
  esac
done
input=$(<"$1")
if [[ ${minimise-} ]]; then
  echo "$input" >>"$(dirname "$0")/minimised"
  [[ $input == *stubborn* ]] || printf 'small %s' "$input" >"$small"
  exit 0
fi
case $input in
  *violation*)
    echo "running"
    echo "VIOLATION of rule.${input##* }"
    printf 'forkproof-trace v1\n' >"${prefix}rule.${input##* }-shape.trace"
    echo "written: ${prefix}rule.${input##* }-shape.trace"
    exit 77
    ;;
  *crash*)
    echo "    #0 0x12 in raise"
    echo "    #1 0x34 in forkproof::impl::${input##* }(int)"
    echo "SUMMARY: AddressSanitizer: heap-use-after-free x.cpp:1 in x"
    exit 1
    ;;
  *hang*) exit 70 ;;
esac
"""

REPLAY = r"""#!/usr/bin/env bash
[[ $1 == --print ]] || exit 2
[[ $(<"$2") != *unprintable* ]] || exit 1
echo "forkproof-trace v1"
echo "# $(<"$2")"
"""

AFL = r"""#!/usr/bin/env bash
[[ ! ${ASAN_OPTIONS-} ]] || exit 1  # as the real one does, with other words
while (($# > 0)); do
  case $1 in
    -i) [[ -n $(ls "$2") ]] || exit 1 ;;
    -o) out=$2/main ;;
  esac
  shift
done
mkdir -p "$out/queue" "$out/crashes"
echo "an input" >"$out/queue/id:000000,orig:zero"
echo "violation one" >"$out/crashes/id:000000,sig:06"
"""


class Triage(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.root = Path(scratch.name)
        programs = self.root / "bin"
        programs.mkdir()
        for name, text in [("fuzz_wait", TARGET), ("replay_wait", REPLAY)]:
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        options = Namespace(out=self.root / "out", build=programs, system="impl", empty=True,
                            until_found=False, time=1)
        self.target = fuzz.Target("fuzz_wait", options)

    def crash(self, name, text):
        (self.target.crashes / name).write_text(text)

    def finding(self, name):
        return self.root / "out/findings" / name

    def names(self):
        return sorted(p.name for p in self.root.glob("out/findings/*"))

    def kept(self, name):
        return sorted(p.name for p in (self.finding(name) / "inputs").iterdir())

    def test_a_violation_is_kept_under_the_name_that_the_target_gives_it(self):
        self.crash("crash-1", "violation one")
        self.assertTrue(self.target.triage())
        name = "rule.one-shape"
        self.assertEqual(self.names(), [name])
        self.assertEqual(self.kept(name), ["crash-1"])
        trace = self.finding(name) / f"{name}.trace"
        self.assertEqual(trace.read_text(), "forkproof-trace v1\n")
        self.assertEqual((self.finding(name) / "report").read_text(), "VIOLATION of rule.one\n")
        self.assertEqual(list(self.target.crashes.iterdir()), [])
        self.assertFalse((self.root / "bin/minimised").exists(), "it was small already")

    def test_what_shows_the_same_is_one_finding_and_no_input_is_lost(self):
        self.crash("crash-1", "violation one")
        self.crash("crash-2", "a violation one")
        self.crash("crash-3", "violation two")
        self.assertTrue(self.target.triage())
        self.assertEqual(self.names(), ["rule.one-shape", "rule.two-shape"])
        self.assertEqual(self.kept("rule.one-shape"), ["crash-1", "crash-2"])
        self.assertEqual(len(self.target.new), 2)

    def test_what_is_known_is_not_new(self):
        self.crash("crash-1", "violation one")
        self.assertTrue(self.target.triage())
        self.crash("crash-2", "violation one")
        self.assertFalse(self.target.triage())
        self.assertEqual(self.kept("rule.one-shape"), ["crash-1", "crash-2"])
        self.assertEqual(len(self.target.new), 1)

    def test_a_crash_has_a_name_by_its_kind_and_place_and_becomes_a_small_trace(self):
        self.crash("crash-1", "crash in free")
        self.assertTrue(self.target.triage())
        name = "fuzz_wait-heap-use-after-free-impl.free"
        self.assertEqual(self.names(), [name])
        trace = self.finding(name) / f"{name}.trace"
        self.assertEqual(trace.read_text(), "forkproof-trace v1\n# small crash in free\n")
        self.assertIn("SUMMARY", (self.finding(name) / "report").read_text())

    def test_what_cannot_be_made_smaller_is_kept_as_it_is(self):
        self.crash("crash-1", "stubborn crash in free")
        self.target.triage()
        name = "fuzz_wait-heap-use-after-free-impl.free"
        trace = self.finding(name) / f"{name}.trace"
        self.assertEqual(trace.read_text(), "forkproof-trace v1\n# stubborn crash in free\n")

    def test_what_is_no_trace_is_kept_as_bytes(self):
        self.crash("crash-1", "unprintable crash in parse")
        self.target.triage()
        name = "fuzz_wait-heap-use-after-free-impl.parse"
        kept = self.finding(name) / f"{name}.input"
        self.assertEqual(kept.read_text(), "small unprintable crash in parse")

    def test_a_hang_is_named_by_what_the_fuzzer_called_it(self):
        self.crash("timeout-1", "hang")
        self.assertTrue(self.target.triage())
        self.assertEqual(self.names(), ["fuzz_wait-timeout-somewhere"])

    def test_what_fails_once_and_not_again_is_kept_and_not_minimised(self):
        self.crash("crash-1", "nothing is wrong")
        self.assertTrue(self.target.triage())
        self.assertEqual(self.names(), ["unstable-fuzz_wait"])
        self.assertFalse((self.root / "bin/minimised").exists())

    def test_slow_units_and_the_fuzzers_own_traces_are_dropped(self):
        self.crash("slow-unit-1", "violation one")
        self.crash("rule.one-shape.trace", "forkproof-trace v1\n")
        self.assertFalse(self.target.triage())
        self.assertEqual(self.names(), [])
        self.assertEqual(list(self.target.crashes.iterdir()), [])

    def fuzz_by(self, afl):
        """Runs a job of what stands in for afl-fuzz. Answers what was complained of."""
        (self.root / "bin/afl-fuzz").write_text(afl)
        (self.root / "bin/afl-fuzz").chmod(0o755)
        fuzz.problems.clear()
        with mock.patch.dict(os.environ, PATH=f"{self.root}/bin:{os.environ['PATH']}"):
            self.target.fuzz_by_afl(0)
        return list(fuzz.problems)

    def test_what_afl_finds_joins_the_corpus_and_the_findings(self):
        self.assertEqual(self.fuzz_by(AFL), [])
        self.assertEqual([p.read_text() for p in self.target.corpus.iterdir()], ["an input\n"])
        self.assertEqual(self.names(), ["rule.one-shape"])
        self.assertEqual(self.fuzz_by(AFL), [])
        self.assertEqual(len(self.kept("rule.one-shape")), 1, "it was there already")
        self.assertEqual(len(self.target.new), 1)

    def test_that_afl_refuses_to_run_is_a_problem(self):
        self.assertIn("afl-fuzz ended with 1", self.fuzz_by("#!/bin/sh\nexit 1\n")[0])


if __name__ == "__main__":
    unittest.main()
