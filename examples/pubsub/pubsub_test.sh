#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the program prints, which does not depend on how many values the slow
# reader has missed.
# usage: pubsub_test.sh PUBSUB

printed=$("$1") || exit 1
expected='fast: got 1000, missed 0
slow: got some: yes, with the missed ones 1000
clean'
if [[ $printed != "$expected" ]]; then
  printf 'expected: %s\nprinted:  %s\n' "$expected" "$printed" >&2
  exit 1
fi
