# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Sourced. Prints messages of a script to stderr, so that stdout has only
# results.

on_terminal() { [[ -t 2 ]]; }

say() { printf '%s\n' "$*" >&2; }

# Prints what is wrong and what to do, and ends the script.
die() {
  say "$(basename "$0"): $*"
  exit 1
}

# The command line is wrong: ends the script with exit code 2, as is usual.
usage_error() {
  say "$(basename "$0"): $*"
  say "Try '$0 --help'."
  exit 2
}
