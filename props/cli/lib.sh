# shellcheck shell=bash disable=SC2034 # the variables are for those who source this
# What the tests of the command line share: a scratch folder to be in, and expectations that count
# their failures. The last line of a test is `finish`.
set -euo pipefail

F=$(realpath "${1:-$FORKPROOF}")
SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
CORPUS=$SOURCE/fuzz/corpus/regressions
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
failures=0

fail() {
  printf 'FAIL: %s\n' "$*"
  failures=$((failures + 1))
}

# expect STATUS COMMAND...: its exit status; its output is in out.txt and err.txt.
expect() {
  local status=0
  "${@:2}" >out.txt 2>err.txt </dev/null || status=$?
  ((status == $1)) || fail "${*:2}: status $status, expected $1: $(head -c 500 err.txt)"
}

# refuses STATUS PATTERN COMMAND...: nothing on standard output, and on standard error one line that
# matches.
refuses() {
  expect "$1" "${@:3}"
  [[ ! -s out.txt ]] || fail "${*:3}: says on standard output: $(head -c 200 out.txt)"
  (($(wc -l <err.txt) == 1)) || fail "${*:3}: not one line: $(head -c 500 err.txt)"
  grep -Eq -- "$2" err.txt || fail "${*:3}: no /$2/ in: $(head -c 500 err.txt)"
}

# says PATTERN FILE
says() { grep -Eq -- "$1" "$2" || fail "no /$1/ in $2: $(head -c 1000 "$2")"; }

# json EXPRESSION: something true of the object in out.txt, which is called o.
json() {
  python3 -c 'import json, sys
o = json.load(open("out.txt"))
sys.exit(not eval(sys.argv[1]))' "$1" || fail "not so: $1 in $(head -c 1000 out.txt)"
}

# trace NAME LINE...: a trace of these lines.
trace() { printf '%s\n' 'forkproof-trace v1' "${@:2}" >"$1"; }

finish() { ((failures == 0)); }
