#!/usr/bin/env bash
# usage: ci/test.sh [CTEST-OPTION...]
#
# Sets up, builds with sanitizers and assertions, warnings being errors, and runs every test.
# Options go to ctest, for example: ci/test.sh -R trace -V
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1-} in
  --help | -h) help_of "$0" && exit ;;
esac

"$ROOT/ci/setup.sh"
build debug all -DFORKPROOF_WERROR=ON
exec ctest --test-dir "$ROOT/build/debug" --output-on-failure --no-tests=error \
  --parallel "$(nproc)" "$@"
