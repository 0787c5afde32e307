#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The word counter, used as by a user: real text through a named pipe, questions
# from a second process, control by the trolley command, and the errors for
# wrong command lines. usage: wordcount_test.sh WORDCOUNT WORDCOUNT_QUERY
# TROLLEY

set -uo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
wordcount=$1 query=$2 trolley=$3
ctl() { "$trolley" --address="unix:$sockets/control" "$@"; }
count_with_uniq() {
  LC_ALL=C tr -cs 'A-Za-z' '\n' <"$1" | LC_ALL=C tr 'A-Z' 'a-z' |
    LC_ALL=C sort | uniq -c | awk 'NF == 2 {print $2, $1}' | LC_ALL=C sort
}
start() {  # ARGUMENTS...: starts the service and waits until it serves
  "$wordcount" --socket="$sockets/words" --control="$sockets/control" "$@" \
    >"$work/report" 2>"$work/service.err" &
  running=$!
  await sockets_are_there words control
}

# --- The main job -----------------------------------------------------------
{
  cat /usr/share/common-licenses/*
  printf "It's Don'T 42 a-b\n\n--\nx"
} >"$work/text"
mkfifo "$work/pipe"
cat "$work/text" >"$work/pipe" &
check "starts" start --input="$work/pipe"
"$query" --socket="$sockets/words" --top=0 --timeout=5m |
  awk '{print $2, $1}' | LC_ALL=C sort >"$work/ours"
count_with_uniq "$work/text" >"$work/theirs"
check "has words to compare" test -s "$work/theirs"
run diff "$work/ours" "$work/theirs"
check "counts equal those of tr, sort and uniq" test "$code" = 0

run ctl ps -o json
check "ps -o json lists the actors" grep -q '"wordcount/counter-3"' "$work/out"
run ctl ask wordcount/top wordcount.TopQuery '{"k": 1}'
check "ask answers with the most frequent word" grep -q '"the"' "$work/out"
run ctl send wordcount/counter-0 wordcount.Reset '{}'
check "send is accepted" test "$code" = 0

# --- Mistakes, on a running service ----------------------------------------
run ctl ask nobody wordcount.TopQuery '{"k": 1}'
check "ask of an unknown actor names it" fails_saying 1 'nobody'
run ctl ask wordcount/top wordcount.Reset '{}'
check "a message it does not take: says what it takes" \
  fails_saying 1 'wordcount.TopQuery'
run ctl ask wordcount/top wordcount.TopQuery '{"k": 0}'
check "a bad question: the actor's own words" fails_saying 1 'top 1 at least'
run ctl ask wordcount/top wordcount.TopQuery '{"kk": 1}'
check "a misspelt field: named" fails_saying 2 'kk'
run "$wordcount" --input=/dev/null --socket="$sockets/words"
check "a socket in use by a live server: refused" fails_saying 1 'words'
run ctl ask wordcount/top wordcount.ProgressQuery '{}'
check "and that server goes on" test "$code" = 0
check "ends well on SIGTERM" stop
check "and its books balance" grep -q ' queued=0$' "$work/report"
check "and its sockets are gone" test ! -e "$sockets/words"

# --- Mistakes, before anything runs ----------------------------------------
run "$wordcount" --input="$work/missing"
check "a missing file: named" fails_saying 1 "$work/missing"
run "$wordcount" --input="$work"
check "a directory: said to be one" fails_saying 1 'is a directory'
long=$sockets/$(printf 'x%.0s' {1..108})
run "$wordcount" --input=/dev/null --socket="$long"
check "a path of more than 107 bytes: the limit is named" fails_saying 1 '107'
echo keep >"$work/plain"
cp "$work/plain" "$sockets/plain"
run "$wordcount" --input=/dev/null --socket="$sockets/plain"
check "a file in the way: refused" fails_saying 1 'plain'
check "and untouched" cmp -s "$work/plain" "$sockets/plain"
run "$wordcount" words.txt
check "an argument that is no flag: the way out" fails_saying 2 '--input='
run "$wordcount" --input=/dev/null --poller=kqueue
check "an unknown poller: the known ones" fails_saying 1 'epoll'
run "$query" --socket="$sockets/words" --timeout=1s
check "nobody there: the query says so" fails_saying 1 "$sockets/words"
run ctl ps
check "nobody there: trolley says so, with code 3" fails_saying 3 'control'

# --- A server that was killed leaves its sockets; the next one takes them ----
check "starts again" start --input=/dev/null
end KILL 2>/dev/null
check "a stale socket stays" test -S "$sockets/words"
rm -f "$sockets/control"  # so that start() waits for a new one
check "and is taken over" start --input=/dev/null
run ctl ask wordcount/top wordcount.ProgressQuery '{}'
check "and serves" test "$code" = 0
check "ends well" stop

# --- A line that is too long ends the reading with an error -----------------
head -c 2000000 /dev/zero | tr '\0' 'a' >"$work/line"
run "$wordcount" --input="$work/line" --exit_at_end
check "a line of 2 MB: which, and the limit" fails_saying 1 'line 1'

finish
