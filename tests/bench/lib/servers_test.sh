#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs each server model once, for a moment, with 10 clients. run.py must get
# its three figures of each.
#
# usage: servers_test.sh RUN_PY SERVERS_PY SERVER CLIENT

set -uo pipefail
run=${1:?usage: servers_test.sh RUN_PY SERVERS_PY SERVER CLIENT}
servers="python3 -B $2 $3 $4"
csv=$TEST_TMPDIR/figures.csv
if (($(nproc) < 2)); then
  echo 'skipped: it pins server and client to two CPUs, and here is one'
  echo '0 passed, 0 failed, 1 skipped'
  exit 0
fi

python3 -B "$run" --quick --filter=_c10/ "--csv=$csv" "$servers" || {
  echo 'servers_test: a model failed; the lines above say which' >&2
  exit 1
}
for model in process thread loop_epoll loop_io_uring loop_poll loop_select \
  loop_busy loop_sigio; do
  for figure in '' _p99 _memory; do
    grep -q "^echo_${model}_c10$figure,trolley," "$csv" || {
      echo "servers_test: no row for echo_${model}_c10$figure" >&2
      exit 1
    }
  done
done
