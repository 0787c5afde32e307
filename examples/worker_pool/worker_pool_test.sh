#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the program prints, which does not depend on which worker did what.
# usage: worker_pool_test.sh WORKER_POOL

printed=$("$1" 2>"$TEST_TMPDIR/log") || exit 1
expected='below 200000: 17984 primes
a bad range: INTERNAL
with 2 workers: OK
below 100000: 9592 primes
given to workers: 201 messages
primes/0 on loop 0
primes/1 on loop 1
clean, 0 messages left'
if [[ $printed != "$expected" ]]; then
  printf 'expected: %s\nprinted:  %s\n' "$expected" "$printed" >&2
  exit 1
fi
if ! grep -q 'the range is backwards' "$TEST_TMPDIR/log"; then
  echo 'the log does not say why a worker has failed' >&2
  exit 1
fi
