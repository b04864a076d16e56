#!/usr/bin/env bash
# The matrix of clones on the running kernel: every combination of flags, exit signals and callers
# is tried, and all agree with the spec. Where namespaces cannot be had it is skipped, unless
# FORKPROOF_REQUIRE_LINUX=1.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

status=0
"$F" check --engine matrix --system linux --combination 0 >out.txt 2>err.txt || status=$?
if ((status == 3)) && [[ ${FORKPROOF_REQUIRE_LINUX-} != 1 ]]; then
  printf 'skipped: %s\n' "$(<err.txt)"
  exit 77
fi
((status == 0)) || fail "one combination: status $status: $(<err.txt)"
says '^matrix: 1 combination of ' out.txt

expect 0 "$F" check --engine matrix --system linux --json --junit matrix.xml
json 'o["violations"] == [] and o["traces"] == o["matrix"]["combinations"] == (8192 * 3 + 496) * 8'
json 'o["matrix"]["disagree"] == 0'
# Of THREAD, SIGHAND and VM, four combinations may go with the other 256 of flags, three with
# NEWPID, which no thread may have, and three for half of them with NEWUSER, which neither a thread
# nor FS may go with; the two callers of init may not say PARENT. Of the flags of namespaces NEWNS
# goes with no FS, and NEWIPC with no SYSVSEM. PIDFD and DETACHED are no part of it.
json 'o["matrix"]["made"] == 3 * (6 * 256 + 2 * 128) * (4 + 3 + 3) + 6 * 208 + 2 * 104'
json 'o["matrix"]["made"] + o["matrix"]["refused"] == o["matrix"]["combinations"]'
(($(grep -c '<testcase ' matrix.xml) == 16)) || fail 'not two test cases a caller'
python3 -c 'import json; print("combinations:", json.load(open("out.txt"))["matrix"])'
finish
