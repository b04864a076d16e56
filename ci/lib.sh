# What the scripts of this folder share; they source it.
# shellcheck shell=bash
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT

say() { printf '%s\n' "$*" >&2; }

# Prints the comment that a script begins with: its documentation is its help.
help_of() { sed -n '2,/^[^#]/ { s/^# \{0,1\}//p }' "$1"; }

# Quiet unless it fails, then the whole output: `quietly LOG COMMAND...`.
quietly() {
  local log=$1 status=0
  shift
  "$@" >"$log" 2>&1 || status=$?
  if ((status != 0)); then
    cat "$log" >&2
    say "failed (exit status $status): $*"
  fi
  return "$status"
}

# Builds a target of a preset of CMakePresets.json in build/PRESET: `build PRESET TARGET
# [CMAKE-OPTION...]`. On a terminal ninja shows its one progress line, else nothing shows unless it
# fails, and then the exit status is 3: nothing was found out about any implementation.
build() {
  local preset=$1 target=$2 dir=$ROOT/build/$1
  shift 2
  mkdir -p "$dir"
  say "building $preset"
  quietly "$dir/configure.log" cmake -S "$ROOT" --preset "$preset" "$@" || exit 3
  if [[ -t 2 ]]; then
    NINJA_STATUS='[%f/%t] ' cmake --build "$dir" --target "$target" >&2 || exit 3
  else
    quietly "$dir/build.log" cmake --build "$dir" --target "$target" || exit 3
  fi
}

# Installs the packages of commands that are missing: `install_missing COMMAND:PACKAGE...`. Exit
# status 3 where that cannot be.
install_missing() {
  local pair missing=() as_root=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  if ((${#missing[@]} == 0)); then return; fi
  if (($(id -u) != 0)); then
    as_root=(sudo -n)
    sudo -n true 2>/dev/null ||
      { say "missing: ${missing[*]}; neither root nor sudo without a password" && exit 3; }
  fi
  say "installing ${missing[*]}"
  mkdir -p "$ROOT/build"
  quietly "$ROOT/build/install.log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q install -y --no-install-recommends "${missing[@]}" || exit 3
}
