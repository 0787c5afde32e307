#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs Spin over the model of the hand-off. The protocol must be right in every
# state. Each mistake must be rejected, for the expected reason. Fails if Spin
# accepts a mistake or rejects the protocol. Needs spin and gcc.
#
# usage: model_test.sh handoff.pml [--full]
#   --full  also runs the largest model: a minute in all, and 2 GB of memory

set -uo pipefail

model=$(realpath "${1:?usage: model_test.sh handoff.pml [--full]}")
full=${2:-}
for tool in spin gcc; do
  if ! command -v "$tool" >/dev/null; then
    echo "model_test: $tool is not installed (apt-get install $tool)" >&2
    exit 1
  fi
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
# A model that grows must fail, not take the machine with it.
ulimit -v 8000000

passed=0
failed=0

# check NAME EXPECTED PAN_FLAGS DEFINES...: EXPECTED is "right", or a pattern
# for the error that Spin has to report.
check() {
  local name=$1 expected=$2 pan_flags=$3
  shift 3
  rm -f pan* ./*.trail
  local verdict=PASSED states found
  # shellcheck disable=SC2086
  if ! spin -a "$@" "$model" >spin.log 2>&1 ||
    ! gcc -w -O2 -DSAFETY $pan_flags -o pan pan.c >>spin.log 2>&1; then
    cat spin.log
    verdict=FAILED
    : >pan.log
  else
    ./pan -m1000000 >pan.log 2>&1
    if grep -qE 'max search depth too small|out of memory|aborting' pan.log; then
      verdict=FAILED # did not look at every state
    elif [[ $expected == right ]]; then
      grep -q 'errors: 0$' pan.log || verdict=FAILED
    else
      grep -qE "^pan:[0-9]*: .*($expected)" pan.log || verdict=FAILED
    fi
  fi
  states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' pan.log)
  found=$(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' pan.log)
  printf '%s  %s: %s states, %s\n' "$verdict" "$name" "${states:-no}" \
    "${found:-0 errors}"
  if [[ $verdict == PASSED ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    cat pan.log
  fi
}

lost_wake='invalid end state'

check 'the protocol, 2 producers of 1 message' right '' -DMESSAGES=1 \
  -DSPURIOUS=2
check 'the protocol, 2 producers of 2 messages' right '' -DMESSAGES=2
# A store of 64-bit hashes instead of whole states, for memory's sake.
check 'the protocol, 2 producers of 3 messages' right '-DHC4' -DMESSAGES=3 \
  -DSPURIOUS=0
check 'the protocol, 3 producers of 1 message' right '' -DPRODUCERS=3 \
  -DMESSAGES=1 -DSPURIOUS=0
if [[ $full == --full ]]; then
  check 'the protocol, 2 producers of 3 messages, woken for nothing' right \
    '-DHC4' -DMESSAGES=3 -DSPURIOUS=1
fi

check 'mistake: a separate sleeping flag' "$lost_wake" '' -DFLAG -DMESSAGES=1
check 'control: a separate flag and a fence' right '' -DFLAG -DFENCE \
  -DMESSAGES=1
check 'mistake: a wake forgotten' "$lost_wake" '' -DNO_WAKE -DMESSAGES=1
check 'mistake: descriptor emptied after arming' "$lost_wake" '' \
  -DDRAIN_ARMED -DMESSAGES=1
check 'mistake: Close() does not wait' 'poller_alive' '' -DCLOSE_AT_ONCE \
  -DMESSAGES=1
check 'mistake: promises not counted' "$lost_wake" '' -DUNCOUNTED -DMESSAGES=1
check 'mistake: WakeDone() tells nobody' "$lost_wake" '' -DNO_NOTIFY \
  -DMESSAGES=1
check 'mistake: Push() does not release' 'accepted|expected' '' -DRELAXED \
  -DMESSAGES=1

echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
