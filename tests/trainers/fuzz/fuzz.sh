#!/bin/bash
# Looks for inputs that a parser does not survive, with libFuzzer:
#   tests/trainers/fuzz/fuzz.sh [seconds for each target] [target ...]
# From the top of the repository; needs clang with its runtime (on Debian:
# apt-get install clang). An input that was found is left in ./fuzz-findings.
set -uo pipefail
seconds=${1:-600}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for source in tests/trainers/fuzz/corpus/*/; do
    targets+=("$(basename "$source")")
  done
  targets+=(config run_state)  # whose seeds are made
fi

./bazelw build --config=fuzz "${targets[@]/#///tests/trainers/fuzz:}" || exit
bin=$(./bazelw info --config=fuzz bazel-bin 2>/dev/null)/tests/trainers/fuzz
# Where the targets run: Bazel's next build may change bazel-bin.
work=$(mktemp -d)
findings=$PWD/fuzz-findings
mkdir -p "$findings"

found=0
for target in "${targets[@]}"; do
  corpus=$work/$target-corpus
  mkdir -p "$corpus"
  cp -L "$bin/$target" "$work/"
  for seed in tests/trainers/fuzz/corpus/"$target"/* "$bin/corpus/$target"/*; do
    case $seed in
      *.hex) sed 's/#.*//' "$seed" | python3 -c '
import sys
sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))' \
        > "$corpus/$(basename "$seed" .hex)" ;;
      *) [ -e "$seed" ] && cp -L "$seed" "$corpus/" ;;
    esac
  done
  # A megabyte of a parser's input must not become gigabytes of memory.
  if (cd "$bin" && "$work/$target" -max_total_time="$seconds" -max_len=65536 \
      -rss_limit_mb=2048 -malloc_limit_mb=1024 -timeout=20 \
      -print_final_stats=1 -artifact_prefix="$findings/$target-" "$corpus") \
      > "$work/$target.log" 2>&1; then
    echo "$target: nothing found in $(sed -n \
      's/^stat::number_of_executed_units: *//p' "$work/$target.log") inputs"
  else
    found=1
    echo "$target: FOUND SOMETHING"
    tail -n 40 "$work/$target.log"
  fi
done
rmdir --ignore-fail-on-non-empty "$findings"
exit $found
