#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# How each example ends when its input does not come or its output cannot be
# written: it reacts to signals, prints what is wrong, exits with the code that
# belongs to its report, and leaves no socket behind.
# usage: ends_test.sh WORDCOUNT WORDCOUNT_QUERY TROLLEY ECHO_SERVER ECHO_CLIENT
#        CUSTOM_POLLER SUPERVISED PUBSUB WORKER_POOL

set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
wordcount=$1 query=$2 trolley=$3 server=$4 client=$5 custom=$6
supervised=$7 pubsub=$8 worker_pool=$9
no_socket_is_left() { [[ -z $(ls -A "$sockets") ]]; }
# 0 after "clean", 1 after "not clean".
code_is_what_the_report_says() {
  case $(grep -o '^\(not \)\?clean' "$work/out") in
    clean) code_is 0 ;;
    'not clean') code_is 1 ;;
    *) false ;;
  esac
}
words=("$wordcount" --socket="$sockets/words" --control="$sockets/control")
mkfifo "$work/fifo" "$work/gone"
printf 'one two\ntwo three\n' >"$work/text"

# --- wordcount: input that does not come --------------------------------------
for signal in TERM INT HUP; do
  "${words[@]}" --input="$work/fifo" >"$work/out" 2>"$work/err" &
  running=$!
  check "a FIFO without a writer: it serves" await sockets_are_there words control
  end "$signal"
  check "a FIFO without a writer: it hears SIG$signal" code_is 0
  check "and its report is clean" code_is_what_the_report_says
  check "and no socket is left" no_socket_is_left
done

# The program waits for an end of the input that does not come.
has_a_client() {
  [[ $("$trolley" --address="unix:$sockets/control" ps 2>&1) == *listener/1* ]]
}
for grace in 10s 0s; do
  "${words[@]}" --input="$work/fifo" --grace="$grace" >"$work/out" \
    2>"$work/err" &
  running=$!
  await sockets_are_there words control
  "$query" --socket="$sockets/words" --timeout=5m >"$work/answer" 2>&1 &
  asking=$!
  check "a question that waits has a connection" await has_a_client
  end TERM
  check "an ask that waits for the input: the code is that of the report" \
    code_is_what_the_report_says
  if [[ $grace == 0s ]]; then
    check "no time to end: not clean" grep -q '^not clean' "$work/out"
    check "no time to end: the code" code_is 1
  else
    check "and the ending is clean" code_is 0
  fi
  check "and no socket is left" no_socket_is_left
  wait "$asking"
  code=$?
  check "and who asked is told" grep -q '^wordcount_query: ' "$work/answer"
  check "and fails" code_is 1
done

# --- wordcount: standard input ------------------------------------------------
{ read -r _; "$wordcount" --exit_at_end; } <"$work/text" >"$work/out" \
  2>"$work/err"
code=$?
check "a file goes on from where it stands" grep -q 'counted 2 words' "$work/out"
"$wordcount" --exit_at_end <&- >"$work/out" 2>"$work/err"
code=$?
check "no standard input" code_is 1
check "no standard input: is said" says 'standard input is closed'
"$wordcount" --exit_at_end <"$work" >"$work/out" 2>"$work/err"
code=$?
check "a folder: is said" says 'is a directory'

# --- supervised, pubsub, worker_pool ------------------------------------------
printf '1\n20\n' >"$work/numbers"
catches() {  # NUMBER: whether the program has a handler of this signal
  local mask
  mask=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$running/status")
  ((0x$mask >> ($1 - 1) & 1))
}
for signal in TERM INT; do
  exec 8<>"$work/fifo"
  "$supervised" <&8 >"$work/out" 2>"$work/err" 8>&- &
  running=$!
  check "supervised: it is ready for SIG$signal" \
    await catches "$(kill -l "$signal")"
  end "$signal"
  exec 8>&-
  check "supervised: it hears SIG$signal while its input does not come" code_is 0
  check "and it says so" says 'ended: clean'
done
"$supervised" <&- >"$work/out" 2>"$work/err"
code=$?
check "supervised, no standard input" code_is 1
check "supervised, no standard input: is said" says 'standard input is closed'
"$supervised" <"$work" >"$work/out" 2>"$work/err"
code=$?
check "supervised, a folder: is said" says 'is a directory'

