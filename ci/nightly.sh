#!/usr/bin/env bash
# usage: ci/nightly.sh [PART...]
#
# What takes too long for every change, one part after the other (or only those named): random (the
# implementation, ten minutes on each processor, with other seeds each day), explore (four tasks,
# eight steps), fuzz (ten minutes, all targets), oss-fuzz (the build for it, with the address and
# undefined sanitizers), mutants (the whole table anew, and the sample of operator mutants), kernels
# (Debian's 6.1 and 6.12 in qemu) and gvisor. The output of a part is in build/nightly/PART.log; a
# line each says how it ended.
#
# Exit status: 0 if all hold, else that of the first part that does not.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The sample is judged even if the table misses a bar.
mutants() {
  local status=0
  "$ROOT/ci/mutants.sh" --whole --fresh || status=$?
  "$ROOT/ci/mutants.sh" --operators || status=$?
  return "$status"
}

# What two rules do to one another may take a hundred million ops to show.
random() {
  build release forkproof
  "$ROOT/build/release/bin/forkproof" check --engine random --system impl --jobs "$(nproc)" \
    --time 10m --seed "$(date +%Y%m%d)00000000"
}

run() {
  case $1 in
    random) random ;;
    explore) "$ROOT/ci/explore.sh" ;;
    fuzz) "$ROOT/ci/fuzz.sh" --time 10m ;;
    oss-fuzz) "$ROOT/ci/tests/oss_fuzz.sh" address undefined ;;
    mutants) mutants ;;
    kernels) "$ROOT/ci/kernels.sh" ;;
    gvisor) "$ROOT/ci/gvisor.sh" ;;
  esac
}

parts=(random explore fuzz oss-fuzz mutants kernels gvisor)
if [[ ${1-} == --help || ${1-} == -h ]]; then help_of "$0" && exit; fi
for part in "$@"; do
  [[ " ${parts[*]} " == *" $part "* ]] ||
    { say "$part: expected parts out of ${parts[*]}" && exit 2; }
done
if (($# > 0)); then parts=("$@"); fi

"$ROOT/ci/setup.sh"
mkdir -p "$ROOT/build/nightly"
worst=0
for part in "${parts[@]}"; do
  status=0
  run "$part" >"$ROOT/build/nightly/$part.log" 2>&1 || status=$?
  printf '%s: %s\n' "$part" "$( ((status == 0)) && echo holds || echo "exit status $status")"
  if ((worst == 0)); then worst=$status; fi
done
exit "$worst"
