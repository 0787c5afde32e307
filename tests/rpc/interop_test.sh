#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Clients that are not C++ call examples/grpc_service: python3-grpcio,
# @grpc/grpc-js and, over reflection, `buf curl`. One that is not installed is
# skipped. To run all of them:
#
#   npm install @grpc/grpc-js @grpc/proto-loader @bufbuild/buf
#   bazel test --test_env=NODE_PATH=$PWD/node_modules \
#     --test_env=PATH=$PWD/node_modules/.bin:$PATH //tests/rpc:interop_test
#
# usage: interop_test.sh GRPC_SERVICE BANK_PROTO INTEROP_PY INTEROP_JS

set -uo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$folder"' EXIT
export HOME=$folder  # buf keeps a cache there
mkfifo "$folder"/{input,output}
exec 5<>"$folder/input"  # does not end before this script does
"$1" serve 127.0.0.1:0 <&5 >"$folder/output" 5>&- &
exec 3<"$folder/output"
read -r line <&3
address=127.0.0.1:${line##* }
failed=0

try() {  # NAME COMMAND...: 77 is a skip, with the reason as its output
  local name=$1 code=0
  shift
  "$@" >"$folder/said" 2>&1 || code=$?
  case $code in
    0) echo "passed: $(tail -n 1 "$folder/said")" ;;
    77) echo "skipped: $name: $(head -n 1 "$folder/said")" ;;
    *)
      echo "FAILED: $name (exit code $code)" >&2
      head -n 40 "$folder/said" >&2
      failed=1
      ;;
  esac
}

node_client() {
  if ! command -v node; then
    echo "there is no node"
    return 77
  fi
  node "$@"
}

buf_curl() {  # METHOD JSON
  buf curl --protocol grpc --http2-prior-knowledge -d "$2" \
    "http://$address/bank.v1.Bank/$1"
}
buf_client() {
  if ! command -v buf >"$folder/where"; then
    echo "there is no buf"
    return 77
  fi
  local before after entries refused
  before=$(buf_curl GetBalance '{}' | tr -dc 0-9)
  after=$(buf_curl Deposit '{"cents": 7, "note": "buf"}' | tr -dc 0-9)
  [[ $((${before:-0} + 7)) == "$after" ]] || return 1
  entries=$(buf_curl ListEntries '{}') || return 2
  [[ $(grep -c '"note": *"buf"' <<<"$entries") == 1 ]] || return 3
  refused=$(buf_curl Deposit '{"cents": 0}' 2>&1) && return 4
  [[ $refused == *'a deposit is above 0'* ]] || return 5
  refused=$(buf_curl NoSuch '{}' 2>&1) && return 6
  echo "buf $(buf --version)"
}

try python3-grpcio /usr/bin/python3 "$3" "$address"
try @grpc/grpc-js node_client "$4" "$address" "$2"
try "buf curl" buf_client
exit "$failed"
