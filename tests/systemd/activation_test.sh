#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A service that systemd-socket-activate starts when the first client connects.
# usage: activation_test.sh ACTIVATED

set -uo pipefail
program=$PWD/$1

fail() {
  echo "FAILED: $1" >&2
  exit 1
}

if ! command -v systemd-socket-activate >/dev/null; then
  echo "skipped: this machine has no systemd-socket-activate (package systemd)"
  exit 0
fi

folder=$(mktemp -d) || exit 1
trap 'kill "${activator:-}" 2>/dev/null; rm -rf "$folder"' EXIT
mkfifo "$folder/input" "$folder/log"

# The service ends when its input ends: when descriptor 5 is closed.
systemd-socket-activate --listen="$folder/links" --fdname=links \
  "$program" unix <"$folder/input" 2>"$folder/log" &
activator=$!
exec 5>"$folder/input" 4<"$folder/log"
while read -r line <&4; do
  [[ $line == Listening* ]] && break
done
[[ ${line:-} == Listening* ]] || fail "it does not listen"

answer=$("$program" ask "$folder/links") || fail "the client got no answer"
[[ $answer == "answer 42" ]] || fail "the client got: $answer"
[[ -S $folder/links ]] || fail "the path of the manager is gone"
exec 5>&-
wait "$activator" || fail "the service ended with $?: $(cat <&4)"
echo "1 passed"
