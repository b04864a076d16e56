#!/usr/bin/env bash
# The scripts of ci/: each explains itself, refuses nonsense, and set-up says what is missing. A
# made-up dpkg-query, id and sudo stand in for a machine that has nothing.
set -euo pipefail

ci=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

fail() {
  printf 'FAIL: %s\n' "$*"
  failures=$((failures + 1))
}

# expect STATUS PATTERN COMMAND...: its exit status, and a line of its output that matches.
expect() {
  local status=0 output
  output=$("${@:3}" 2>&1) || status=$?
  ((status == $1)) || fail "${*:3}: exit status $status, expected $1"
  grep -Eq -- "$2" <<<"$output" || fail "${*:3}: no line matches /$2/ in: $output"
}

stub() {
  printf '#!/bin/sh\n%s\n' "$2" >"$scratch/$1"
  chmod +x "$scratch/$1"
}

cd /
for script in setup check test campaign compilers corpus fuzz gvisor kernels mutants; do
  expect 0 "^usage: ci/$script.sh" "$ci/$script.sh" --help
done
expect 2 'unknown option: --nonsense' "$ci/setup.sh" --nonsense
expect 2 'unknown option: --nonsense' "$ci/compilers.sh" --nonsense
expect 2 'unknown option: --nonsense' "$ci/gvisor.sh" --nonsense
expect 2 'unknown option: --nonsense' "$ci/campaign.sh" --nonsense
expect 2 'unknown option: --nonsense' "$ci/kernels.sh" --nonsense
expect 2 'no command is called nonsense' "$ci/corpus.sh" nonsense
expect 2 '/absent: cannot be read' "$ci/corpus.sh" add /absent
expect 2 'no target is called fuzz_nonsense' "$ci/fuzz.sh" nonsense
expect 2 '^--traces: expected a number' "$ci/kernels.sh" --traces many
expect 0 '^librapidcheck-dev$' "$ci/setup.sh" --print
expect 0 '^$' env FORKPROOF_SETUP=skip "$ci/setup.sh"

# Nothing installed, no root, no sudo: the missing packages are named, and how to get them.
stub dpkg-query 'exit 1'
stub id 'echo 1000'
stub sudo 'exit 1'
expect 3 'apt-get install .*librapidcheck-dev' env PATH="$scratch:$PATH" "$ci/setup.sh"

# All but one installed: that one alone is asked for.
stub dpkg-query "'$ci/setup.sh' --print | grep -v ninja | sed 's/^/installed /'"
expect 3 'missing: ninja-build$' env PATH="$scratch:$PATH" "$ci/setup.sh"

# A package whose configuration files alone are left is missing.
stub dpkg-query "'$ci/setup.sh' --print | sed 's/^/installed /; s/.* cmake$/config-files cmake/'"
expect 3 'missing: cmake$' env PATH="$scratch:$PATH" "$ci/setup.sh"

# All installed: silence.
stub dpkg-query "'$ci/setup.sh' --print | sed 's/^/installed /'"
expect 0 '^$' env PATH="$scratch:$PATH" "$ci/setup.sh"

((failures == 0))
