#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs a benchmark, or a part of it, once at a hundredth of its size. It must
# run and count right; its speed is not checked. The benchmark itself fails if a
# message is lost or changed.
#
# usage: smoke_test.sh BENCH FILTER WORKLOAD/WHO...
# Each WORKLOAD/WHO must be in the output; WHO may be `raw.`, for any.

set -uo pipefail
bench=${1:?usage: smoke_test.sh BENCH FILTER WORKLOAD/WHO...}
filter=${2:?usage: smoke_test.sh BENCH FILTER WORKLOAD/WHO...}
shift 2
csv=$TEST_TMPDIR/figures.csv
if (($(nproc) < 2)); then
  echo 'skipped: it pins two threads to two CPUs, and here is one'
  echo '0 passed, 0 failed, 1 skipped'
  exit 0
fi

fail() {
  echo "smoke_test: $*" >&2
  exit 1
}
"$bench" --quick "--filter=$filter" "--csv=$csv" ||
  fail 'the benchmark failed'
header=workload,who,unit,better,median,min,max
[[ $(head -n 1 "$csv") == "$header" ]] || fail 'the CSV has another header'
described=$("$bench" --describe) || fail 'it does not describe itself'
for row in "$@"; do
  workload=${row%%/*}
  grep -qF "$workload,${row#*/}" "$csv" || fail "no row for $row"
  # Each must be described, for run.py, which runs it beside others.
  grep -q "^${workload%_p99}"$'\t' <<<"$described" ||
    fail "$workload is not described"
done
exit 0
