#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# mutate.sh IN OUT BEFORE AFTER: copies IN to OUT with the one place that reads
# BEFORE changed to AFTER. Fails unless there is exactly one such place.

set -euo pipefail
source=$(<"$1")
before=$3
rest=${source#*"$before"}
if [[ $rest == "$source" || $rest == *"$before"* ]]; then
  echo "mutate: not exactly one place in $1 reads:" >&2
  echo "  $before" >&2
  echo "The code has changed; change the mutant with it." >&2
  exit 1
fi
printf '%s\n' "${source%%"$before"*}$4$rest" >"$2"
