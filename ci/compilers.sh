#!/usr/bin/env bash
# usage: ci/compilers.sh
#
# Builds everything with the other compilers and settings, warnings being errors: the release with
# g++, all with clang++, the fuzz targets with libFuzzer. Runs nothing.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case ${1-} in
  '') ;;
  --help | -h) help_of "$0" && exit ;;
  *) say "unknown option: $1" && help_of "$0" >&2 && exit 2 ;;
esac

"$ROOT/ci/setup.sh"
for preset in release clang fuzz; do
  build "$preset" all -DFORKPROOF_WERROR=ON
done
