#!/usr/bin/env bash
# Exploring from the command line: to the end with three tasks, to a violation, and to whatever
# stops it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- three tasks, to the end
expect 0 "$F" explore --tasks 3 --symmetry --json
json 'o["fixpoint"] and o["states"] > 100000 and o["transitions"] > 10 * o["states"]'
json 'o["violations"] == [] and o["stopped"] == "" and sum(o["levels"]) == o["states"]'
json 'o["engine"] == "explore" and o["depth"] == len(o["levels"]) and o["collision"] < 1e-12'

# What asks for threads, more pages or handlers is not tried by the ops of the core.
json '"THREAD-1" in o["invariants_untested"] and "MEM-2" in o["invariants_untested"]'
json '"ZOMBIE-2" not in o["invariants_untested"] and "MEM-1" not in o["invariants_untested"]'
expect 0 "$F" explore --tasks 2 --depth 3 --ops fork,clone --symmetry
says '^invariants that were never put to the test: .*ZOMBIE-1' out.txt
! grep -q '^invariants that were never.* THREAD-1' out.txt || fail 'threads were made'

# --- as an engine of check, which has its own bounds
expect 0 "$F" check --engine explore --json
json 'o["engine"] == "explore" and o["system"] == "impl" and o["violations"] == []'
json 'o["explored"]["states"] > 50000 and o["explored"]["depth"] == 8'
json 'o["explored"]["stopped"] == "" and o["ops"] == o["explored"]["transitions"]'
expect 1 "$F" check --engine explore --system canary --profile linux-6 --junit explore.xml
says 'explore .*: VIOLATION of wait.oldest-first' out.txt
says '<testsuite name="explore"' explore.xml
says '<failure' explore.xml
again=$(sed -n 's/^ *again: *forkproof //p' out.txt)
read -ra words <<<"$again"
expect 1 "$F" "${words[@]}"

# --- the defect
expect 1 "$F" explore --system canary --ops fork,exit,wait4 --symmetry
says 'VIOLATION of wait.oldest-first' out.txt
says 'again: +forkproof explore --system canary' out.txt
again=$(sed -n 's/^ *again: *forkproof //p' out.txt)
read -ra words <<<"$again"
expect 1 "$F" "${words[@]}"

# --- bounds
expect 0 "$F" explore --tasks 4 --depth 3
says '^complete: all traces of 3 steps$' out.txt
expect 0 "$F" explore --tasks 5 --seconds 1 --symmetry
says '^INCOMPLETE: the time is over; all traces of [0-9]+ steps were tried' out.txt
expect 0 "$F" explore --tasks 5 --memory 1 --symmetry --json
json 'o["stopped"] == "the memory is used up" and not o["fixpoint"]'
status=0
timeout --signal INT --preserve-status 1 "$F" explore --tasks 5 >out.txt 2>err.txt || status=$?
((status == 0)) || fail "SIGINT: status $status: $(<err.txt)"
says '^INCOMPLETE: interrupted' out.txt

# --- failures on the way
expect 0 "$F" explore --tasks 3 --depth 3 --symmetry --faults --json \
  --ops fork,vfork,clone,exec,exit,wait4,kill,write,prctl_name,unshare
json 'o["violations"] == [] and len(o["faults"]) == 27'
json 'all(n >= 30 if "kthread" not in step else n == 0 for step, n in o["faults"].items())'
gate() (
  # shellcheck source=/dev/null
  source "$SOURCE/ci/explore.sh"
  never_failed "$1"
)
expect 0 "$F" explore --tasks 3 --depth 2 --symmetry --faults --ops clone,fork,unshare
mv out.txt without.txt
refuses 1 '^never failed in any state: kthread_create set_kthread_struct$' gate without.txt
expect 0 "$F" explore --tasks 4 --depth 3 --symmetry --faults --kthreads \
  --ops kthread_create,kthread_run,kthread_stop,clone,unshare,exec,fork
cat without.txt out.txt >all.txt
expect 0 gate all.txt
refuses 1 '^never failed in any state: any$' gate /dev/null
# Who is refused a kernel thread for want of memory has not waited, and is in the state it set.
expect 0 "$F" explore --tasks 4 --depth 3 --symmetry --faults --kthreads \
  --ops kthread_run,kthread_create,set_current_state
for system in spec mutant:none.so; do
  refuses 3 'no steps that could be made to fail' "$F" explore --system "$system" --faults
done

# --- kernel threads, to the end
for profile in linux-6 linux-4.12; do
  expect 0 "$F" explore --kthreads --tasks 4 --symmetry --profile "$profile" --json
  json 'o["fixpoint"] and o["violations"] == [] and o["states"] > 1800'
  json '"KTHREAD-1" not in o["invariants_untested"]'
done

# --- its traces
expect 0 "$F" explore --tasks 2 --symmetry --emit traces
expect 0 "$F" replay traces
(($(find traces -name '*.trace' | wc -l) > 10)) || fail 'few traces'
says '^init: wait4 any -> ECHILD$|-> ECHILD$' traces/wait.no-child+ECHILD.trace
refuses 2 'traces: is not empty' "$F" explore --tasks 2 --symmetry --emit traces

# --- what it refuses
refuses 2 '--tasks 0: expected a number from 1 to 16' "$F" explore --tasks 0
refuses 2 '--tasks x: expected a number' "$F" explore --tasks x
refuses 2 '--pages 17: expected a number from 0 to 16' "$F" explore --pages 17
refuses 2 '--ops flork: expected names of ops' "$F" explore --ops fork,flork
refuses 2 '--ops pid_max: expected names of ops' "$F" explore --ops pid_max
refuses 2 '--profile both' "$F" explore --profile both
refuses 2 'no system is called nobody' "$F" explore --system nobody
refuses 3 'linux' "$F" explore --system linux
finish
