#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: custom_poller_test.sh CUSTOM_POLLER

printed=$("$1") || exit 1
expected='loop 0: 4950 cents
loop 1: 4950 cents
loop 0 waits with plain
loop 1 waits with poll
attempted=202 accepted=202 refused=0 handled=202 failed=0 expired=0 dead_lettered=0 dropped=0 queued=0'
if [[ $printed != "$expected" ]]; then
  printf 'expected: %s\nprinted:  %s\n' "$expected" "$printed" >&2
  exit 1
fi
