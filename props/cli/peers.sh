#!/usr/bin/env bash
# The independent models of bench/peers/ reach as many states as the spec and the implementation
# do, by as many transitions.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

for checker in rumur spin; do
  command -v "$checker" >/dev/null || { echo "no $checker here" && exit 77; }
done

# They are compiled once a bound: that takes longer than what they do.
export CFLAGS="-O1 -march=native"

# ours SYSTEM [OPTION...]: "STATES TRANSITIONS FAMILIES" of an exploration that came to its end.
ours() {
  expect 0 "$F" explore --system "$1" --pages 0 --ops fork,vfork,exec,exit,wait4 \
    --project family --json "${@:2}"
  json 'o["fixpoint"] and o["violations"] == []'
  python3 -c 'import json
o = json.load(open("out.txt"))
print(o["states"], o["transitions"], o["families"])' >counts.txt
}

theirs() {
  local checker
  for checker in rumur spin; do
    expect 0 "$SOURCE/bench/peers/count" "$checker" "$@"
    read -r states transitions _ <out.txt || fail "$checker $*: no counts"
    echo "$states $transitions" >"$checker.txt"
  done
  cmp -s rumur.txt spin.txt || fail "$*: rumur $(<rumur.txt), spin $(<spin.txt)"
}

# agree SYSTEM-TO-COUNT-IN TASKS [PID_MAX CURSOR]
agree() {
  local options=(--tasks "$2")
  if (($# == 2)); then
    options+=(--symmetry)
  else
    options+=(--pid-max "$3" --pid-cursor "$4")
  fi
  theirs "${@:2}"
  ours spec "${options[@]}" --merge
  read -r states transitions families <counts.txt
  [[ "$states $transitions" == "$(<rumur.txt)" ]] ||
    fail "${*:2}: peers $(<rumur.txt), spec $states $transitions"
  [[ $families == "$states" ]] || fail "${*:2}: $families families in $states merged states"
  # Every world that can be told apart, not one of each family.
  ours "$1" "${options[@]}"
  read -r worlds _ families <counts.txt
  [[ $families == "$states" ]] || fail "${*:2}: $1 $families families, peers $states"
  ((worlds >= families)) || fail "${*:2}: $worlds worlds, $families families"
}

agree impl 1
agree impl 2
cp rumur.txt two.txt
agree impl 3
agree spec 4
agree impl 3 302 300
agree spec 3 302 299
agree impl 3 304 302

# What is counted grows with the bound, else nothing was compared.
read -r states _ <two.txt
((states > 10)) || fail "two tasks: $states states"
read -r more _ <rumur.txt
((more > states)) || fail "three tasks with numbers: $more states, two without: $states"

refuses 2 '--merge' "$F" explore --merge
refuses 2 '--project tree: expected family' "$F" explore --project tree
refuses 2 '--pid-max 300: expected a number from 301' "$F" explore --pid-max 300
refuses 2 '--pid-cursor 0: expected a number from 1' "$F" explore --pid-cursor 0
finish
