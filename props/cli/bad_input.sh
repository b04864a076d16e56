#!/usr/bin/env bash
# Bad input of every kind: one line that says what is wrong and where, and exit status 2 (or 3 for
# what this build does not have).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# --- arguments
refuses 2 'subcommand' "$F"
refuses 2 'no command is called nonsense' "$F" nonsense
refuses 2 'no option is called --nonsense' "$F" --nonsense
refuses 2 '--nonsense' "$F" check --nonsense
refuses 2 'FILE is required' "$F" run
refuses 2 'PATH is required' "$F" replay
refuses 2 'there are impl, spec, linux, canary, qemu:KERNEL and mutant:PATH' \
  "$F" check --system nonsense
refuses 2 '--engine nonsense: expected' "$F" check --engine nonsense
refuses 2 '--engine replay,: expected' "$F" check --engine replay,
refuses 2 '--combination 200576: there are 0 to 200575' "$F" check --combination 200576
refuses 2 '--combination x: expected' "$F" check --combination x
refuses 2 '--profile linux-7: expected' "$F" check --profile linux-7
refuses 2 '--format html: expected' "$F" show --format html /dev/null
for time in 10 s 1.5s -1s 10x 1000000000h 99999999999999999999s; do
  refuses 2 '--time' "$F" check --time "$time"
done
for seed in -1 x 1x 18446744073709551616; do
  refuses 2 "--seed.*$seed" "$F" check --seed="$seed"
  refuses 2 "--traces.*$seed" "$F" check --traces="$seed"
done
for system in plugin:./a.so cmd:cat; do
  refuses 3 "$system is not built in" "$F" check --system "$system"
done
refuses 3 'fuzz is not built in' "$F" check --engine fuzz
refuses 3 'linux cannot be copied' "$F" check --engine explore --system linux
refuses 2 '.' "$F" spec --rules --ops
refuses 2 'name a table' "$F" spec --json
for command in '' check replay run minimize convert show spec; do
  # shellcheck disable=SC2086 # no command is no argument
  expect 0 "$F" $command --help
  says '^Usage: ' out.txt
done
expect 0 "$F" --version
says '^forkproof [0-9]+\.[0-9]+\.[0-9]+$' out.txt

# --- files
head -c 300 /dev/zero >zeroes.trace
: >empty.trace
mkdir folder hollow
trace malformed.trace 'init: fork -> A' 'init: frk -> B'
trace truncated.trace 'init: fork -> A' 'A: kill'
trace unbound.trace 'A: exit 3'
trace version.trace
sed -i 's/v1/v2/' version.trace
trace world.trace 'world pid_max=300'
trace huge-world.trace 'world pid_max=99999999999999999999'
trace junk.trace 'init: getpid -> init junk'
printf 'forkproof-trace v1\ninit: getpid\0\n' >nul.trace
printf 'init: fork -> A\n' >headless.txt
trace folder/fine.trace 'init: getpid -> init'

for command in run show; do
  refuses 2 'missing.trace: No such file' "$F" $command missing.trace
  refuses 2 'empty.trace: empty' "$F" $command empty.trace
  refuses 2 'malformed.trace:3:7: .' "$F" $command malformed.trace
  refuses 2 'truncated.trace:3:' "$F" $command truncated.trace
  refuses 2 'unbound.trace:2:1: ' "$F" $command unbound.trace
  refuses 2 'version.trace:1:' "$F" $command version.trace
  refuses 2 'world.trace:2:' "$F" $command world.trace
  refuses 2 'huge-world.trace:2:' "$F" $command huge-world.trace
  refuses 2 'junk.trace:2:' "$F" $command junk.trace
  refuses 2 'nul.trace:2:' "$F" $command nul.trace
  refuses 2 'zeroes.trace:1:' "$F" $command zeroes.trace
  refuses 2 'headless.txt:1:' "$F" $command headless.txt
done
for command in run show; do refuses 2 'folder: Is a directory' "$F" $command folder; done
for file in missing empty malformed truncated version world nul zeroes; do
  expect 2 "$F" replay $file.trace
  says "^$file.trace:" err.txt
  (($(wc -l <err.txt) == 1)) || fail "replay $file.trace: not one line"
done
expect 2 "$F" replay hollow
says 'hollow: no .trace file' err.txt
expect 2 "$F" check --engine replay hollow
says 'hollow: no .trace file' err.txt
refuses 2 'standard input: empty' "$F" run -

# A file of 100 MB is refused before it is read to its end, sparse or not, text or not.
truncate -s 100M big.bin
{ printf 'forkproof-trace v1\n' && yes 'init: getpid' | head -c 100M; } >big.trace || true
refuses 2 'big.bin: larger than 64 MiB' timeout 20 "$F" run big.bin
refuses 2 'big.trace: larger than 64 MiB' timeout 20 "$F" run big.trace
refuses 2 '/dev/zero: larger than' timeout 20 "$F" show /dev/zero

# What cannot be read does not keep the others from being replayed, and all such files are named.
mkdir mixed
cp folder/fine.trace malformed.trace unbound.trace mixed
expect 2 "$F" replay mixed
says 'malformed.trace:3:7:' err.txt
says 'unbound.trace:2:1:' err.txt
says '^1 trace, 1 op' out.txt

# --- binary: only a file named *.bytes is read as a trace in its byte form, and then any is one
for n in 1 2 3 4 5 6 7 8; do
  head -c $((n * 500)) /dev/urandom >junk.bytes
  printf '\0' >>junk.bytes
  status=0
  "$F" replay junk.bytes >/dev/null 2>&1 || status=$?
  ((status <= 1)) || fail "replay of random bytes: status $status"
  cp junk.bytes junk
  refuses 2 'junk:[0-9]*:[0-9]*: expected' "$F" run junk
done
printf '\xef\xbb\xbfforkproof-trace v1\ninit: getpid -> init\n' >bom
refuses 2 'bom:1:1: expected' "$F" run bom

# --- a pipe that nobody writes to: a signal ends the wait for it
mkfifo pipe
"$F" replay pipe >/dev/null 2>&1 &
waiting=$!
sleep 0.3
kill -INT "$waiting"
status=0
wait "$waiting" || status=$?
((status == 2 || status == 130)) || fail "interrupted wait for a pipe: status $status"
finish
