#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The client is told when the cable is cut, and when it is mended.
# usage: two_machines_test.sh RUN TWO_MACHINES

printed=$("$1" "$2")
code=$?
if ((code == 77)); then
  printf 'skipped: %s\n' "$printed"
  exit 0
fi
expected='server: listens at 10.9.0.2:7000
client: up: server, by the certificate of server.example
the cable is cut
client: down: system, *timed out*
the cable is mended
client: up: server, by the certificate of server.example'
# shellcheck disable=SC2053  # it is a pattern
if ((code != 0)) || [[ $printed != $expected ]]; then
  printf 'code %d\nexpected: %s\nprinted:  %s\n' "$code" "$expected" \
    "$printed" >&2
  exit 1
fi
