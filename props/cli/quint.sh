#!/usr/bin/env bash
# The model in Quint, where bench/run has installed that: it is well typed, and its random traces
# lead to the families that the spec explores, and to no others.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

quint=$SOURCE/bench/peers/quint
"$quint" --have-it typecheck 2>err.txt || {
  (($? == 3)) && echo 'no quint here' && exit 77
  cat err.txt && exit 1
}

families() {
  expect 0 "$F" explore --tasks "$1" --pages 0 --ops fork,vfork,exec,exit,wait4 --system spec \
    --symmetry --project family --merge --json
  json 'o["fixpoint"]'
  python3 -c 'import json; print(json.load(open("out.txt"))["states"])'
}

two=$(families 2)
expect 0 "$quint" --have-it states 2 500 20
(($(<out.txt) == two)) || fail "two tasks: $(<out.txt) families in Quint, $two in the spec"
three=$(families 3)
expect 0 "$quint" --have-it states 3 2000 25
(($(<out.txt) <= three)) || fail "three tasks: $(<out.txt) families in Quint, $three in the spec"
(($(<out.txt) > three / 2)) || fail "three tasks: only $(<out.txt) families of $three"

# --- what it refuses
expect 2 "$quint" run 4
expect 2 "$quint" run 4 x 20
expect 2 "$quint" run 4 10 10 pascal
finish
