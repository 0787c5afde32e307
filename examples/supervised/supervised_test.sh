#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: supervised_test.sh SUPERVISED

printed=$(printf '%s\n' 1 20 apple 300 4000 pear 50000 | "$1") || exit 1
end="has ended: its handler of supervised::Line threw: no number"
expected="line 3 is left out: app/readers/0 $end: apple
line 6 is left out: app/readers/1 $end: pear
the sum is 54321
app/sum: up, 0 restarts
app/readers: up, 0 restarts
app/readers/0: up, 1 restarts
app/readers/1: up, 1 restarts"
if [[ $printed != "$expected" ]]; then
  printf 'expected: %s\nprinted:  %s\n' "$expected" "$printed" >&2
  exit 1
fi

# Too many for the readers: they end, and app starts them anew.
printed=$(printf '%s\n' 1 a 2 b 3 c 4 d | "$1") || exit 1
if [[ $(tail -5 <<<"$printed") != "the sum is 10
app/sum: up, 0 restarts
app/readers: up, 1 restarts
app/readers/0: up, 0 restarts
app/readers/1: up, 0 restarts" ]]; then
  printf 'after an escalation: %s\n' "$printed" >&2
  exit 1
fi
