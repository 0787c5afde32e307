#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An idle bus makes no system call, seen from outside. Two idle loops over each
# poller that sleeps are traced while this script reads a few thousand lines
# about them in /proc; with --full, for ten seconds.
#
# usage: idle_strace_test.sh PROGRAM [--full]

set -uo pipefail
program=$1
full=${2-}
pollers=(epoll io_uring poll sigio select)
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

passed=0 failed=0 skipped=0
skip() {
  echo "skipped: P4_IdleLoopsMakeNoSystemCall/$1: $2"
  ((++skipped))
}
tally() {
  echo "$passed passed, $failed failed, $skipped skipped"
  exit $((failed > 0))
}
skip_all() {
  for poller in "${pollers[@]}"; do skip "$poller" "$1"; done
  tally
}
command -v strace >"$folder/where" || skip_all "there is no strace"
strace -f -o "$folder/probe" true 2>"$folder/why" ||
  skip_all "strace may not trace here: $(head -1 "$folder/why")"

# All at once, each with a pipe that keeps it alive.
running=()
declare -A tracer hold
for poller in "${pollers[@]}"; do
  mkfifo "$folder/$poller.in" "$folder/$poller.out"
  strace -f -tt -o "$folder/$poller.calls" "$program" "$poller" \
    <"$folder/$poller.in" >"$folder/$poller.out" &
  tracer[$poller]=$!
  exec {into}>"$folder/$poller.in"
  read -r line <"$folder/$poller.out"
  if [[ $line == idle ]]; then
    hold[$poller]=$into
    running+=("$poller")
  else
    exec {into}>&-
    wait "${tracer[$poller]}"
    if (($? == 3)); then
      skip "$poller" "$line"
    else
      ((++failed))
      echo "FAILED: P4_IdleLoopsMakeNoSystemCall/$poller: it said '$line'"
    fi
  fi
done

# Calls on the way into sleep may still be written down: wait until the traces
# stand still, then watch them for a while; reading them is the clock.
sizes() { stat -c '%n %s' "$folder"/*.calls; }
before=
for ((calm = 0; calm < 200; )); do
  now=$(sizes)
  if [[ $now == "$before" ]]; then ((++calm)); else calm=0; fi
  before=$now
done
size_of() { awk -v name="$folder/$2.calls" '$1 == name {print $2}' <<<"$1"; }
# How often the threads of the program under strace were put on a processor.
switches() {
  local traced
  traced=$(pgrep -P "${tracer[$1]}")
  cat /proc/"$traced"/task/*/status |
    awk '/ctxt_switches/ {n += $2} END {print n}'
}
declare -A switched
for poller in "${running[@]}"; do switched[$poller]=$(switches "$poller"); done
if [[ $full == --full ]]; then
  mkfifo "$folder/silence"
  exec {silence}<>"$folder/silence"
  read -r -t 10 -u "$silence" line
else
  for ((i = 0; i < 600; ++i)); do sizes >"$folder/now"; done
fi
now=$(sizes)
for poller in "${running[@]}"; do
  wakes=$(($(switches "$poller") - switched[$poller]))
  was=$(size_of "$before" "$poller")
  is=$(size_of "$now" "$poller")
  if [[ $was == "$is" && $wakes == 0 ]]; then
    ((++passed))
  else
    ((++failed))
    tail -20 "$folder/$poller.calls"
    echo "FAILED: P4_IdleLoopsMakeNoSystemCall/$poller: $wakes wake-ups, the" \
      "trace grew from $was to $is bytes"
  fi
  if [[ $full == --full ]]; then
    echo "$poller: two loops, 10 s: $wakes wake-ups"
  fi
done
# Each holds the pipes of those before it: all are let go, then waited for.
for poller in "${running[@]}"; do
  into=${hold[$poller]}
  exec {into}>&-
done
wait
tally
