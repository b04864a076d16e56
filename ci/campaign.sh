#!/usr/bin/env bash
# usage: ci/campaign.sh [--traces N] [--seed N] [--user-traces N]
#
# Holds the spec to the running kernel by random traces over all ops, N of them (50,000), as root;
# then the same number, or --user-traces of them, as a user without any right in a user namespace.
# The reports go to docs/campaigns/, with the kernel's release, the day on which each began, the
# commit of this tree, and whether anything in it differed from that; ci/coverage.py makes
# docs/coverage.md of them. The seed is the day's date unless given.
#
# Exit status: 0 holds, 1 a violation was found, 2 usage, 3 cannot run here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

traces=50000 seed=$(date +%Y%m%d) user_traces=
while (($# > 0)); do
  case $1 in
    --help | -h) help_of "$0" && exit ;;
    --traces | --seed | --user-traces)
      [[ ${2-} =~ ^[1-9][0-9]*$ ]] || { say "$1: expected a number" && exit 2; }
      declare "$(tr - _ <<<"${1#--}")=$2"
      shift 2
      ;;
    *) say "unknown option: $1" && exit 2 ;;
  esac
done
: "${user_traces:=$traces}"
((EUID == 0)) || { say "run it as root, which can become the ordinary user, too" && exit 3; }

"$ROOT/ci/setup.sh"
# Of what is built now, before a report changes the tree.
commit=$(git -C "$ROOT" rev-parse --short HEAD) || { say "no commit to tell of" && exit 3; }
dirty=$([[ -z $(git -C "$ROOT" status --porcelain) ]] && echo no || echo yes)
build release forkproof
# Anybody may read and execute it here, whatever the rights of the folder that it was built in.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
install -m 755 "$ROOT/build/release/bin/forkproof" "$scratch/forkproof"

# campaign BY TRACES COMMAND...: a report of `COMMAND check`, in docs/campaigns.
campaign() {
  local by=$1 count=$2 status=0 release id date
  release=$(uname -r) date=$(date -I)
  id=linux-$(grep -oE '^[0-9]+\.[0-9]+' <<<"$release")-${by// /-}
  say "$id: $count traces"
  (cd "$scratch" && "${@:3}" ./forkproof check --engine random --system linux --profile linux-6 \
    --seed "$seed" --traces "$count" --time 100h --json) >"$scratch/report.json" || status=$?
  ((status < 2)) || exit "$status"
  mkdir -p "$ROOT/docs/campaigns"
  python3 - "$scratch/report.json" "$ROOT/docs/campaigns/$id.json" "$id" "$release $(uname -m)" \
    "$date" "$by" "$commit" "$dirty" <<'PY'
import json, sys
source, target, name, kernel, date, by, commit, dirty = sys.argv[1:]
report = json.load(open(source))
keep = ("seed", "traces", "ops", "skipped", "why_skipped", "seconds", "violations", "covered",
        "uncovered", "sometimes_missing")
page = {"id": name, "kernel": kernel, "date": date, "by": by, "commit": commit}
page |= {"dirty": dirty == "yes"} | {key: report[key] for key in keep}
json.dump(page, open(target, "w"), indent=2)
print(file=open(target, "a"))
PY
  ((status == 0)) || exit "$status"
}

campaign root "$traces"
campaign user "$user_traces" setpriv --reuid=64321 --regid=64321 --clear-groups
say "now: ci/coverage.py --command $ROOT/build/release/bin/forkproof >docs/coverage.md"
