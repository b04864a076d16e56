#!/usr/bin/env bash
# Other kernels, booted in qemu: what cannot be booted is refused, a guest that hangs or dies is a
# run without a verdict, no guest is left behind; and, where there are a qemu and the image of a
# kernel (FORKPROOF_KERNEL, or what ci/kernels.sh has fetched), a real one is held to the spec.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

trace any.trace 'init: fork as A' 'A: exit 3' 'init: wait4 any -> A exited 3'

# --- no kernel, no qemu
refuses 2 'No such file' "$F" replay any.trace --system qemu:nothing
refuses 2 'No such file' "$F" replay any.trace --system qemu:
refuses 2 'is no kernel image' "$F" replay any.trace --system qemu:any.trace
refuses 2 'is no kernel image|Is a directory' "$F" replay any.trace --system qemu:/
head -c 4096 /dev/zero >zeros
refuses 2 'is no kernel image' "$F" check --system qemu:zeros
refuses 2 'is no kernel image' "$F" run any.trace --system qemu:zeros
python3 - <<'END'
image = bytearray(4096)
image[0x1FE:0x200], image[0x202:0x206] = b"\x55\xaa", b"HdrS"
open("image", "wb").write(image)
END
mkdir nothing-here bin
refuses 3 'Debian has it in qemu-system-x86' env PATH="$PWD/nothing-here" \
  "$F" replay any.trace --system qemu:image

# --- a qemu of ours, which does as FAKE says
cat >bin/qemu-system-x86_64 <<'END'
#!/usr/bin/env bash
echo $$ >>"$FAKE_PIDS"
frame() { printf '%s%d\n%s' "$1" "${#2}" "$2"; }
begin() { printf 'firmware\2forkproof-guest\n' && frame B 'Linux 0.0'; }
case $FAKE in
  hangs) exec sleep 1000 ;;
  dies) echo 'no such machine' >&2 && exit 1 ;;
  babbles) begin && printf 'not a frame\n' && exec sleep 1000 ;;
  stops-halfway) begin && frame O 'half a report' && exec sleep 1000 ;;
  obeys) begin && read -r && frame O 'what was found until then' && frame S 0 && exec sleep 1000 ;;
  answers)
    begin && frame O $'to standard output\n' && frame E $'to standard error\n' && frame A ''
    printf 'F%d\n%s\0%s' $((${#FAKE_FILE} + 4)) "$FAKE_FILE" abc
    frame S 7 && exec sleep 1000
    ;;
esac
END
chmod +x bin/qemu-system-x86_64
export FAKE_PIDS=$PWD/pids FAKE_FILE=$PWD/report.xml FORKPROOF_GUEST_PATIENCE=2
usual_path=$PATH
PATH=$PWD/bin:$PATH
no_guest_left() {
  local pid try left
  for ((try = 0; try < 50; ++try)); do
    left=()
    while read -r pid; do
      if kill -0 "$pid" 2>/dev/null; then left+=("$pid"); fi
    done <pids
    if ((${#left[@]} == 0)); then return; fi
    sleep 0.1
  done
  fail "$1: guests are left behind: ${left[*]}"
}
for FAKE in hangs dies babbles stops-halfway; do
  export FAKE
  expect 1 "$F" replay any.trace --system qemu:image
  says 'UNKNOWN' out.txt
  no_guest_left "$FAKE"
done
says 'half a report' out.txt
FAKE=dies expect 1 "$F" replay any.trace --system qemu:image --json
json 'o["violations"][0]["kind"] == "unknown" and o["system"] == "qemu:image"'
json '"no such machine" in o["violations"][0]["observed"]'
FAKE=answers expect 7 "$F" replay any.trace --system qemu:image --junit report.xml
says '^to standard output$' out.txt
says '^to standard error$' err.txt
says '^abc$' report.xml
no_guest_left answers

# --- it is interrupted, or killed
for signal in INT KILL; do
  : >pids
  if [[ $signal == INT ]]; then FAKE=obeys; else FAKE=stops-halfway; fi
  FORKPROOF_GUEST_PATIENCE=100 python3 - "$F" "$signal" >out.txt <<'END' || fail "after SIG$signal"
import os, signal, subprocess, sys, time
child = subprocess.Popen([sys.argv[1], "check", "--system", "qemu:image"])
end = time.time() + 20
while not os.path.getsize("pids"):
    assert time.time() < end and child.poll() is None
    time.sleep(0.05)
time.sleep(0.5)
child.send_signal(getattr(signal, "SIG" + sys.argv[2]))
sys.exit(child.wait(timeout=20) != (0 if sys.argv[2] == "INT" else -9))
END
  [[ $signal == KILL ]] || says 'what was found until then' out.txt
  no_guest_left "SIG$signal"
done
if ((failures > 0)); then exit 1; fi

# --- a real one
PATH=$usual_path
unset FORKPROOF_GUEST_PATIENCE
newest() { compgen -G "$SOURCE/build/kernels/*/boot/vmlinuz-*" | sort -V | tail -n 1; }
kernel=${FORKPROOF_KERNEL-$(newest || true)}
if [[ -z $kernel ]] || ! command -v qemu-system-x86_64 >/dev/null; then
  echo 'skipped: no guest was booted, for want of a kernel or a qemu; the rest holds'
  exit 77
fi
trace wrong.trace 'init: fork as A' 'A: exit 3' 'init: wait4 any -> A exited 4'
expect 0 "$F" run any.trace --system "qemu:$kernel"
says '^init: wait4 any -> A exited 3$' out.txt
expect 1 "$F" replay wrong.trace any.trace --system "qemu:$kernel" --json --junit real.xml
json 'o["traces"] == 2 and len(o["violations"]) == 1 and o["system"].startswith("qemu:")'
says 'failure' real.xml
expect 0 "$F" check --engine random --traces 30 --seed 1 --profile linux-6 --system "qemu:$kernel"
says '^no violation$' out.txt
finish
