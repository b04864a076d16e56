#!/usr/bin/env bash
# The running kernel as a system where it is short of something, or where somebody interferes: a
# clear message and the exit status 3, or traces that are left out, but never a violation; and
# nothing is left behind. What a machine does not allow to be set up is not tried there.
set -euo pipefail
# Alone in a namespace of pids, whose limits are ours to set.
alone=(unshare --pid --fork --kill-child --mount-proc)
if [[ -z ${IN_A_NAMESPACE_OF_ITS_OWN-} ]]; then
  if ! "${alone[@]}" true 2>/dev/null; then
    echo 'skipped: namespaces cannot be had'
    [[ ${FORKPROOF_REQUIRE_LINUX-} == 1 ]] && exit 1
    exit 77
  fi
  IN_A_NAMESPACE_OF_ITS_OWN=1 exec "${alone[@]}" bash "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

trace any.trace 'init: fork as A' 'A: exit 3' 'init: wait4 any -> A exited 3'
if ! "$F" replay any.trace --system linux >/dev/null 2>err.txt; then
  printf 'skipped: %s\n' "$(<err.txt)"
  [[ ${FORKPROOF_REQUIRE_LINUX-} == 1 ]] && exit 1
  exit 77
fi

nothing_left() {
  local try
  for ((try = 0; try < 50; ++try)); do
    grep -qsEx 'puppet|memfd:puppet|101' /proc/[0-9]*/comm || return 0
    sleep 0.1
  done
  fail "puppets are left behind: $1"
}
# no_verdict WHAT COMMAND...: it holds, or cannot run and says why, or comes to no verdict; but it
# does not say that the kernel is wrong.
no_verdict() {
  local status=0
  "${@:2}" >out.txt 2>err.txt </dev/null || status=$?
  case $status in
    0) says '^no violation' out.txt ;;
    1) says ': UNKNOWN$' out.txt ;;
    3) grep -q 'skipped:' out.txt || says '^forkproof: ' err.txt ;;
    137) ;; # killed itself
    *) fail "$1: status $status: $(head -c 3000 out.txt err.txt)" ;;
  esac
  nothing_left "$1"
}
campaign=("$F" check --engine random --system linux --seed 1 --traces)

# --- without some of root's rights: what they are for is said to be missing, or is had otherwise
for caps in -sys_nice -sys_admin -sys_nice,-sys_admin; do
  expect 0 setpriv --bounding-set="$caps" "$F" replay any.trace --system linux
  says 'puppets are no real-time tasks' out.txt
done
nothing_left 'without rights'

# --- clone3 is forbidden, as by many a container, or unknown, as by others
without_clone3() {
  python3 - "$@" <<'END'
import ctypes, errno, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
LOAD, JUMP_IF_EQUAL, RETURN, CLONE3 = 0x20, 0x15, 0x06, 435
def op(code, then, otherwise, k): return struct.pack("HBBI", code, then, otherwise, k)
answer = 0x50000 | getattr(errno, sys.argv[1])
program = ctypes.create_string_buffer(op(LOAD, 0, 0, 0) + op(JUMP_IF_EQUAL, 0, 1, CLONE3) +
                                      op(RETURN, 0, 0, answer) + op(RETURN, 0, 0, 0x7FFF0000))
class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("ops", ctypes.c_void_p)]
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
filter = Filter(4, ctypes.addressof(program))
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filter), 0, 0) != 0:
    sys.exit("no filter can be set")
os.execv(sys.argv[2], sys.argv[2:])
END
}
trace asleep.trace 'init: pause -> blocks' 'world: pid_max 300 -> EINVAL'
for answer in EPERM ENOSYS; do
  no_verdict "clone3 answers $answer" without_clone3 "$answer" "${campaign[@]}" 300
  no_verdict "clone3 answers $answer" without_clone3 "$answer" "$F" replay asleep.trace \
    --system linux
done
expect 0 without_clone3 ENOSYS "${campaign[@]}" 300 # which needs it for next to nothing

# --- /proc that hides
hidden() { unshare --mount bash -c 'mount -t proc -o hidepid=2 proc /proc && exec "$@"' - "$@"; }
if hidden true 2>/dev/null; then
  expect 0 hidden "${campaign[@]}" 300
  no_verdict 'a /proc that hides' hidden setpriv --bounding-set=-sys_ptrace "${campaign[@]}" 300
fi

# --- no numbers are left outside
full() {
  "${alone[@]}" bash -c 'echo 310 >/proc/sys/kernel/pid_max && exec "$@"' - "$@"
}
# On kernels whose limit is the machine's it must not be touched.
if before=$(</proc/sys/kernel/pid_max) && full true 2>/dev/null &&
  [[ $(</proc/sys/kernel/pid_max) == "$before" ]]; then
  expect 0 full "${campaign[@]}" 300
  says '^[0-9]+ skipped: the machine ran short of processes' out.txt
  says '^no violation$' out.txt
else
  printf '%s\n' "$before" >/proc/sys/kernel/pid_max
fi

# --- a group that may not have many processes, or not much memory
for limit in pids/pids.max={3,8,12} memory/memory.limit_in_bytes={24M,64M,100M,150M}; do
  group=/sys/fs/cgroup/${limit%/*}/forkproof-test-$$
  mkdir "$group" 2>/dev/null || continue
  file=${limit#*/}
  echo "${limit#*=}" >"$group/${file%=*}"
  # shellcheck disable=SC2016
  no_verdict "$limit" bash -c 'echo $$ >"$1/cgroup.procs" && exec "${@:2}"' - "$group" \
    "${campaign[@]}" 300
  for ((try = 0; try < 50; ++try)); do
    if rmdir "$group" 2>/dev/null; then break; fi
    sleep 0.1
  done
  [[ ! -d $group ]] || fail "$limit: somebody is left in the group"
done

# --- a stranger in the namespaces of a campaign
strangers() {
  "${campaign[@]}" 2000 &
  local running=$! comm init
  while kill -0 "$running" 2>/dev/null; do
    while read -r comm; do
      init=${comm%/comm}
      [[ $(awk '/^NSpid:/ { print $NF }' "$init/status" 2>/dev/null) == 1 ]] || continue
      nsenter --pid="$init/ns/pid" true 2>/dev/null || true
    done < <(grep -lsEx 'puppet|memfd:puppet|101' /proc/[0-9]*/comm)
  done
  wait "$running"
}
no_verdict 'a stranger' strangers
finish
