#!/usr/bin/env bash
# ci/mutants.sh: the canary is caught, a mutant that changes nothing survives, a crash and a hang
# are told apart from both, a patch that does not apply is named, what is known is not run again,
# and a harness that fails, or kills the unchanged code, gives no verdict.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

command -v g++ >/dev/null && command -v patch >/dev/null || exit 77
mutants() {
  "$SOURCE/ci/mutants.sh" --command "$F" --patches "$scratch/patches" \
    --results "$scratch/results.json" --trials 2 "$@"
}

# patch_of NAME OLD-LINE NEW-LINE: a mutant of impl/identity.cpp with this line changed.
patch_of() {
  local file=$scratch/patches/test/$1.patch
  mkdir -p "${file%/*}"
  printf '%s\n' 'promise = call.getpid' 'idea = a test' 'shortest = 1' >"$file"
  sed "s/^$2\$/$3/" "$SOURCE/impl/identity.cpp" >new.cpp
  diff -u --label a/impl/identity.cpp --label b/impl/identity.cpp \
    "$SOURCE/impl/identity.cpp" new.cpp >>"$file" || true
}
readonly pid='Outcome Machine::perform(Task\& t, const Getpid\&) { return .*'
readonly head='Outcome Machine::perform(Task\& t, const Getpid\&)'
patch_of canary "$pid" "$head { return Outcome::task(Pid{process_of(t).tgid + 1}); }"
patch_of nothing "$pid" '&  \/\/ the same'
patch_of crash "$pid" "$head { (void)t; __builtin_trap(); }"
patch_of hang "$pid" "$head { for (volatile bool on = true; on;); return perform(t, Gettid{}); }"

# All that are kept have a whole header and apply; there are enough of each kind.
expect 0 "$SOURCE/ci/mutants.sh" --command "$F" --list
says '^of impl/: [1-9][0-9]{2}$' out.txt
says '^of these from commits and CVEs: ([4-9][0-9]|[1-9][0-9]{2})$' out.txt
says '^spec (1[5-9]|[2-9][0-9])$' out.txt
says '^bits (1[5-9]|[2-9][0-9])$' out.txt

# The command hands its words on, and the status back.
expect 0 "$F" mutants --list
says '^of impl/: [1-9][0-9]{2}$' out.txt
expect 0 "$F" mutants --help
says '^usage: ci/mutants.sh' out.txt
expect 2 "$F" mutants --no-such-option

expect 0 mutants test/canary
says '^test/canary +2/2 .* 1  call.getpid$' out.txt
expect 1 mutants --time 1 test/nothing
says '^test/nothing +0/2 .* SURVIVED$' out.txt
says '^survived: test/nothing' out.txt
expect 0 mutants test/crash --trials 1
says '^test/crash +1/1 .* crash, SIG' out.txt
expect 0 mutants test/hang --trials 1
says '^test/hang +1/1 .* hangs$' out.txt

# One that cannot be compiled is named, and does not keep the others from being judged.
patch_of broken "$pid" "$head { return no_such_thing; }"
expect 2 mutants --engine replay test/broken test/canary
says '^mutants: test/broken: ' err.txt
says '^test/canary +1/1' out.txt
rm patches/test/broken.patch

# What is known is taken from the file: a command that only knows the rules can go on.
stamp=$(stat -c %y results.json)
expect 0 mutants test/canary
[[ $(stat -c %y results.json) == "$stamp" ]] || fail 'what was known was run again'
expect 0 mutants --engine uniform --fresh test/canary
says '^test/canary +2/2' out.txt
expect 0 mutants --engine replay test/canary --markdown "$scratch/page.md"
says '^## replay' page.md
says '^<svg ' page.svg

# The verdict of what was killed, or of a fuzzer that ends at once, is none; nor is any where the
# unchanged code is killed as well. COMMAND-THAT STATEMENT: fails when it should check.
command_that() {
  # shellcheck disable=SC2016 # it is that script's
  printf '#!/bin/sh\n[ "$1" != check ] || { %s; }\nexec "%s" "$@"\n' "$1" "$F" >broken.sh
  chmod +x broken.sh
}
# shellcheck disable=SC2016
command_that 'kill -SEGV $$'
expect 2 mutants --command "$scratch/broken.sh" test/canary
says 'the unchanged code is killed as well, by crash, SIGSEGV$' err.txt
# shellcheck disable=SC2016
for way in 'exit 5' 'exit 0' 'kill -KILL $$'; do
  command_that "$way"
  expect 2 mutants --command "$scratch/broken.sh" test/canary
  says 'no verdict: exit status' err.txt
done
expect 2 mutants --engine fuzz --time 1 --fuzzer /bin/true test/canary
says 'no verdict: exit status 0' err.txt

# Who is interrupted keeps nothing of what was under way.
expect 130 timeout --preserve-status -s INT 6 "$SOURCE/ci/mutants.sh" --command "$F" \
  --patches "$scratch/patches" --results "$scratch/ended.json" --time 30 test/nothing
says '^mutants: stopped' err.txt
! grep -q '"killed"' ended.json 2>/dev/null || fail 'a trial that was ended has a verdict'

# The whole table is every engine in turn, and held to the bars: a canary is no harder the plain
# way. What is left out is known; a fuzzer that finds nothing is one survivor, which misses no bar.
printf '#!/bin/sh\nsleep 1\n' >no_fuzzer.sh
chmod +x no_fuzzer.sh
expect 1 mutants --whole --fresh --fuzzer "$scratch/no_fuzzer.sh" test/canary \
  --markdown "$scratch/whole.md"
says '^missed: against the plain way' out.txt
(($(grep -c '^missed: ' out.txt) == 1)) || fail "more bars are missed: $(grep '^missed' out.txt)"
says '^met: killed by random testing, 60 s each, in 10 of 10 trials: 1 of 1' out.txt
says '^test/canary +10/10 ' out.txt
says '^test/canary +0/1 .* SURVIVED$' out.txt
says '^the whole table: [0-9.]+ minutes$' out.txt
says '^explore: 1 of 1, 0 survived' err.txt
says '^## fuzz$' whole.md
! grep -q 'of other sources' whole.md || fail 'verdicts of this run are left out'
echo '# changed' >>no_fuzzer.sh
expect 0 mutants --engine replay test/canary --fuzzer "$scratch/no_fuzzer.sh" \
  --markdown "$scratch/page.md"
says '^not on the page: fuzz: .*1 verdicts are of other sources' err.txt

sed -i 's/Getpid/Gotpid/' patches/test/nothing.patch
expect 2 mutants test/nothing
says '^mutants: test/nothing: does not apply any more' err.txt
sed -i 's/call.getpid/call.nonsense/' patches/test/nothing.patch
expect 2 mutants test/canary
says 'test/nothing: no rule or invariant is called call.nonsense' err.txt
sed -i 's/call.nonsense/call.getpid/' patches/test/nothing.patch
mkdir patches/bits
cp patches/test/canary.patch patches/bits/unproved.patch  # breaks a rule, which is no obligation
expect 2 mutants test/canary
says 'bits/unproved: no rule or invariant is called call.getpid' err.txt
rm -r patches/bits
expect 2 mutants test/nobody --trials 0
expect 3 "$F" check --engine random --system "mutant:$scratch/none.so"
says 'mutant cannot be opened' err.txt
finish
