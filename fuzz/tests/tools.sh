#!/usr/bin/env bash
# usage: tools.sh BIN FUZZ
#
# The programs of fuzz/ that need no fuzzer, on what is right and on what is wrong: dictionaries,
# the size of the corpus, the replays, and adding to a corpus.
set -euo pipefail

bin=$1 fuzz=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

fail() {
  printf 'FAIL: %s\n' "$*"
  failures=$((failures + 1))
}

# expect STATUS PATTERN COMMAND...: its exit status, and a line of its output that matches.
expect() {
  local status=0 output
  output=$("${@:3}" 2>&1) || status=$?
  ((status == $1)) || fail "${*:3}: exit status $status, expected $1"
  grep -Eq -- "$2" <<<"$output" || fail "${*:3}: no line matches /$2/ in: ${output:0:600}"
}

# The dictionaries are those of the declarations.
for form in text bytes; do
  "$bin/print_dictionary" "$form" | cmp - "$fuzz/$form.dict" ||
    fail "fuzz/$form.dict is old: print_dictionary $form >fuzz/$form.dict"
done
expect 2 '^usage: ' "$bin/print_dictionary" nonsense

# What the targets begin with is small; litmus traces may be as many as there are facts.
entries=$(find "$fuzz"/corpus/fuzz_* -type f | wc -l)
bytes=$(find "$fuzz/corpus" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }')
((entries <= 2000)) || fail "the targets begin with $entries entries"
((bytes <= 2 << 20)) || fail "the corpus has $bytes bytes"

# A replay says what does not hold, and what cannot be read.
cat >"$scratch/two.trace" <<'TRACE'
forkproof-trace v1
init: fork -> A
init: fork -> B
B: exit 0
A: exit 0
init: getpid
init: wait4 any
TRACE
printf 'forkproof-trace v1\ninit: fork -> \n' >"$scratch/broken"
expect 0 '^fuzz_wait: 1 inputs, 0 violations, 100 % stable$' "$bin/replay_wait" "$scratch/two.trace"
expect 1 '^VIOLATION of wait.oldest-first|two.trace: VIOLATION of wait.oldest-first' \
  env FORKPROOF_SYSTEM=canary "$bin/replay_wait" "$scratch/two.trace"
expect 2 'broken:2:15: expected' "$bin/replay_wait" "$scratch/broken"
expect 2 'absent: No such file' "$bin/replay_wait" "$scratch/absent"
expect 2 '^usage: ' "$bin/replay_wait"
expect 2 '^usage: ' "$bin/replay_wait" --nonsense "$scratch/two.trace"
expect 2 'there are impl, canary and mutant:PATH' \
  env FORKPROOF_SYSTEM=x "$bin/replay_wait" "$scratch/two.trace"
expect 0 '^rules covered: [1-9]' "$bin/replay_wait" --rules "$scratch/two.trace"
expect 2 'No such file|no such' "$bin/replay_wait" --export "$scratch/absent" "$scratch/two.trace"

# Bytes are a trace again.
mkdir "$scratch/seeds"
"$bin/replay_wait" --export "$scratch/seeds" "$scratch/two.trace"
expect 0 '^init: wait4 any$' "$bin/replay_wait" --print "$scratch/seeds"
expect 2 'are no traces' "$bin/replay_pid" --print "$scratch/seeds"

# What is added: a regression, made small; a trace with something new; not the same twice.
mkdir "$scratch/corpus"
add=("$bin/corpus_add" "$scratch/corpus")
expect 0 'added .*/regressions/wait.oldest-first-[0-9a-f]{8}.trace' \
  "${add[@]}" "$scratch/two.trace" canary
expect 0 'is there already' "${add[@]}" "$scratch/two.trace" canary
expect 0 'makes the same rules act; not added' "${add[@]}" "$(echo "$scratch"/corpus/*/*.trace)"
printf 'forkproof-trace v1\ninit: mmap private\ninit: write 0 7\ninit: getsid 0\n' \
  >"$scratch/new.trace"
expect 0 'added .*/added/.*-[0-9a-f]{8}.trace' "${add[@]}" "$scratch/new.trace"
expect 0 'not added' "${add[@]}" "$scratch/new.trace"
grep -q -- '-> 7$\|write 0 7 -> 0\|write 0 0 -> 0' "$scratch"/corpus/added/*.trace ||
  fail 'what was added has no outcomes'
expect 2 'broken:2:15: expected' "${add[@]}" "$scratch/broken"
expect 2 'is no folder' "$bin/corpus_add" "$scratch/absent" "$scratch/two.trace"
expect 2 'no system is called x' "${add[@]}" "$scratch/two.trace" x
expect 2 '^usage: ' "$bin/corpus_add"

# Where nothing can be written, that is said, and nothing is left behind.
if [[ $(id -u) != 0 ]]; then
  mkdir -m 500 "$scratch/sealed"
  expect 2 'Permission denied' "$bin/corpus_add" "$scratch/sealed" "$scratch/new.trace"
fi
left=$(find "$scratch" -name '*.part*')
[[ -z $left ]] || fail "left behind: $left"

((failures == 0))
