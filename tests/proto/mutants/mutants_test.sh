#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the hostile test on each mutant. A mutant that passes it has escaped.

set -uo pipefail
# The mutants must not write into this test's own report.
unset XML_OUTPUT_FILE GTEST_OUTPUT
escaped=0
for mutant in "$@"; do
  output=$("./$mutant" 2>&1)
  code=$?
  by=$(grep -o '\[  FAILED  \] [^ ,]*' <<<"$output" | head -n 1)
  if ((code == 0)); then
    echo "ESCAPED ${mutant##*/}: every case passed"
    ((escaped += 1))
  elif [[ -z $by ]] && ((code < 128)); then
    echo "ESCAPED ${mutant##*/}: exit code $code, but no case failed:"
    echo "$output" | tail -n 5
    ((escaped += 1))
  else
    echo "caught  ${mutant##*/}: ${by:-by a crash}"
  fi
done
echo "$(($# - escaped)) of $# mutants caught"
((escaped == 0))
