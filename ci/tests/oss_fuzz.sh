#!/usr/bin/env bash
# usage: oss_fuzz.sh [SANITIZER...]
#
# Runs .clusterfuzzlite/build.sh as OSS-Fuzz does, with the flags of its base-builder for address,
# undefined and memory (or those named), moves what was built elsewhere, and checks what OSS-Fuzz's
# build check asks: each target has its seeds and options, is not linked to libraries that the
# runner lacks, starts from a folder that cannot be written, and runs four inputs without starting
# a process. Debian's compiler and libraries stand in for those of the image. Its C++ library is not
# instrumented, so that memory fails: docs/fuzzing.md.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch=$(mktemp -d)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
failures=0

fail() {
  printf 'FAIL: %s\n' "$*"
  failures=$((failures + 1))
}

# The checks that OSS-Fuzz asks for under `undefined`.
checks=array-bounds,bool,builtin,enum,function,integer-divide-by-zero,null,object-size,return
checks+=,returns-nonnull-attribute,shift,signed-integer-overflow,unreachable,vla-bound,vptr

flags_of() {
  case $1 in
    address) echo "-fsanitize=address -fsanitize-address-use-after-scope" ;;
    undefined) echo "-fsanitize=$checks -fno-sanitize-recover=$checks" ;;
    memory) echo "-fsanitize=memory -fsanitize-memory-track-origins" ;;
    *) printf 'no sanitizer is called %s\n' "$1" >&2 && exit 2 ;;
  esac
}

build() {
  local sanitizer=$1 flags
  flags="-O1 -fno-omit-frame-pointer -gline-tables-only $(flags_of "$sanitizer")"
  mkdir -p "$scratch/$sanitizer"
  env CC=clang-19 CXX=clang++-19 SANITIZER="$sanitizer" LIB_FUZZING_ENGINE=-fsanitize=fuzzer \
    CFLAGS="$flags -fsanitize=fuzzer-no-link" CXXFLAGS="$flags -fsanitize=fuzzer-no-link" \
    SRC="$scratch/src" OUT="$scratch/$sanitizer" WORK="$scratch/work-$sanitizer" \
    "$root/.clusterfuzzlite/build.sh" >"$scratch/$sanitizer.log" 2>&1 ||
    { tail -n 40 "$scratch/$sanitizer.log" && fail "build.sh with $sanitizer" && return 1; }
  rm -rf "$scratch/work-$sanitizer"
}

# Libraries that are in the image of the runner.
foreign_libraries() {
  ldd "$1" | awk '{ print $1 }' |
    grep -Ev '^(linux-vdso|lib(c|m|pthread|rt|dl|resolv|stdc\+\+|gcc_s))\.so|ld-linux'
}

check_target() {
  local sanitizer=$1 name=$2 folder=$3 output status=0
  [[ -f $folder/$name.options ]] || fail "$sanitizer: $name has no .options"
  [[ -f $folder/${name}_seed_corpus.zip ]] || fail "$sanitizer: $name has no seed corpus"
  if foreign_libraries "$folder/$name"; then fail "$sanitizer: $name needs that library"; fi
  output=$(cd / && env -i PATH=/usr/bin "$folder/$name" -seed=1337 -runs=4 \
    -artifact_prefix="$scratch/" </dev/null 2>&1) || status=$?
  if ((status != 0)) || ! grep -q 'Done 4 runs' <<<"$output"; then
    fail "$sanitizer: $name ended with $status: $(grep -v '^$' <<<"$output" | tail -n 40)"
    return
  fi
  # Threads it may have. The check for leaks is itself a tracer, and is off for the second look; so
  # is the symbolizer, which only makes the log of libFuzzer nicer.
  (cd / && env -i ASAN_OPTIONS=detect_leaks=0:symbolize=0 UBSAN_OPTIONS=symbolize=0 \
    MSAN_OPTIONS=symbolize=0 strace -f -qq -e trace=process -o "$scratch/calls" \
    "$folder/$name" -seed=1337 -runs=4 -artifact_prefix="$scratch/" \
    </dev/null >"$scratch/log" 2>&1) ||
    fail "$sanitizer: $name fails when it is traced: $(tail -n 12 "$scratch/log")"
  if grep -E 'execve|fork|clone' "$scratch/calls" | tail -n +2 | grep -v CLONE_THREAD; then
    fail "$sanitizer: $name starts that process"
  fi
}

if (($# == 0)); then set -- address undefined memory; fi
for sanitizer in "$@"; do
  build "$sanitizer" || continue
  moved=$scratch/moved-$sanitizer
  mv "$scratch/$sanitizer" "$moved"
  chmod -R a-w "$moved"
  found=0
  for source in "$root"/fuzz/fuzz_*.cpp; do
    name=$(basename "$source" .cpp)
    [[ -x $moved/$name ]] || { fail "$sanitizer: no $name" && continue; }
    before=$failures
    check_target "$sanitizer" "$name" "$moved"
    if ((failures == before)); then found=$((found + 1)); fi
  done
  printf '%s: %d targets pass the check of the build\n' "$sanitizer" "$found"
done
((failures == 0))
