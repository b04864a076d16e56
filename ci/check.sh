#!/usr/bin/env bash
# usage: ci/check.sh [OPTION...]
#
# Sets up, builds the release, and holds systems to the spec: first the litmus traces of
# fuzz/corpus/regressions, then random traces for 30 s. Without options those are our own
# implementation and, where it can be had, the running kernel; options go to `forkproof check` (see
# `forkproof check --help`), for example:
#
#   ci/check.sh --time 5m --seed 7
#   ci/check.sh --profile linux-6 --junit report.xml
#
# Exit status, from forkproof: 0 holds, 1 a violation was found, 2 usage, 3 cannot run here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1-} in
  --help | -h) help_of "$0" && exit ;;
esac

"$ROOT/ci/setup.sh"
build release forkproof -DFORKPROOF_WERROR=OFF

# An option that the caller gives replaces the default of that name.
options=()
default() {
  local argument
  for argument in "${@:3}"; do
    if [[ $argument == "$1" || $argument == "$1="* ]]; then return; fi
  done
  options+=("$1" "$2")
}
default --engine replay,random "$@"
default --time 30s "$@"

exec "$ROOT/build/release/bin/forkproof" check "${options[@]}" "$@"
