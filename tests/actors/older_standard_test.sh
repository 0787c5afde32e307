#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A compiler without -std=c++20 must say what to do, in its first error, for
# each header that is included first. A header that needs no C++20 may compile.

set -uo pipefail

compiler=${CXX:-c++}
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

roots=()
while IFS= read -r path; do roots+=("$path"); done < <(
  find -L . -type d -path '*/_virtual_includes/*' -name trolley -prune \
    -printf '%h\n' | sort -u)

refused=0
passed=0
failed=0

# looks_at HEADER: compiles it alone, as Bazel does without options. The
# preprocessor gives the error. Only a header without that error is compiled.
looks_at() {
  local words first step
  printf '#include "%s"\n' "$1" >"$folder/header.cc"
  for step in -E -fsyntax-only; do
    words=$("$compiler" -std=c++17 "$step" "${roots[@]/#/-I}" \
      "$folder/header.cc" 2>&1 >/dev/null) && continue
    first=$(grep -m 1 'error' <<<"$words")
    if [[ $first == *'Trolleybus needs C++20'*'-std=c++20'* ]]; then
      ((++refused))
      break
    fi
    printf '%s\nFAILED: %s\n' "$words" "$1"
    ((++failed))
    return
  done
  ((++passed))
}

while IFS= read -r header; do
  looks_at "$header"
done < <(for root in "${roots[@]}"; do
  (cd "$root" && find -L trolley/{poller,bus,actors} -name '*.h' 2>/dev/null)
done | sort -u)

# A broken set-up does not pass for good headers.
if ((refused == 0)); then
  echo "FAILED: no header refused C++17; looked below $PWD"
  ((++failed))
fi
echo "$passed passed, $failed failed"
((failed == 0))
