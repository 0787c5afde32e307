#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Answers each line by the same line in capital letters.

while IFS= read -r line; do
  printf '%s\n' "$line" | tr '[:lower:]' '[:upper:]'
done
