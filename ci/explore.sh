#!/usr/bin/env bash
# usage: ci/explore.sh [OPTION...]
#
# The nightly gate of exhaustive search: sets the machine up, builds a release, and tries all traces
# of the core ops with four tasks to a depth of eight, in lockstep. OPTIONs are passed on to
# `forkproof explore`, instead of these bounds.
#
# Exit status: 0 holds, 1 a violation was found, 2 usage, 3 cannot run here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
if [[ ${1-} == --help || ${1-} == -h ]]; then help_of "$0" && exit; fi

"$ROOT/ci/setup.sh"
build release forkproof
bounds=(--tasks 4 --depth 8 --symmetry)
if (($# > 0)); then bounds=("$@"); fi
exec "$ROOT/build/release/bin/forkproof" explore "${bounds[@]}"
