#!/usr/bin/env bash
# The command `prove`: its table, its filters, what it writes, what it refuses.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export XDG_CACHE_HOME=$scratch/cache

# --- a build without Z3 says so
if "$F" prove --list 2>&1 | grep -q 'has no Z3'; then
  refuses 3 'has no Z3' "$F" prove
  finish
  exit
fi

# --- filters and the table
expect 0 "$F" prove --list
(($(grep -c '^[a-z]' out.txt) >= 60)) || fail 'fewer than 60 obligations'
says '^    source: kernel-pid IDR:1' out.txt
expect 0 "$F" prove pid.taken wake
says '^proved   pid.taken +6 of +6 twins refuted' out.txt
says '^proved   wake.stopped-wants-kill' out.txt
says '^holds: ([0-9]+) of \1 obligations proved, [0-9]+ twins refuted in .* by Z3 4' out.txt
proved=$(sed -n 's/^holds: \([0-9]*\) of .*/\1/p' out.txt)
(($(wc -l <out.txt) == proved + 1)) || fail 'not one line each'
expect 0 "$F" prove clone.refusals --twins
says 'a ~ left out: refuted by flags = .*THREAD' out.txt
expect 0 "$F" prove pid.full --json
json 'o["proved"] == o["obligations"] == 1 and o["findings"][0]["id"] == "pid.full"'

# --- answers are kept, and need not be
[[ -n $(ls "$scratch/cache/forkproof/proofs") ]] || fail 'nothing was kept'
rm -rf "$scratch/cache"
expect 0 "$F" prove pid.full --no-cache
[[ ! -e $scratch/cache ]] || fail '--no-cache keeps answers'
touch "$scratch/cache" # no folder can be made there: nothing is kept, and that is all
expect 0 "$F" prove pid.full

# --- files: formulas for any solver, traces for replay
expect 0 "$F" prove pid.full --emit formulas
says 'formulas of 1 obligations' out.txt
says '^\(check-sat\)' formulas/pid.full.claim.smt2
[[ -s formulas/pid.full.premise.smt2 && -s formulas/pid.full.twin-01.smt2 ]] || fail 'no formulas'
if command -v cvc5 >/dev/null; then
  [[ $(cvc5 --lang=smt2 formulas/pid.full.claim.smt2) == unsat ]] || fail 'cvc5 on a formula'
  expect 0 "$F" prove pid.full --solver cvc5
  says 'by cvc5' out.txt
fi
expect 0 "$F" prove clone idr --traces traces
(($(find traces -name '*.trace' | wc -l) >= 10)) || fail 'too few traces'
says '^# Tells clone.refusals from its twin in which' traces/clone.refusals.twin-01.trace
expect 0 "$F" replay traces

# --- as an engine of check
rm "$scratch/cache"
expect 0 "$F" check --engine prove --junit report.xml
says '^[0-9]+ obligations about the bit logic proved' out.txt
says 'name="pid.taken"' report.xml
expect 0 "$F" check --engine prove --json
json 'o["engine"] == "prove" and o["proved"] >= 60 and not o["violations"]'
refuses 3 'prove: is about impl only' "$F" check --engine prove --system spec

# --- bad input
refuses 2 'no obligation is called nonsense; see prove --list' "$F" prove nonsense
refuses 2 'no obligation is called pi;' "$F" prove pid pi
refuses 2 '--solver yices: expected z3 or cvc5' "$F" prove --solver yices
refuses 2 '--jobs 0: expected' "$F" prove --jobs 0
refuses 2 '--jobs x: expected' "$F" prove --jobs x
refuses 2 '--list' "$F" prove --markdown
refuses 2 "twin-01.trace/a" "$F" prove pid.full --emit traces/clone.refusals.twin-01.trace/a
refuses 2 '/proc' "$F" prove pid.full --emit /proc/forkproof
refuses 2 '/proc' "$F" prove pid.full --traces /proc/forkproof
mkdir no-solvers
expect 3 env PATH="$scratch/no-solvers" "$F" prove --solver cvc5
says 'cvc5 is not installed' err.txt

finish
