#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every workload once, at a hundredth of its size. The program itself fails when
# a message is lost or changed, or when the ledger does not balance.

set -uo pipefail
bench=${1:?usage: bus_bench_test.sh BUS_BENCH}
csv=$TEST_TMPDIR/figures.csv
if (($(nproc) < 2)); then
  echo 'skipped: it pins two threads to two CPUs, and here is one'
  echo '0 passed, 0 failed, 1 skipped'
  exit 0
fi

fail() {
  echo "bus_bench_test: $*" >&2
  exit 1
}
"$bench" --quick "--csv=$csv" || fail 'the benchmark failed'
header=workload,who,unit,better,median,min,max
[[ $(head -n 1 "$csv") == "$header" ]] || fail 'the CSV has another header'
for workload in same_loop_pingpong same_loop_stream cross_pingpong_block \
  cross_pingpong_block_p99 cross_pingpong_spin cross_pingpong_spin_p99 \
  cross_oneway fanin4 ring100 ring1000 ask1 ask1_spin ask64 ask64_spin \
  spawn_destroy idle_actor_bytes skynet1e6 timers1e6 flooded_quiet_p99 \
  idle_wakeups scale_actors_1000 scale_loops_8 scale_message_131072; do
  grep -q "^$workload,trolley," "$csv" || fail "no row for $workload, trolley"
  # Nothing bare idles, or has loops.
  [[ $workload == idle_wakeups || $workload == scale_loops* ]] && continue
  grep -q "^$workload,raw\." "$csv" || fail "no row for $workload, raw"
done
"$bench" --list --filter=ring100 | grep -q '^ring100/trolley$' || fail '--list'
"$bench" --filter=no_such_workload 2>/dev/null && fail 'an empty filter'
"$bench" --no-such-option 2>/dev/null && fail 'an unknown option'
exit 0
