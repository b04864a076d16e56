#!/usr/bin/env bash
# usage: ci/kernels.sh [--traces N] [--seed N] [SERIES...]
#
# Holds other kernels to the spec: for each SERIES (6.1 and 6.12) the newest of Debian's cloud
# kernels is fetched into build/kernels and booted in qemu, without acceleration, with an initramfs
# of busybox and forkproof. Inside the litmus traces are replayed, then N (5000) random traces are
# run from seed N (1) on, past each violation. What the guest says comes over its serial console.
#
# Exit status: 0 holds, 1 a violation was found, 2 usage, 3 cannot run here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

readonly patience=3600 # seconds that a guest may take
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

# What the guest does. It marks what it says, because firmware and kernel write there too.
guest_init() {
  cat <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin FORKPROOF_ALONE=1
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
F=/forkproof worst=0
for word in $(cat /proc/cmdline); do
  case $word in traces=*) traces=${word#*=} ;; seed=*) seed=${word#*=} ;; esac
done
tell() { sed 's/^/@ /'; }
run() {
  status=0
  "$F" "$@" --system linux >/tmp/out 2>&1 || status=$?
  [ "$status" -le "$worst" ] || worst=$status
  tell </tmp/out
}
echo "kernel $(uname -r) $(uname -v)" | tell
run replay /regressions
last=$((seed + traces))
while [ "$seed" -lt "$last" ]; do
  n=$((last - seed))
  [ "$n" -le 500 ] || n=500
  run check --engine random --profile linux-6 --jobs 1 --traces "$n" --seed "$seed"
  [ "$status" -le 1 ] || break
  bad=$(sed -n 's/.*again: .*--seed \([0-9]*\) .*/\1/p' /tmp/out | head -n 1)
  if [ -n "$bad" ]; then seed=$((bad + 1)); else seed=$((seed + n)); fi
done
echo "end $worst" | tell
poweroff -f
END
}

make_initramfs() {
  local root=$cache/root library
  rm -rf "$root"
  mkdir -p "$root"/{bin,dev,proc,tmp}
  cp "$(command -v busybox)" "$root/bin/busybox"
  cp "$ROOT/build/release/bin/forkproof" "$root/forkproof"
  cp -r "$ROOT/fuzz/corpus/regressions" "$root/regressions"
  while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done < <(ldd "$root/forkproof" | grep -o '/[^ ]*')
  guest_init >"$root/init"
  chmod +x "$root/init"
  (cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$cache/initramfs.gz"
}

# The verdict of one kernel: prints what the guest said, and returns its exit status.
boot() {
  local name=$1 image=$2 log=$cache/$1.log status
  timeout -k 5 "$patience" qemu-system-x86_64 -accel tcg -cpu max -smp 1 -m 1024 -nographic \
    -no-reboot -nodefaults -serial stdio -kernel "$image" -initrd "$cache/initramfs.gz" \
    -append "console=ttyS0 quiet panic=-1 traces=$traces seed=$seed" </dev/null |
    stdbuf -oL tr -d '\r' | sed -un "s/^.*@ \(kernel \)/@ \1/; s/^@ //p" |
    tee "$log" | sed -u "s/^/$name: /" || true
  status=$(sed -n 's/^end \([0-9]*\)$/\1/p' "$log")
  if [[ -z $status ]]; then
    say "$name: the guest did not come to its end"
    return 3
  fi
  return "$status"
}

"$ROOT/ci/setup.sh"
install_missing qemu-system-x86_64:qemu-system-x86 busybox:busybox-static cpio:cpio
build release forkproof -DFORKPROOF_WERROR=OFF
make_initramfs
worst=0
for name in "${series[@]}"; do
  image=$(fetch "$name") || exit 3
  status=0
  boot "$name" "$image" || status=$?
  if ((status > worst)); then worst=$status; fi
done
exit "$worst"
