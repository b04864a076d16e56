#!/usr/bin/env bash
# What kernels did, as they were recorded, is what our implementation and the spec do; and a corpus
# of recordings can be made.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

RECORDED=$SOURCE/fuzz/corpus/recorded
for system in impl spec; do
  expect 0 "$F" replay "$RECORDED" --system "$system" --json
  json 'o["traces"] >= 300 and o["violations"] == [] and o["rules_covered"] > 270'
done
expect 1 "$F" replay "$RECORDED" --system canary --json
while read -r file; do
  grep -Eq '^# Recorded on Linux [0-9.]+[^ ]*, [0-9]{4}-[0-9]{2}-[0-9]{2}$' "$file" ||
    fail "$file: no kernel, or no date"
done < <(find "$RECORDED" -name '*.trace')

expect 0 "$F" record -o made --count 40 --seed 5
says '^40 of 40 traces recorded on impl$' out.txt
(($(find made -name '*.trace' | wc -l) == 40)) || fail 'not as many files as it says'
expect 0 "$F" replay made
refuses 2 'made: is not empty' "$F" record -o made
refuses 2 '--profile both' "$F" record -o other --profile both
refuses 2 '/dev/null/x: Not a directory' "$F" record -o /dev/null/x
finish
