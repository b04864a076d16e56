#!/usr/bin/env bash
# usage: ci/setup.sh [--print]
#
# Installs the Debian packages that the project needs and that are missing; with nothing missing it
# does nothing, and quickly. Wants root, or sudo that asks no password.
#
#   --print   list the packages, one a line, and install nothing
#
# On other systems install the same things by your own means and set FORKPROOF_SETUP=skip.
# Exit status: 0 all there, 2 usage, 3 cannot be installed here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

packages=(
  cmake ninja-build ccache git patch python3 strace
  g++ clang-19 libclang-rt-19-dev python3-clang-19
  libfmt-dev libcli11-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev librapidcheck-dev libbenchmark-dev
  libz3-dev cvc5 libxxhash-dev
  rumur spin
)

case ${1-} in
  '') ;;
  --print) printf '%s\n' "${packages[@]}" && exit ;;
  --help | -h) help_of "$0" && exit ;;
  *) say "unknown option: $1" && help_of "$0" >&2 && exit 2 ;;
esac
if [[ ${FORKPROOF_SETUP-} == skip ]]; then exit; fi

give_up() {
  say "$1"
  say "These packages are needed and missing: ${missing[*]}"
  say "As root: apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  exit 3
}

list_missing() {
  # shellcheck disable=SC2016  # dpkg-query fills these in
  local present format='${db:Status-Status} ${Package}\n'
  present=$(dpkg-query -W -f="$format" "${packages[@]}" 2>/dev/null) || true
  comm -23 <(printf '%s\n' "${packages[@]}" | sort) \
    <(sed -n 's/^installed //p' <<<"$present" | sort)
}

missing=("${packages[@]}")
command -v dpkg-query >/dev/null || give_up "This is no Debian: cannot tell what is installed."
mapfile -t missing < <(list_missing)
if ((${#missing[@]} == 0)); then exit; fi

as_root=()
if (($(id -u) != 0)); then
  as_root=(sudo -n)
  sudo -n true 2>/dev/null || give_up "Neither root nor sudo without a password."
fi

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"
}

mkdir -p "$ROOT/build"
log=$ROOT/build/setup.log
say "installing ${missing[*]}"
# The lists of packages are refreshed only where they are absent or too old to fetch from.
if ! apt install -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
  apt update >>"$log" 2>&1 || true # one list may be out of reach: what is installed next decides
  if ! apt install -y --no-install-recommends "${missing[@]}" >>"$log" 2>&1; then
    tail -n 20 "$log" >&2
    give_up "apt-get failed (no network?); the end of its output is above."
  fi
fi
