#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0

printed=$("$1") || exit 1
expected='hello, 250ms later'
if [[ $printed != "$expected" ]]; then
  printf 'expected: %s\nprinted:  %s\n' "$expected" "$printed" >&2
  exit 1
fi
