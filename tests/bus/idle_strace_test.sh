#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An idle bus makes no system call, seen from outside: two idle loops are traced
# while this script counts to a few thousand lines of their time in /proc.
#
# usage: idle_strace_test.sh PROGRAM

set -uo pipefail
program=$1
name=IdleLoopsMakeNoSystemCall
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

skip() {
  echo "skipped: $name: $1"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
}
command -v strace >"$folder/where" || skip "there is no strace"
strace -f -o "$folder/probe" true 2>"$folder/why" ||
  skip "strace may not trace here: $(head -1 "$folder/why")"

mkfifo "$folder/in"
coproc bus { exec strace -f -tt -o "$folder/calls" "$program" <"$folder/in"; }
traced=$bus_PID  # the shell forgets it when the process has ended
exec 3>"$folder/in"
if ! read -r line <&"${bus[0]}" || [[ $line != idle ]]; then
  echo "FAILED: $name: the program said '${line-}'"
  echo "0 passed, 1 failed"
  exit 1
fi
# Calls on the way into sleep may still be written down: wait until the trace
# stands still, then watch it for a while; reading it is the clock.
size() { stat -c %s "$folder/calls"; }
before=-1
for ((calm = 0; calm < 200; )); do
  now=$(size)
  if [[ $now == "$before" ]]; then ((++calm)); else calm=0; fi
  before=$now
done
for ((i = 0; i < 600; ++i)); do now=$(size); done
exec 3>&-
wait "$traced"
if [[ $now != "$before" ]]; then
  tail -20 "$folder/calls"
  echo "FAILED: $name: the trace grew from $before to $now bytes"
  echo "0 passed, 1 failed"
  exit 1
fi
echo "1 passed, 0 failed"
