#!/usr/bin/env bash
# Builds the fuzz targets as OSS-Fuzz wants them: compilers and flags are those of the environment,
# the engine is $LIB_FUZZING_ENGINE, and what is made goes to $OUT: each target with its corpus,
# its dictionary and its options. It is linked statically but for the C library.
#
# The libraries of $SRC are used where they are, and else those of the system.
set -euo pipefail

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." 2>/dev/null && pwd)
if [[ ! -f $source/fuzz/CMakeLists.txt ]]; then source=$SRC/forkproof; fi
: "${CC:?}" "${CXX:?}" "${OUT:?}" "${LIB_FUZZING_ENGINE:?}"
work=${WORK:-$(mktemp -d)}
prefix=$work/prefix
export CFLAGS=${CFLAGS-} CXXFLAGS=${CXXFLAGS-}

configure() {
  cmake -S "$1" -B "$2" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_C_COMPILER="$CC" \
    -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_C_FLAGS="$CFLAGS" -DCMAKE_CXX_FLAGS="$CXXFLAGS" \
    -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_INSTALL_PREFIX="$prefix" "${@:3}"
}

for library in fmt json rapidcheck; do
  if [[ ! -d ${SRC-}/$library ]]; then continue; fi
  configure "$SRC/$library" "$work/$library" -DBUILD_SHARED_LIBS=OFF -DFMT_TEST=OFF \
    -DFMT_DOC=OFF -DJSON_BuildTests=OFF
  cmake --build "$work/$library" --target install
done

configure "$source" "$work/forkproof" -DFORKPROOF_FUZZ=ON -DFORKPROOF_ONLY_FUZZ=ON \
  -DBUILD_TESTING=OFF \
  -DFORKPROOF_FUZZING_COVERAGE= -DFORKPROOF_FUZZING_ENGINE="$LIB_FUZZING_ENGINE"
cmake --build "$work/forkproof" --target fuzzers

# The seeds are written by the replays, in the form that each target takes.
for file in "$source"/fuzz/fuzz_*.cpp; do
  name=$(basename "$file" .cpp)
  cp "$work/forkproof/bin/$name" "$OUT/$name"
  options=$source/fuzz/$name.options
  [[ -f $options ]] || options=$source/fuzz/script.options
  cp "$options" "$OUT/$name.options"
  seeds=("$source/fuzz/corpus/$name")
  case $name in
    fuzz_pid) ;;
    fuzz_trace_text)
      cp "$source/fuzz/text.dict" "$OUT/$name.dict"
      seeds+=("$source/fuzz/corpus/regressions")
      ;;
    *)
      cp "$source/fuzz/bytes.dict" "$OUT/$name.dict"
      seeds+=("$source/fuzz/corpus/regressions" "$source/fuzz/corpus/recorded")
      ;;
  esac
  rm -rf "$work/seeds"
  mkdir "$work/seeds"
  "$work/forkproof/bin/${name/fuzz_/replay_}" --export "$work/seeds" "${seeds[@]}"
  rm -f "$OUT/${name}_seed_corpus.zip"
  (cd "$work/seeds" && python3 -m zipfile -c "$OUT/${name}_seed_corpus.zip" ./*)
done