# A short program has no handler: the signal ends it, if it has not ended.
for program in "$pubsub" "$worker_pool"; do
  "$program" >"$work/out" 2>"$work/err" &
  running=$!
  has_begun() {  # and is not this shell any more
    [[ $(<"/proc/$running/comm") == "$(basename "$program")" ]]
  }
  await has_begun
  end TERM 2>/dev/null
  ended_by_the_signal_or_clean() {
    code_is 143 || { code_is 0 && grep -q '^clean' "$work/out"; }
  }
  check "$(basename "$program"): it hears SIGTERM" ended_by_the_signal_or_clean
done

# A pipe whose reader has gone.
exec 8<>"$work/gone"
exec 9>"$work/gone"
exec 8>&-
for program in "$supervised" "$pubsub" "$worker_pool"; do
  name=$(basename "$program")
  "$program" <"$work/numbers" >/dev/full 2>"$work/err" 9>&-
  code=$?
  check "$name, a full disk" code_is 1
  check "$name, a full disk: is said" says "$name: cannot write"
  "$program" <"$work/numbers" >&- 2>"$work/err" 9>&-
  code=$?
  check "$name, no standard output" code_is 1
  check "$name, no standard output: is said" says "$name: cannot write"
  "$program" <"$work/numbers" >&9 2>"$work/err" 9>&-
  code=$?
  check "$name, a reader that has gone" code_is 1
  check "$name, a reader that has gone: is said" says "$name: cannot write"
done
exec 9>&-

# --- Output that goes nowhere -------------------------------------------------
"${words[@]}" --input="$work/text" --exit_at_end >/dev/full 2>"$work/err"
code=$?
check "wordcount, a full disk" code_is 1
check "wordcount, a full disk: is said" says 'cannot write'
check "and no socket is left" no_socket_is_left
"${words[@]}" --input="$work/text" --exit_at_end >&- 2>"$work/err"
code=$?
check "wordcount, no standard output" code_is 1
check "wordcount, no standard output: is said" says 'cannot write'
check "and no socket is left" no_socket_is_left

exec 8<>"$work/gone"
"${words[@]}" --input="$work/fifo" >"$work/gone" 8>&- 2>"$work/err" &
running=$!
await sockets_are_there words control
exec 8>&-  # the only reader
cat "$work/text" >"$work/fifo"
"$query" --socket="$sockets/words" --top=1 >"$work/out"
check "a reader that has gone: it goes on" grep -q '2 two' "$work/out"
end TERM
check "a reader that has gone: the code" code_is 1
check "a reader that has gone: is said" says 'cannot write'
check "and no socket is left" no_socket_is_left

"${words[@]}" --input="$work/text" >"$work/report" 2>"$work/service.err" &
running=$!
await sockets_are_there words control
"$trolley" --address="unix:$sockets/control" ps >/dev/full 2>"$work/err"
code=$?
check "trolley, a full disk" code_is 1
check "trolley, a full disk: is said" says 'cannot write'
for output in /dev/full closed; do
  # A redirection by the text of a variable, or none.
  to() {
    if [[ $output == closed ]]; then
      "$@" >&- 2>"$work/err"
    else
      "$@" >"$output" 2>"$work/err"
    fi
    code=$?
  }
  to "$query" --socket="$sockets/words"
  check "wordcount_query, $output" code_is 1
  check "wordcount_query, $output: is said" says 'cannot write'
  to "$custom"
  check "custom_poller, $output" code_is 1
done
end TERM
check "wordcount ends well" code_is 0

# --- echo_server and echo_client ----------------------------------------------
for model in process thread loop; do
  for signal in TERM INT HUP; do
    exec 8<>"$work/gone"
    "$server" --model="$model" --socket="$sockets/echo" 2>"$work/gone" 8>&- &
    running=$!
    check "echo_server, $model: it serves" await sockets_are_there echo
    exec 8>&-  # its output is no longer read
    for output in /dev/full closed; do
      to "$client" --socket="$sockets/echo" --rounds=1
      check "echo_client, $output" code_is 1
      check "echo_client, $output: is said" says 'cannot write'
    done
    "$client" --socket="$sockets/echo" --rounds=1 <&- >"$work/out" 2>"$work/err"
    code=$?
    check "echo_client, no standard input" code_is 0
    end "$signal"
    check "echo_server, $model: it hears SIG$signal" code_is 0
    check "and no socket is left" no_socket_is_left
  done
done

finish
