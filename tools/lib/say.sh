# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced. Talking to whoever runs a script: notes go to stderr, so that stdout
# holds nothing but results.

on_terminal() { [[ -t 2 ]]; }

say() { printf '%s\n' "$*" >&2; }

# Ends the script: what is wrong, then the way out.
die() {
  say "$(basename "$0"): $*"
  exit 1
}

# A command line we do not understand: exit code 2, as is the custom.
usage_error() {
  say "$(basename "$0"): $*"
  say "Try '$0 --help'."
  exit 2
}
