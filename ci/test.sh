#!/usr/bin/env bash
# usage: ci/test.sh [CTEST-OPTION...]
#
# Sets up, builds with sanitizers and assertions, warnings being errors, and runs every test. Then
# the fuzz targets are built and run for 15 seconds each. What takes longer is in ci/nightly.sh.
# Options go to ctest, for example: ci/test.sh -R trace -V; with options nothing is fuzzed.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1-} in
  --help | -h) help_of "$0" && exit ;;
esac

"$ROOT/ci/setup.sh"
build debug all -DFORKPROOF_WERROR=ON
status=0
ctest --test-dir "$ROOT/build/debug" --output-on-failure --no-tests=error \
  --parallel "$(nproc)" "$@" || status=$?
if ((status != 0 || $# > 0)); then exit "$status"; fi

"$ROOT/ci/fuzz.sh" --time 15s
"$ROOT/ci/tests/campaign.sh"
