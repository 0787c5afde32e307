#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

printed=$("$1") || exit 1
expected='25 cents
attempted=2 accepted=2 refused=0 handled=2 failed=0 expired=0 dead_lettered=0 dropped=0 queued=0'
if [[ $printed != "$expected" ]]; then
  printf 'expected: %s\nprinted:  %s\n' "$expected" "$printed" >&2
  exit 1
fi
