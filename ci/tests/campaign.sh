#!/usr/bin/env bash
# ci/fuzz.sh as a whole: the canary is found from nothing, and in the same words as by every engine;
# what is found is counted once; Ctrl-C keeps everything; nonsense is refused. Needs the fuzz build.
set -euo pipefail

ci=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
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
  grep -Eq -- "$2" <<<"$output" || fail "${*:3}: no line matches /$2/ in: ${output: -900}"
}

fuzz=("$ci/fuzz.sh" --out "$scratch/out")
expect 2 'no target is called fuzz_x; there are .*fuzz_wait' "${fuzz[@]}" x
expect 2 'expected a time such as 30s' "${fuzz[@]}" --time never
expect 2 "invalid choice: 'nonsense'" "${fuzz[@]}" --engine nonsense
printf 'in the way\n' >"$scratch/file"
expect 3 'Not a directory' "$ci/fuzz.sh" --out "$scratch/file/out" --time 1s wait

canary=("${fuzz[@]}" --system canary --empty --until-found --jobs 1 --time 60s lifecycle)
expect 1 '^VIOLATION of wait.oldest-first \(outcome\)' "${canary[@]}"
trace=$(find "$scratch/out/findings" -name '*.trace' | head -n 1)
grep -q '^forkproof-trace v1' "$trace" || fail 'the finding has no trace'
grep -q 'source: ' "$(dirname "$trace")/report" || fail 'the finding has no report'

# The same input again, and a campaign that was killed before it could look at it.
input=$(find "$scratch/out/findings" -path '*/inputs/*' | head -n 1)
before=$(find "$scratch/out/findings" -mindepth 1 -maxdepth 1 | wc -l)
cp "$input" "$scratch/out/fuzz_lifecycle/crashes/"
mv "$scratch/out/fuzz_lifecycle/corpus" "$scratch/out/fuzz_lifecycle/corpus.old"
touch "$scratch/out/fuzz_lifecycle/corpus.old/0123"
expect 0 "^findings: 0 new, $before in all" "${fuzz[@]}" --system canary --empty --only-recover \
  lifecycle
[[ -e $scratch/out/fuzz_lifecycle/corpus/0123 ]] || fail 'what a killed campaign left is lost'
[[ -z $(ls -A "$scratch/out/fuzz_lifecycle/crashes") ]] || fail 'a crash was left where it was'

# Ctrl-C: what was found is there, and the next campaign goes on with it.
"${fuzz[@]}" --time 10m --jobs 2 wait cow >"$scratch/log" 2>&1 &
campaign=$!
for ((i = 0; i < 600; ++i)); do
  if compgen -G "$scratch/out/fuzz_wait/corpus/*" >/dev/null; then break; fi
  sleep 0.1
done
program=$(pgrep -f -- "--out $scratch/out .*wait cow" | head -n 1)
kill -INT "$program"
status=0
wait "$campaign" || status=$?
((status == 0)) || fail "an interrupted campaign ended with $status: $(tail -n 5 "$scratch/log")"
grep -q '^findings: 0 new' "$scratch/log" || fail 'an interrupted campaign does not conclude'
if pgrep -f -- "-artifact_prefix=$scratch/out" >/dev/null; then fail 'a fuzzer was left behind'; fi
compgen -G "$scratch/out/fuzz_wait/corpus/*" >/dev/null || fail 'the corpus is gone'

((failures == 0))
