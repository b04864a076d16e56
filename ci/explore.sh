#!/usr/bin/env bash
# usage: ci/explore.sh [OPTION...]
#
# The nightly gate of exhaustive search: sets the machine up, builds a release, and tries all traces
# of the core ops with four tasks to a depth of eight, in lockstep, and those with three tasks to
# the end with each step of every fork, vfork and clone failing in every state, and those of kernel
# threads with four tasks to the end. OPTIONs are passed on to `forkproof explore`, instead of these
# bounds.
#
# Exit status: 0 holds, 1 a violation was found, 2 usage, 3 cannot run here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if [[ ${1-} == --help || ${1-} == -h ]]; then help_of "$0" && exit; fi

"$ROOT/ci/setup.sh"
build release forkproof
explore=("$ROOT/build/release/bin/forkproof" explore)
if (($# > 0)); then exec "${explore[@]}" "$@"; fi
"${explore[@]}" --tasks 3 --symmetry --faults
"${explore[@]}" --tasks 4 --symmetry --kthreads
exec "${explore[@]}" --tasks 4 --depth 8 --symmetry
