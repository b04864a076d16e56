#!/usr/bin/env bash
# run, minimize, convert, show and spec.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- run: a recording, which is a test that passes
trace script.trace '# who reaps?' 'init: fork -> A' 'A: fork -> B' 'A: exit 3' 'init: wait4 any' \
  'B: getppid' 'init: wait4 any' 'B: exit 2'
expect 0 "$F" run script.trace
for line in '# who reaps\?' 'A: fork -> B' 'init: wait4 any -> A exited 3' 'B: getppid -> init' \
  'init: wait4 any -> blocks' 'init => B exited 2'; do
  says "^$line\$" out.txt
done
cp out.txt recording.trace
expect 0 "$F" replay recording.trace --system spec
"$F" run - <script.trace >piped.trace
cmp recording.trace piped.trace || fail 'run - reads something else'
expect 0 "$F" run recording.trace
cmp out.txt recording.trace || fail 'the recording of a recording is another one'

trace asks.trace 'init: fork -> A' 'A: setpgid 0 0' 'expect A pgid init' 'expect A state stopped'
expect 0 "$F" run asks.trace
says '^expect A pgid A$' out.txt
says '^expect A state running$' out.txt

# --- minimize
trace long.trace 'init: fork -> A' 'init: fork -> B' 'init: getpid' 'A: mmap private' 'A: exit 1' \
  'B: exit 2' 'init: getppid' 'init: wait4 any' 'init: wait4 any'
expect 0 "$F" minimize long.trace -o short.trace --system canary
says '9 steps became 5' err.txt
expect 1 "$F" replay short.trace --system canary
refuses 2 'long.trace: does not fail on impl' "$F" minimize long.trace -o other.trace
[[ ! -e other.trace ]] || fail 'minimize wrote a trace that does not fail'
expect 0 "$F" minimize long.trace -o - --system canary
cmp out.txt short.trace || fail 'minimize -o - prints something else'

# --- convert: there and back, for every litmus trace
find "$CORPUS" -name '*.trace' | sort | awk 'NR % 8 == 0' | while read -r file; do
  "$F" convert "$file" -o there.bytes --force
  "$F" convert there.bytes -o - >there.trace
  "$F" convert there.trace -o again.bytes --force
  cmp there.bytes again.bytes
  "$F" replay there.trace there.bytes >/dev/null
done || fail 'convert loses something'
trace nothing.trace
expect 0 "$F" convert nothing.trace -o nothing.bytes
expect 0 "$F" convert nothing.bytes -o -
[[ $(<out.txt) == 'forkproof-trace v1' ]] || fail 'a trace without steps does not come back'

# --- show
expect 0 "$F" show recording.trace
says '└─ A ' out.txt
expect 0 "$F" show recording.trace --format dot
says '^digraph ' out.txt

# --- the records that a trace takes
trace slab.trace 'init: fork as A' 'A: exit 1' 'init: wait4 any' 'init: fork as B'
expect 0 "$F" show slab.trace --slab
says '^task_struct +128 +2 +2 .* 3 +1 +64$' out.txt

# --- spec, and the pages that are made of it
expect 0 "$F" spec
says '^ *[0-9]+ rules' out.txt
for table in rules invariants ops sometimes steps; do
  expect 0 "$F" spec --$table
  expect 0 "$F" spec --$table --json
  json 'len(o) > 5 and all(set(e) >= {"id", "says", "source"} and e["says"] for e in o)'
  [[ -e $SOURCE/docs/$table.md ]] || continue
  "$F" spec --$table --markdown | cmp - "$SOURCE/docs/$table.md" ||
    fail "docs/$table.md is old: forkproof spec --$table --markdown >docs/$table.md"
done
finish
