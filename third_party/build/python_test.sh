#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs a Python test: python_test.sh SCRIPT ARGUMENTS. -B, because the script is
# a link into the source tree, where nothing may be written.

exec python3 -B "$@"
