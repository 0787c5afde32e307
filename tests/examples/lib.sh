# SPDX-License-Identifier: Apache-2.0
#
# What the tests of the examples have in common. A test reads it first.
#
#   $work     a folder for files
#   $sockets  a folder for sockets. A Unix socket's path is short; that of
#             $work may not be.
#   $running  the process id of the program under test, or nothing
#   $code     the exit code of the program that ended last

work=$(mktemp -d "${TEST_TMPDIR:-/tmp}/examples.XXXXXX") || exit 1
sockets=$(mktemp -d /tmp/examples.XXXXXX) || exit 1
chmod 700 "$sockets"
running=
cleanup() {
  [[ -n $running ]] && kill -9 "$running" 2>/dev/null
  rm -rf "$work" "$sockets"
}
trap cleanup EXIT

passed=0 failed=0 skipped=0
check() {  # NAME COMMAND...: counts whether the command succeeds
  local name=$1 file
  shift
  if "$@"; then
    ((++passed))
    return
  fi
  ((++failed))
  echo "FAILED: $name (exit code ${code:-?})" >&2
  # What the programs said, as far as a test keeps it.
  for file in err out held server.err service.err; do
    [[ -s $work/$file ]] && head -20 "$work/$file" | sed "s/^/  $file: /" >&2
  done
}
skip() {  # NAME
  ((++skipped))
  echo "skipped: $1"
}
finish() {  # ends the test
  local tally="$passed passed, $failed failed"
  ((skipped)) && tally+=", $skipped skipped"
  echo "$tally"
  exit $((failed > 0))
}

run() {  # COMMAND...
  "$@" >"$work/out" 2>"$work/err" </dev/null
  code=$?
}
code_is() { [[ $code == "$1" ]]; }
says() { grep -qF -- "$1" "$work/err"; }
fails_saying() { code_is "$1" && says "$2"; }  # CODE TEXT

# Asks again and again until the command succeeds: the examples do not say when
# they have done something. Fails if the program that must do it has ended.
await() {  # COMMAND...
  until "$@"; do kill -0 "$running" 2>/dev/null || return 1; done
}
sockets_are_there() {  # NAME...
  local name
  for name; do [[ -S $sockets/$name ]] || return 1; done
}
end() {  # [SIGNAL]: ends the program
  kill -"${1:-TERM}" "$running"
  wait "$running"
  code=$?
  running=
}
stop() {  # [SIGNAL]: the same; the result is the exit code
  end "$@"
  return "$code"
}
