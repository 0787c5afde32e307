#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# One echo service in every model and over every poller, used as by a user:
# right answers, a clean end, and the errors for wrong command lines. usage:
# echo_models_test.sh ECHO_SERVER ECHO_CLIENT

set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
server=$1 client=$2
socket=$sockets/echo
start() {  # ARGUMENTS...: starts the server and waits until it listens
  "$server" --socket="$socket" "$@" >"$work/server.out" 2>"$work/server.err" &
  running=$!
  await sockets_are_there echo
}
# Column $1 of the one line of data.
column() {
  awk -F, -v name="$1" 'NR == 1 {for (i = 1; i <= NF; ++i) if ($i == name) at = i}
    NR == 2 {print $at}' "$work/out"
}
children() {  # how many there are of process $1
  cat /proc/[0-9]*/stat 2>/dev/null | sed 's/.*) //' |
    awk -v parent="$1" '$2 == parent {++n} END {print n + 0}'
}

# --- Each model -------------------------------------------------------------
serves() {  # ARGUMENTS...: everything that holds of every model
  local what=$*
  start "$@"
  check "$what: starts" test -S "$socket"
  run "$client" --socket="$socket" --clients=8 --rounds=40 --bytes=1000 \
    --output=csv --label="$what"
  check "$what: answers" test "$code" = 0
  check "$what: each message of each client" test "$(column messages)" = 320
  check "$what: says what a client costs" \
    test "$(column server_bytes_per_client)" -ge 1000
  run "$client" --socket="$socket" --clients=2 --rounds=3 --bytes=65536 \
    --output=csv
  check "$what: answers more than a buffer holds" test "$(column messages)" = 6
}
ends() {
  check "$1: ends well on SIGTERM, with clients connected" stop
  check "$1: its socket is gone" test ! -e "$socket"
}

serves --model=process
# One that stays connected, to be counted.
"$client" --socket="$socket" --rounds=1000000000 >"$work/held" 2>&1 &
held=$!
has_a_child() { (($(children "$running") > 0)); }
check "process: a process for each connection" await has_a_child
parent=$running
ends --model=process
check "process: no child is left" test "$(children "$parent")" = 0
wait "$held"
check "process: its client learns of the end" \
  grep -q 'echo_client: ' "$work/held"

serves --model=thread
"$client" --socket="$socket" --rounds=1000000000 >"$work/held" 2>&1 &
held=$!
threads() { find "/proc/$running/task" -mindepth 1 -maxdepth 1 | wc -l; }
has_threads() { (($(threads) > 1)); }
check "thread: a thread for each connection" await has_threads
ends --model=thread
wait "$held"
check "thread: its client learns of the end" \
  grep -q 'echo_client: ' "$work/held"

for poller in epoll io_uring poll sigio select busy; do
  if ! start --model=loop --poller="$poller"; then
    wait "$running"
    running=
    skip "loop over $poller: $(cat "$work/server.err")"
    check "a refused poller: named" grep -q "$poller" "$work/server.err"
    continue
  fi
  stop
  serves --model=loop --poller="$poller"
  ends "loop over $poller"
done
serves --model=loop --loops=2
ends "loops=2"
start --model=loop
"$client" --socket="$socket" --clients=3 --rounds=1000000000 >"$work/held" 2>&1 &
held=$!
# Its third connection is the probe of another client, which says that it runs.
run "$client" --socket="$socket" --rounds=1 --output=json
check "json, beside others" grep -q '"messages":1,' "$work/out"
ends "loop with clients"
wait "$held"
check "loop: its clients learn of the end" grep -q 'echo_client: ' "$work/held"

# --- Mistakes ---------------------------------------------------------------
run "$server" --socket="$socket" --model=fibre
check "an unknown model: the known ones" fails_saying 2 'process, thread, loop'
run "$server" --socket="$socket" --model=thread --poller=poll
check "a poller without a loop" fails_saying 2 '--model=loop'
run "$server" --socket="$socket" --poller=kqueue
check "an unknown poller: the known ones" fails_saying 1 'io_uring'
check "and no socket is left" test ! -e "$socket"
run "$server" --socket="$socket" --loops=0
check "no loops" fails_saying 2 '--loops'
run "$server"
check "no socket: the way out" fails_saying 2 '--socket='
run "$server" here
check "an argument that is no flag" fails_saying 2 '--socket=here'
run "$server" --socket="$sockets/none/echo"
check "a folder that is not there: named" fails_saying 1 "$sockets/none"
run "$client" --socket="$socket"
check "nobody there: named" fails_saying 1 "$socket"
run "$client" --socket="$socket" --clients=0
check "no clients" fails_saying 2 '--clients'
run "$client" --socket="$socket" --bytes=65537
check "a message that is too long: the limit" fails_saying 2 '65536'
run "$client" --socket="$socket" --output=xml
check "an unknown form: the known ones" fails_saying 2 'table, csv, json'
run "$client" --socket="$socket" --duration=0s
check "no time" fails_saying 2 '--duration'

finish
