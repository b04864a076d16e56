#!/usr/bin/env bash
# usage: ci/kernels.sh [--traces N] [--seed N] [SERIES...]
#
# Holds other kernels to the spec: for each SERIES (6.1 and 6.12) the newest of Debian's cloud
# kernels is fetched into build/kernels, and is the system `qemu:IMAGE` of forkproof: the litmus
# traces are replayed on it, then N (5000) random traces are run from seed N (1) on, past each
# violation.
#
# Exit status: 0 holds, 1 a violation was found, 2 usage, 3 cannot run here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

traces=5000 seed=1 series=()
while (($# > 0)); do
  case $1 in
    --help | -h) help_of "$0" && exit ;;
    --traces | --seed)
      [[ ${2-} =~ ^[0-9]+$ ]] || { say "$1: expected a number, found '${2-}'" && exit 2; }
      if [[ $1 == --traces ]]; then traces=$2; else seed=$2; fi
      shift 2
      ;;
    [0-9]*.[0-9]*) series+=("$1") && shift ;;
    *) say "unknown option: $1" && help_of "$0" >&2 && exit 2 ;;
  esac
done
if ((${#series[@]} == 0)); then series=(6.1 6.12); fi

cache=$ROOT/build/kernels
mkdir -p "$cache"

# Prints the image of the newest cached or offered kernel of a series.
fetch() {
  local package image
  package=$(apt-cache pkgnames "linux-image-$1." | grep -E -- '-cloud-amd64$' | sort -V | tail -n 1)
  if [[ -n $package && ! -d $cache/$package ]]; then
    say "fetching $package"
    mkdir -p "$cache/$package.part"
    if (cd "$cache/$package.part" && quietly fetch.log apt-get -q download "$package" &&
      dpkg -x ./*.deb .); then
      mv "$cache/$package.part" "$cache/$package"
    fi
  fi
  image=$(compgen -G "$cache/linux-image-$1.*-cloud-amd64/boot/vmlinuz-*" | sort -V | tail -n 1) ||
    { say "no cloud kernel of $1 is offered by apt, nor cached" && return 3; }
  printf '%s\n' "$image"
}

# Runs forkproof on a kernel: `forkproof NAME IMAGE ARGUMENT...`. What it says is in
# $cache/NAME.log, its exit status is answered.
forkproof() {
  local name=$1 image=$2 status=0
  "$ROOT/build/release/bin/forkproof" "${@:3}" --system "qemu:$image" </dev/null 2>&1 |
    tee "$cache/$name.log" | sed -u "s/^/$name: /" || status=$?
  return "$status"
}

# The litmus traces, then random ones, past each violation. The worst exit status.
hold() {
  local name=$1 image=$2 worst=0 status next=$seed last=$((seed + traces)) bad
  forkproof "$name" "$image" replay "$ROOT/fuzz/corpus/regressions" || worst=$?
  while ((next < last && worst <= 1)); do
    status=0
    forkproof "$name" "$image" check --engine random --profile linux-6 --traces $((last - next)) \
      --seed "$next" || status=$?
    if ((status > worst)); then worst=$status; fi
    bad=$(sed -n 's/.*again: .*--seed \([0-9]*\) .*/\1/p' "$cache/$name.log" | head -n 1)
    if ((status == 1)) && [[ -z $bad ]]; then break; fi # the guest came to no end
    next=$((${bad:-last} + 1))
  done
  return "$worst"
}

"$ROOT/ci/setup.sh"
install_missing qemu-system-x86_64:qemu-system-x86
build release forkproof -DFORKPROOF_WERROR=OFF
worst=0
for name in "${series[@]}"; do
  image=$(fetch "$name") || exit 3
  status=0
  hold "$name" "$image" || status=$?
  if ((status > worst)); then worst=$status; fi
done
exit "$worst"
