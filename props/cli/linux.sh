#!/usr/bin/env bash
# The running kernel as a system: the litmus traces hold on it, a campaign runs, and nothing is left
# behind, however it ends. Where namespaces cannot be had it is skipped, unless
# FORKPROOF_REQUIRE_LINUX=1.
set -euo pipefail
# Alone in a namespace of pids where that can be had, so that nobody else's puppets are seen.
alone=(unshare --pid --fork --kill-child --mount-proc)
if [[ -z ${IN_A_NAMESPACE_OF_ITS_OWN-} ]] && "${alone[@]}" true 2>/dev/null; then
  IN_A_NAMESPACE_OF_ITS_OWN=1 exec "${alone[@]}" bash "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

trace any.trace 'init: getpid -> init'
trace groups.trace 'world: cgroup_make 1 -> 0'
# Which puppets there are, which mounts, which namespaces of pids, which control groups.
leavings() {
  grep -lsEx 'puppet|memfd:puppet|101' /proc/[0-9]*/comm || true
  cut -d' ' -f5 /proc/self/mountinfo
  readlink /proc/[0-9]*/ns/pid 2>/dev/null || true
  ls -d /sys/fs/cgroup/{,*/}forkproof-groups-* 2>/dev/null || true
}
leavings | sort -u >before.txt
status=0
"$F" replay any.trace --system linux >out.txt 2>err.txt || status=$?
if ((status == 3)) && [[ ${FORKPROOF_REQUIRE_LINUX-} != 1 ]]; then
  printf 'skipped: %s\n' "$(<err.txt)"
  exit 77
fi
((status == 0)) || fail "a trace of one op: status $status: $(<err.txt)"

# The kernel may take a moment to end what a killed controller leaves.
clean() {
  local try
  for ((try = 0; try < 50; ++try)); do
    leavings | sort -u >after.txt
    [[ -n $(comm -13 before.txt after.txt) ]] || return 0
    sleep 0.1
  done
  local left
  left=$(comm -13 before.txt after.txt)
  fail "left behind by $1: $left"
  # Of the processes among it, what they are about.
  sed -n 's,^\(/proc/[0-9]*\)/comm$,\1/status,p' <<<"$left" |
    xargs -r grep -sHE '^(State|PPid|NSpid|SigPnd|ShdPnd|Threads):' || true
}
clean 'the first'

# --- the litmus traces
expect 0 "$F" replay "$CORPUS" --system linux --json --junit replay.xml
json 'o["traces"] > 200 and o["skipped"] > 0 and o["violations"] == []'
grep -q '<skipped message=' replay.xml || fail 'no skipped trace in the JUnit report'
clean 'a success'

# --- an expectation that fails, and an op that the world turns while nobody can
trace wrong.trace 'init: fork -> A' 'A: pause -> blocks' 'init: getpid -> 7'
expect 1 "$F" replay wrong.trace --system linux
says 'VIOLATION of what the trace expects' out.txt
# ... nor does it say less of a trace in which two could run at once, if it fails each time.
trace crowded.trace 'init: fork -> A' 'init: fork -> B' 'A: pause -> blocks' 'B: pause -> blocks' \
  'init: kill own-group SIGUSR1' 'init: getpid -> 7'
expect 1 "$F" replay crowded.trace --system linux
says 'VIOLATION of what the trace expects' out.txt
trace old.trace 'world profile=linux-4.12' 'init: getpid -> 7'
expect 3 "$F" replay old.trace --system linux
refuses 3 'no linux-4.12' "$F" run old.trace --system linux
trace asleep.trace 'init: pause -> blocks' 'world: pid_max 300 -> EINVAL' \
  'world: pid_cursor 310 -> 0'
expect 0 "$F" replay asleep.trace --system linux
clean 'a failure'

# --- what is left out on its way covers nothing, and counts for nothing
trace left-out.trace 'init: fork as A' 'A: exit 3' 'init: wait4 any' 'init: sched_setaffinity 0 1'
expect 3 "$F" replay left-out.trace --system linux --json
json '[o[k] for k in ("traces", "ops", "skipped", "covered")] == [0, 0, 1, []]'

# --- what the other commands do with it
trace script.trace 'init: fork as A' 'A: exit 3' 'init: wait4 any'
expect 0 "$F" run script.trace --system linux
says '^init: wait4 any -> A exited 3$' out.txt
expect 0 "$F" minimize wrong.trace -o small.trace --system linux
says '^init: getpid -> 7$' small.trace
refuses 3 'linux-4.12' "$F" check --system linux --profile linux-4.12 --engine random --traces 1

# --- what exploring small worlds led to
ops=fork,vfork,clone,exec,exit,wait4,waitid,kill,setpgid,setsid,prctl_subreaper,mmap,read,write
expect 0 "$F" explore --tasks 3 --depth 3 --symmetry --ops "$ops" --emit explored
expect 0 "$F" replay explored --system linux --json
json 'o["traces"] > 200 and o["violations"] == []'

# --- a campaign, and its end by a signal
expect 0 "$F" check --engine random --system linux --traces 400 --seed 1 --json
json 'o["traces"] + o["skipped"] == 400 and o["ops"] > 4000'
# Hardly anything is left out that a kernel could do here: it runs out of no memory.
json 'o["skipped"] - sum(n for why, n in o["why_skipped"].items()
                         if "kept from an exec" in why) < 0.1 * (o["skipped"] + o["traces"])'
expect 0 "$F" check --engine random --system linux --time 30s --json
json 'o["traces"] > 1000 and o["violations"] == []'
json 'o["why_skipped"].get("what was seen once was not seen again", 0) < 1 + o["traces"] // 500'
# To the whole group, as timeout(1) does it: no less clean.
expect 0 timeout --preserve-status 2 "$F" check --engine random --system linux --time 60s --jobs 2
says '^no violation$' out.txt
for signal in INT KILL; do
  python3 - "$F" "$signal" <<'END' || fail "SIG$signal: the campaign did not end as it should"
import glob, signal, subprocess, sys, time
def read(file):
    try: return open(file).read().strip()
    except OSError: return ""
def puppets():
    names = ("puppet", "memfd:puppet", "101")  # of their program, and of its file
    return [f for f in glob.glob("/proc/[0-9]*/comm") if read(f) in names]
before = len(puppets())
child = subprocess.Popen([sys.argv[1], "check", "--engine", "random", "--system", "linux",
                          "--seed", "1", "--time", "60s"], stdout=subprocess.DEVNULL)
end = time.time() + 20
while len(puppets()) < before + 3:  # a campaign is under way
    assert time.time() < end and child.poll() is None
    time.sleep(0.01)
child.send_signal(getattr(signal, "SIG" + sys.argv[2]))
status = child.wait(timeout=20)
sys.exit(status != (0 if sys.argv[2] == "INT" else -9))
END
  # The control groups of one that was killed are removed by the next that makes some.
  status=0
  [[ $signal == INT ]] || "$F" replay groups.trace --system linux >out.txt 2>err.txt || status=$?
  ((status == 0 || status == 3)) || fail "after SIG$signal: status $status: $(<out.txt)"
  clean "SIG$signal"
done
finish
