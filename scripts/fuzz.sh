#!/bin/sh
# Runs the fuzz targets of a build in turn, each for a bounded time.
#
#   scripts/fuzz.sh BUILD SECONDS [TARGET...]      (default: every target)
#
# A target starts from its corpus in the tree and from what earlier runs found, which is kept in BUILD/corpus; the
# tree is not changed. The input of a crash is written to BUILD/crashes/TARGET; the others run on.
set -eu

build=$1
seconds=$2
shift 2
root=$(dirname "$0")/..
if [ $# = 0 ]; then
  for source in "$root"/tests/fuzz/*.fuzz.cpp; do set -- "$@" "$(basename "$source" .fuzz.cpp)"; done
fi

failed=""
for name in "$@"; do
  program=$build/tests/fuzz/fuzz_$name
  [ -x "$program" ] || { echo "fuzz: $name was not built" >&2; failed="$failed $name"; continue; }
  corpus=$build/corpus/$name
  crashes=$build/crashes/$name
  log=$build/$name.log
  mkdir -p "$corpus" "$crashes"
  if "$program" -max_total_time="$seconds" -max_len=1024 -timeout=10 -print_final_stats=1 -artifact_prefix="$crashes/" \
    "$corpus" "$root/tests/fuzz/corpus/$name" >"$log" 2>&1; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    found=$(sed -n 's/^stat::new_units_added: *//p' "$log")
    echo "fuzz: $name: $runs runs, $found new inputs, no crash"
  else
    echo "fuzz: $name failed ($log):"
    grep -E '^fuzz: |runtime error:|ERROR: |^SUMMARY: |^artifact_prefix=' "$log" || tail -n 20 "$log"
    echo "fuzz: the input is in $crashes; once mended, keep it in tests/fuzz/corpus/$name"
    failed="$failed $name"
  fi
done
[ -z "$failed" ] || { echo "fuzz: failed:$failed" >&2; exit 1; }
