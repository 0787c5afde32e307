#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every workload of the benchmark once, at a hundredth of its size. The program
# itself fails when a message is lost or changed.

set -uo pipefail
bench=${1:?usage: handoff_bench_test.sh HANDOFF_BENCH}
csv=$TEST_TMPDIR/figures.csv
if (($(nproc) < 2)); then
  echo 'skipped: it pins two threads to two CPUs, and here is one'
  echo '0 passed, 0 failed, 1 skipped'
  exit 0
fi

fail() {
  echo "handoff_bench_test: $*" >&2
  exit 1
}
"$bench" --quick "--csv=$csv" || fail 'the benchmark failed'
header=workload,who,unit,better,median,min,max,distance,runs
[[ $(head -n 1 "$csv") == "$header" ]] || fail 'the CSV has another header'
for workload in same_loop_pingpong cross_oneway cross_oneway_batch1 \
  cross_pingpong_spin cross_pingpong_block fanin4; do
  for who in linked raw.; do
    # Nothing bare hands over one message at a time but in ping-pong.
    [[ $workload$who == cross_oneway_batch1raw. ]] && continue
    grep -q "^$workload,$who" "$csv" || fail "no row for $workload, $who"
  done
done
"$bench" --window=100 2>/dev/null && fail 'a window that is no power of two'
exit 0
