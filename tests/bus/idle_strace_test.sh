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

sizes() { stat -c '%n %s' "$folder"/*.calls; }
size_of() { awk -v name="$folder/$2.calls" '$1 == name {print $2}' <<<"$1"; }
# How often the threads of the program under strace were put on a processor.
switches() {
  local traced
  traced=$(pgrep -P "${tracer[$1]}")
  cat /proc/"$traced"/task/*/status |
    awk '/ctxt_switches/ {n += $2} END {print n}'
}
look() {
  local poller
  sizes
  for poller in "${running[@]}"; do echo "$poller $(switches "$poller")"; done
}
# Each thread of the programs sleeps, and each strace.
all_sleep() {
  local poller traced
  for poller in "${running[@]}"; do
    traced=$(pgrep -P "${tracer[$poller]}")
    [[ $(awk '/^State:/ {print $2}' "/proc/${tracer[$poller]}/status" \
      "/proc/$traced/task"/*/status | sort -u) == S ]] || return 1
  done
}
# Calls on the way into sleep may still be written down: wait until all sleep,
# and no thread ran while this script looked at one after the other. Then watch
# them for a while.
before=$(look)
until all_sleep && [[ $(look) == "$before" ]]; do before=$(look); done
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
