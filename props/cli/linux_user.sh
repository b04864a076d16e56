#!/usr/bin/env bash
# The running kernel as a system for an ordinary user: as somebody without any right where root may
# become one, as ourselves otherwise. Where user namespaces cannot be had it is skipped, unless
# FORKPROOF_REQUIRE_LINUX=1.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

user=()
if ((EUID == 0)); then
  renice -n 0 -p $$ >/dev/null 2>&1 || true  # an ordinary user could not
  user=(setpriv --reuid=64321 --regid=64321 --clear-groups)
  if ! "${user[@]}" true 2>/dev/null; then user=(setpriv "--bounding-set=-sys_admin,-sys_nice"); fi
fi
# Anybody may read and execute it where the user is, if not where it was built.
install -m 755 "$F" forkproof
cp -r "$CORPUS" corpus
chmod -R a+rX . && F=$PWD/forkproof

trace any.trace 'init: fork as A' 'A: exit 3' 'init: wait4 any -> A exited 3'
status=0
"${user[@]}" "$F" replay any.trace --system linux >out.txt 2>err.txt || status=$?
if ((status == 3)) && [[ ${FORKPROOF_REQUIRE_LINUX-} != 1 ]]; then
  printf 'skipped: %s\n' "$(<err.txt)"
  exit 77
fi
((status == 0)) || fail "a trace of three ops: status $status: $(<err.txt)"

nothing_left() {
  local try
  for ((try = 0; try < 50; ++try)); do
    pgrep puppet -u "$1" >/dev/null || return 0
    sleep 0.1
  done
  fail "puppets of user $1 are left behind"
}

# --- what holds for root holds for anybody, but for what is left out and said
expect 0 "${user[@]}" "$F" replay corpus --system linux --json
json 'o["traces"] > 200 and o["violations"] == []'
json 'sum(o["why_skipped"].values()) == o["skipped"]'
# An ordinary user makes no control groups. What no program can do, another kernel, times and a want
# of memory are left out for root, too; what is in a user namespace below shows to nobody without
# power there. Of the rest:
json 'o["skipped"] - sum(n for why, n in o["why_skipped"].items()
                         if "control group" in why or "no program" in why or
                         "is no linux-" in why or "not the same twice" in why or
                         "from an exec" in why or "namespace below" in why) < o["traces"] / 6'
# Most of that needs another user than the one that there is. Hardly anything is left out for
# another reason.
json 'o["skipped"] - sum(n for why, n in o["why_skipped"].items()
                         if "control group" in why or "no program" in why or
                         "is no linux-" in why or "not the same twice" in why or
                         "from an exec" in why or "user" in why) < o["traces"] / 12'
expect 0 "${user[@]}" "$F" check --engine random --system linux --seed 1 --traces 400 \
  --time 60s --profile linux-6 --json
json 'o["violations"] == [] and o["traces"] > o["skipped"]'
# What takes rights that an ordinary user has not is a share of the traces; else few are left out.
json 'o["traces"] > 4 * (o["skipped"] - sum(n for why, n in o["why_skipped"].items() if any(
  right in why for right in ("control group", "users cannot be varied", "counted by user",
    "user namespace below", "own namespaces cannot be entered", "priorities"))))'
expect 0 "${user[@]}" "$F" check --engine matrix --system linux --combination 77 --json
json 'o["matrix"]["disagree"] == 0'
expect 0 "${user[@]}" "$F" run any.trace --system linux
says '^init: wait4 any -> A exited 3$' out.txt

# --- a violation is found all the same: nobody runs beside another here
trace wrong.trace 'init: fork as A' 'A: exit 3' 'init: wait4 any -> A exited 4'
expect 1 "${user[@]}" "$F" replay wrong.trace --system linux

# --- a knob that is turned while everybody sleeps, in a namespace that cannot be left again
trace asleep.trace 'init: pause -> blocks' 'world: pid_max 300 -> EINVAL' \
  'world: pid_max 400 -> 0' 'world: pid_cursor 350 -> 0'
expect 0 "${user[@]}" "$F" replay asleep.trace --system linux

# --- no user namespaces are left to make
none() {
  unshare --user --map-root-user bash -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
    exec setpriv --bounding-set=-sys_admin "$@"' - "$@"
}
if none true 2>/dev/null; then
  refuses 3 'no user namespace can be made here' none "$F" replay any.trace --system linux
fi

# --- few processes: what cannot be made is never taken for the kernel's answer; a sanitizer that
# looks for leaks needs a process for that, and would change the exit status
if ((EUID == 0)) && [[ ${user[1]} == --reuid* ]]; then
  for limit in 1 2 3 4 6 9 15; do
    status=0
    # shellcheck disable=SC2016
    ASAN_OPTIONS=detect_leaks=0 "${user[@]}" bash -c 'ulimit -u "$1" && exec "${@:2}"' - \
      "$limit" "$F" check --engine random --system linux --profile linux-6 --jobs 1 --seed 1 \
      --traces 60 --time 60s \
      >out.txt 2>err.txt </dev/null || status=$?
    case $status in
      0) says '^no violation' out.txt ;;
      1) says ': UNKNOWN$' out.txt ;;
      3) grep -q 'skipped:' out.txt || says '^forkproof: ' err.txt ;;
      *) fail "ulimit -u $limit: status $status: $(head -c 3000 out.txt err.txt)" ;;
    esac
    printf 'ulimit -u %s: status %s: %s\n' "$limit" "$status" "$(grep -h skipped: out.txt err.txt |
      head -n 1)$(grep -h ^forkproof: err.txt || true)"
  done
  nothing_left 64321
fi
finish
