#!/usr/bin/env bash
# check and replay: what they find, how they say it, and that it can be found again.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- the litmus traces, and a short campaign
expect 0 "$F" replay "$CORPUS" --json --junit replay.xml
json 'o["engine"] == "replay" and o["system"] == "impl" and o["violations"] == []'
json 'o["traces"] > 200 and o["ops"] > 1000 and o["rules_covered"] > 200'
expect 2 "$F" check --jobs 0
says '--jobs 0: expected' err.txt
expect 0 "$F" check --engine random --system impl --traces 300 --seed 3 --jobs 2 --json
json 'o["traces"] == 300 and o["violations"] == []'
expect 0 "$F" check --traces 300 --json --junit check.xml
json 'o["system"] == "impl,linux" or o["left_out"]'
json 'o["traces"] > 500 and isinstance(o["seed"], int) and o["profile"] == "both"'
json 'set(o) >= {"engine", "system", "profile", "seed", "traces", "ops", "seconds", "violations",
                "rules_total", "rules_covered", "uncovered", "sometimes_missing"}'
json 'o["rules_total"] - o["rules_covered"] == len(o["uncovered"])'
json 'o["rules_covered"] == len(o["covered"]) and not set(o["covered"]) & set(o["uncovered"])'
[[ ! -s err.txt ]] || fail "says on standard error: $(<err.txt)"
expect 0 "$F" check --engine random --time 300ms --seed 1
says '^seed [0-9]+$' out.txt
says '^no violation$' out.txt

# --- the matrix: all of it, and one of it
expect 0 "$F" check --engine matrix --system impl --profile linux-6 --json
json 'o["matrix"]["combinations"] == o["traces"] == 200576 and o["seed"] is None'
json 'o["matrix"]["disagree"] == 0 and o["matrix"]["made"] > 0 and o["matrix"]["refused"] > 0'
expect 0 "$F" check --engine matrix --system impl --combination 200575
says '^matrix: 2 combinations of flags, exit signal and caller: ' out.txt

# --- the canary: found, made small, said in full
expect 1 "$F" check --system canary --seed 1 --time 60s
says 'VIOLATION of wait\.oldest-first' out.txt
says '  source: [a-z0-9.-]+ [A-Z]+:[0-9]+' out.txt
says '^  observed: B exited ' out.txt
says '^  allowed:  (init => )?A exited ' out.txt
says '^> init: wait' out.txt
again=$(sed -n 's/^  again:  forkproof //p' out.txt | tail -1)
# shellcheck disable=SC2086 # the words of a command
expect 1 "$F" $again
says 'VIOLATION of wait\.' out.txt

expect 1 "$F" check --engine random --system canary --seed 1 --time 60s --json --junit canary.xml
json 'len(o["violations"]) == 1'
json 'set(o["violations"][0]) >= {"trace", "step", "rule", "observed", "allowed"}'
json '"A" in o["violations"][0]["allowed"][0].split()'
json '"B" in o["violations"][0]["observed"].split()'
python3 - <<'END' || fail 'the trace of the canary has more than 5 steps'
import json
violation = json.load(open("out.txt"))["violations"][0]
open("found.trace", "w").write(violation["trace"])
steps = [l for l in violation["trace"].splitlines() if ": " in l]
assert violation["step"] == len(steps) <= 5, steps
END
expect 1 "$F" replay found.trace --system canary
expect 0 "$F" replay found.trace

# --- the same seed does the same
for system in impl canary spec; do
  status=0
  [[ $system != canary ]] || status=1
  for n in 1 2; do
    expect $status "$F" check --engine random --system $system --seed 42 --traces 200 --json
    grep -q '"ops": [1-9]' out.txt || fail "a campaign on $system ran nothing"
    sed '/"seconds"/d; /"found_after"/d' out.txt >$n.json
  done
  cmp 1.json 2.json || fail "two campaigns with one seed differ on $system"
done

# --- processes that die are no success, whoever started us
python3 - "$F" <<'END' || fail 'a campaign whose processes were killed is a success'
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.argv[1], "check", "--engine", "random", "--system", "impl", "--jobs",
                          "2", "--time", "60s"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
workers = []
while len(workers) < 2:
    time.sleep(0.05)
    workers = open(f"/proc/{child.pid}/task/{child.pid}/children").read().split()
time.sleep(0.3)
for worker in workers: os.kill(int(worker), signal.SIGKILL)
sys.exit(child.wait(timeout=20) != 1)
END

# --- every failing file is named
mkdir bad
trace bad/one.trace 'init: getpid -> 7'
trace 'bad/two &<">.trace' 'init: fork -> A' 'expect A ppid A'
trace bad/fine.trace 'init: getpid -> init'
expect 1 "$F" replay bad --junit bad.xml
says '^bad/one.trace: VIOLATION' out.txt
says '^bad/two &<">.trace: VIOLATION' out.txt
says "again:  forkproof replay 'bad/two &<\">.trace' --system impl" out.txt
says "smaller: forkproof minimize 'bad/two &<\">.trace' --system impl -o -" out.txt
says '^2 violations$' out.txt
trace bad/worse.trace 'init: nonsense'
expect 1 "$F" replay bad --junit bad.xml
says 'worse.trace:2:7' err.txt

# --- JUnit
python3 - <<'END' || fail 'a JUnit report is wrong'
import xml.etree.ElementTree as tree
def cases(name): return tree.parse(name).findall("testsuite/testcase")
def count(name, what): return len(tree.parse(name).findall("testsuite/testcase/" + what))
assert len(cases("replay.xml")) > 200 and count("replay.xml", "failure") == 0
assert [s.get("name") for s in tree.parse("check.xml").findall("testsuite")] == ["replay", "random"]
assert count("canary.xml", "failure") == 1
assert "VIOLATION" in cases("canary.xml")[0].find("failure").text
assert len(cases("bad.xml")) == 4
assert count("bad.xml", "failure") == 2 and count("bad.xml", "error") == 1
assert any(c.get("name") == 'bad/two &<">.trace' for c in cases("bad.xml"))
END

# --- a signal ends a campaign cleanly, with all that was asked for
for signal in INT TERM; do
  # A shell starts what it puts into the background with SIGINT ignored; this undoes it.
  status=0
  python3 - "$F" "$signal" <<'END' || status=$?
import signal, subprocess, sys, time
child = subprocess.Popen([sys.argv[1], "check", "--seed", "1", "--time", "60s",
                          "--json", "--junit", "signal.xml"],
                         stdout=open("out.txt", "w"))
time.sleep(1.5)
child.send_signal(getattr(signal, "SIG" + sys.argv[2]))
sys.exit(child.wait(timeout=20))
END
  ((status == 0)) || fail "SIG$signal: status $status"
  json 'o["violations"] == [] and o["traces"] > 0 and o["seconds"] < 30'
  [[ -s signal.xml ]] || fail "SIG$signal: no JUnit report"
done
finish
