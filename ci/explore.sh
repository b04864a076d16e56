#!/usr/bin/env bash
# usage: ci/explore.sh [OPTION...]
#
# The nightly gate of exhaustive search: sets the machine up, builds a release, and tries
#
#   - the core ops with three tasks, to the end;
#   - clone, exec, exit and wait4 with two tasks, to the end;
#   - fork, vfork, clone, exec, exit, wait4, unshare and setns with three tasks to a depth of four,
#     in each profile;
#   - kernel threads with four tasks, to the end, in each profile;
#
# with each thing that can fail in a call failing once in every state; and, where nothing fails, the
# core ops with four tasks, to a depth of eight.
#
# In a state at the depth that bounds an exploration nothing is tried. A step that can fail and did
# in none of them is an error. OPTIONs are passed on to `forkproof explore`, in place of all this.
#
# Exit status: 0 holds, 1 a violation was found or a step never failed, 2 usage, 3 cannot run here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# `never_failed LOG`: by what `explore --faults` printed there, which steps can fail and did in no
# run, if any, which is an error. So is a log that says nothing of them.
never_failed() {
  local steps
  steps=$(sed -n 's/^failures: \([^;]*\);.*/\1/p' "$1" | tr ',' '\n' | awk '
    { n[$1] += $2 }
    END { for (s in n) if (n[s] == 0) print s; if (NR == 0) print "any" }' | sort)
  if [[ -z $steps ]]; then return; fi
  say "never failed in any state: ${steps//$'\n'/ }"
  return 1
}

# Explores, and says what.
run() {
  printf '\n$ forkproof explore --symmetry %s\n' "$*"
  "${explore[@]}" --symmetry "$@"
}

# Explores with everything failing, and keeps what is printed.
failing() { run --faults "$@" | tee -a "$log"; }

if [[ ${BASH_SOURCE[0]} != "$0" ]]; then return; fi # read by a test
if [[ ${1-} == --help || ${1-} == -h ]]; then help_of "$0" && exit; fi

"$ROOT/ci/setup.sh"
build release forkproof
explore=("$ROOT/build/release/bin/forkproof" explore)
if (($# > 0)); then exec "${explore[@]}" "$@"; fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT

sharing=fork,vfork,clone,exec,exit,wait4,unshare,setns

failing --tasks 3
failing --tasks 2 --ops clone,exec,exit,wait4
for profile in linux-6 linux-4.12; do
  failing --tasks 3 --depth 4 --ops "$sharing" --profile "$profile"
  failing --tasks 4 --kthreads --profile "$profile"
done
run --tasks 4 --depth 8
never_failed "$log"
