#!/usr/bin/env bash
# usage: ci/mutants.sh [OPTION...] [NAME...]
#
# How good is the net? Builds each mutant of ci/mutants/GROUP/NAME.patch, a change of impl/ that
# breaks a promise, as a small shared object, and holds it to the spec until it is caught. Prints a
# table, and writes build/mutants/results.json, from which a run that was ended goes on.
#
# The group `spec` has changes of the spec, which are built into a command and must be contradicted;
# the group `bits` changes of the bit logic, which must not be proved any more.
#
#   NAME              GROUP/NAME, or a whole GROUP; by default all that the engine judges
#   --engine E        of impl/: random (the default), replay, explore, fuzz, or uniform: the plain
#                     way, to compare with. Of the spec: litmus (the traces alone), lockstep (with
#                     our implementation) or kernel (the one that runs here). Of the bits: prove
#   --trials N        with so many seeds (10); replay needs one
#   --time SECONDS    how long a trial may take (60)
#   --jobs N          how many at a time; by default one for each processor
#   --command PATH    the forkproof to use; by default a release is built
#   --fuzzer PATH     the fuzz_lifecycle to use; by default one is built without sanitizers
#   --patches DIR     the folder of patches
#   --markdown FILE   also write the table of all that is known as a page, and its picture beside it
#   --whole           every engine in turn, each as long as the table needs (ci/mutants_plan.py);
#                     says how far it is, and goes on where it was ended
#   --every N         only one of so many mutants; --whole has explore, fuzz and uniform, which are
#                     there to compare with, judge one of five, the kernel one of three of the
#                     spec's, and with --every 1 all judge all
#   --smoke           the canary and nineteen more, with one seed
#   --fresh           forget what is known of the mutants that are chosen, by this engine
#   --list            only check the headers, and that each still applies; and count
#   --operators ...   judges a sample of operator mutants instead: one operator, constant, condition
#                     or call that is wrong, anywhere in impl/ and the model (ci/mutants_judge.py)
#
# Before an engine judges any, it judges the unchanged code: what kills that as well is an error.
#
# Exit status: 0 all were caught, 1 one survived, or with --whole a bar is missed, 2 usage, a patch
# that does not apply or no verdict, 3 cannot run here, 130 or 143 ended by a signal.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

case " $* " in
  *" --help "* | *" -h "*) help_of "$0" && exit ;;
esac
if [[ " $* " != *" --command"[\ =]* ]]; then
  "$ROOT/ci/setup.sh"
  build release forkproof -DFORKPROOF_WERROR=OFF
fi
if [[ " $* " =~ " --engine"[\ =]"fuzz "|" --whole " && " $* " != *" --fuzzer"[\ =]* ]]; then
  build fuzz-fast fuzz_lifecycle
fi
if [[ ${1-} == --operators ]]; then
  exec python3 "$ROOT/ci/mutants_judge.py" "$ROOT" "$ROOT/build/release/bin/forkproof" "${@:2}"
fi
exec python3 "$ROOT/ci/mutants.py" "$ROOT" "$@"
