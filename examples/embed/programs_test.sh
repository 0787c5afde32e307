#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs each program and counts those that end well.

passed=0
failed=0
for program; do
  if "$program"; then
    ((++passed))
  else
    echo "FAILED: $(basename "$program")"
    ((++failed))
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
