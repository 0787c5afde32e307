#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# usage: child_test.sh CHILD COUNT_PY SHOUT_SH

printed=$(printf '%s\n' 'the quick fox' crash '' 'once more' | "$@") || exit 1
expected="3 words, 11 letters: THE QUICK FOX
no answer: app/counter has ended: its handler of trolley::ChildEnd threw: \
exited with code 1; it had begun to handle this
0 words, 0 letters: 
2 words, 8 letters: ONCE MORE"
if [[ $printed != "$expected" ]]; then
  printf 'expected: %s\nprinted:  %s\n' "$expected" "$printed" >&2
  exit 1
fi
