#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The server, and a client that has a Ref to it.
# usage: grpc_service_test.sh GRPC_SERVICE

set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
mkfifo "$folder"/{input,output}
"$1" serve 127.0.0.1:0 <"$folder/input" >"$folder/output" &
server=$!
exec 5>"$folder/input" 3<"$folder/output"
read -r line <&3
port=${line##* }

printed=$({
  "$1" deposit "127.0.0.1:$port" 25 lunch
  "$1" deposit "127.0.0.1:$port" 75 dinner
  "$1" deposit "127.0.0.1:$port" -1 theft || echo "code $?"
  "$1" deposit || echo "code $?"
} 2>&1)
expected='the balance is 25
the balance is 100
cents: a deposit is above 0
code 1
usage: grpc_service serve ADDRESS:PORT
       grpc_service deposit ADDRESS:PORT CENTS NOTE
code 1'
if [[ $printed != "$expected" ]]; then
  printf 'expected: %s\nprinted:  %s\n' "$expected" "$printed" >&2
  exit 1
fi
exec 5>&-  # the end of its input
wait "$server"
