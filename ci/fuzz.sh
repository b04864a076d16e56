#!/usr/bin/env bash
# usage: ci/fuzz.sh [OPTION...] [TARGET...]
#
# Fuzzes all targets, or those named (fuzz_wait or wait), and goes on where the last run stopped.
# What is found is kept in build/fuzzing: TARGET/corpus, and findings/NAME for each kind of
# violation or crash, with the trace made small, the report and the inputs that show it. At the end
# the corpora are merged and minimised. Ctrl-C ends the run early and loses nothing.
#
#   --time T         how long each target is run by each of its jobs: 30s, 5m, 2h (60s)
#   --jobs N         how many processes run at a time (the number of processors)
#   --engine E       libfuzzer (the default) or afl, for which afl++ is installed
#   --sanitizers S   yes (the default) or no, which is five times as fast
#   --system S       impl (the default) or canary, which has a defect
#   --empty          begin with an empty corpus, without the traces of fuzz/corpus
#   --until-found    end a target at its first finding
#   --out DIR        keep everything in DIR
#   --report         write what is covered: out/coverage/html by llvm-cov, out/coverage/rules
#   --only-report    ... and do nothing else
#   --only-recover   sort what a killed run left behind, and do nothing else
#
# Exit status: 0 nothing was found, 1 something was, 2 usage, 3 cannot run here.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

preset=fuzz engine=libfuzzer report='' previous=''
for argument in "$@"; do
  case $previous$argument in
    --help | -h) help_of "$0" && exit ;;
    --sanitizers=no | --sanitizersno) preset=fuzz-fast ;;
    --engine=afl | --engineafl) engine=afl ;;
    --report | --only-report) report=yes ;;
  esac
  case $argument in
    --sanitizers | --engine) previous=$argument ;;
    *) previous='' ;;
  esac
done

"$ROOT/ci/setup.sh"
python3 "$ROOT/ci/fuzz.py" --check "$@" || exit $?
build "$preset" fuzzers -DFORKPROOF_WERROR=OFF
if [[ $engine == afl ]]; then
  install_missing afl-fuzz:afl++
  build fuzz-afl fuzzers -DFORKPROOF_WERROR=OFF
fi
if [[ $report == yes ]]; then
  install_missing llvm-cov-19:llvm-19
  build fuzz-coverage replays -DFORKPROOF_WERROR=OFF
fi
exec python3 "$ROOT/ci/fuzz.py" --build "$ROOT/build/$preset/bin" "$@"
