#!/usr/bin/env bash
# Output that cannot be written: a line on standard error, exit status 2, nothing left behind, and
# what was there before untouched.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

trace fine.trace 'init: getpid -> init'
trace bad.trace 'init: getpid -> 7'
mkdir place
echo precious >place/old

for command in convert minimize; do
  input=$([[ $command == convert ]] && echo fine.trace || echo bad.trace)
  refuses 2 'missing/out: No such file' "$F" "$command" "$input" -o missing/out
  refuses 2 'place: .*(directory|exists)' "$F" "$command" "$input" -o place
  refuses 2 'place/old: exists; --force' "$F" "$command" "$input" -o place/old
  refuses 2 '/dev/full: No space left' "$F" "$command" "$input" -o /dev/full --force
  [[ $(<place/old) == precious ]] || fail "$command touched what was there"
  [[ $(ls place) == old ]] || fail "$command left something behind: $(ls place)"
done
# The limit on sizes of files stands for a disk that is full: the temporary file must go.
(ulimit -f 0 && trap '' XFSZ && "$F" convert fine.trace -o place/old --force 2>&1 || true) |
  grep -q 'place/old: File too large' || fail 'a full disk is not told of'
cmp -s place/old <(echo precious) || fail 'a full disk cost the old file'
[[ $(ls place) == old ]] || fail "a full disk left: $(ls place)"

expect 0 "$F" convert fine.trace -o place/old --force
! cmp -s place/old <(echo precious) || fail '--force replaces nothing'
chmod 640 place/old
expect 0 "$F" convert fine.trace -o place/old --force
[[ $(stat -c %a place/old) == 640 ]] || fail 'the permissions changed'

refuses 2 'missing/j.xml: No such file' "$F" replay fine.trace --junit missing/j.xml
expect 2 "$F" replay fine.trace --junit /dev/full
says '/dev/full: No space left' err.txt

to_full() { "$@" >/dev/full; }
to_nowhere() { "$@" >&-; }
for command in 'spec --rules' 'spec' 'spec --ops --json' 'run fine.trace' 'replay fine.trace' \
  'show fine.trace' 'convert fine.trace -o -' '--help' '--version' \
  'check --engine replay fine.trace'; do
  # shellcheck disable=SC2086 # the words of a command
  refuses 2 'standard output: No space left' to_full "$F" $command
  # shellcheck disable=SC2086
  refuses 2 'standard output: Bad file descriptor' to_nowhere "$F" $command
done
# A closed standard output must not become the file that is written.
expect 2 to_nowhere "$F" replay bad.trace --junit j.xml
[[ ! -e j.xml ]] || ! grep -q VIOLATION <(head -1 j.xml) || fail 'the report went into the file'
finish
