#!/usr/bin/env bash
# usage: ci/corpus.sh add FILE [--corpus DIR] [--system S]
#        ci/corpus.sh keep [--corpus DIR] [--from DIR]
#
# Keeps the regression corpus, fuzz/corpus, small.
#
#   add    takes a trace of any engine, as text or (*.bytes) as bytes. One that fails on S (impl)
#          is made small and becomes a regression; one that holds is added only if no trace there
#          makes all the rules act that it does. It is named by the rule that it is about.
#   keep   takes from what the campaigns found (build/fuzzing) what adds a rule, an outcome of an op
#          or an edge of the code, for each target, in place of what was kept before.
#
# Exit status: 0 done, 2 usage or a trace that cannot be read, 3 cannot run here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

what='' file='' corpus=$ROOT/fuzz/corpus from=$ROOT/build/fuzzing system=impl
while (($# > 0)); do
  case $1 in
    --help | -h) help_of "$0" && exit ;;
    --corpus | --from | --system)
      (($# > 1)) || { say "$1: expected a value" && exit 2; }
      case $1 in
        --corpus) corpus=$2 ;;
        --from) from=$2 ;;
        --system) system=$2 ;;
      esac
      shift 2
      ;;
    -*) say "unknown option: $1" && exit 2 ;;
    *)
      if [[ -z $what ]]; then what=$1; elif [[ -z $file ]]; then file=$1; else
        say "one FILE at a time" && exit 2
      fi
      shift
      ;;
  esac
done

add() {
  [[ -n $file ]] || { say "add: expected a FILE" && exit 2; }
  [[ -r $file ]] || { say "$file: cannot be read" && exit 2; }
  "$ROOT/ci/setup.sh"
  build release corpus_add -DFORKPROOF_WERROR=OFF
  exec "$ROOT/build/release/bin/corpus_add" "$corpus" "$file" "$system"
}

# The old ones are candidates, too, and stay until the new ones are written.
keep() {
  local program target paths path
  [[ -d $from ]] || { say "$from: no campaign has left anything there" && exit 2; }
  "$ROOT/ci/setup.sh"
  build fuzz replays -DFORKPROOF_WERROR=OFF
  for program in "$ROOT"/build/fuzz/bin/replay_*; do
    target=fuzz_${program##*/replay_} paths=()
    for path in "$corpus/$target" "$from/$target/corpus"; do
      if [[ -d $path ]]; then paths+=("$path"); fi
    done
    if ((${#paths[@]} == 0)); then continue; fi
    rm -rf "$corpus/.new"
    mkdir -p "$corpus/.new" "$corpus/$target"
    "$program" --distil "$corpus/.new" "${paths[@]}"
    mv "$corpus/$target" "$corpus/.old"
    mv "$corpus/.new" "$corpus/$target"
    rm -rf "$corpus/.old"
  done
}

case $what in
  add | keep) "$what" ;;
  '') say "expected add or keep" && help_of "$0" >&2 && exit 2 ;;
  *) say "no command is called $what; there are add and keep" && exit 2 ;;
esac
