# SPDX-License-Identifier: Apache-2.0
"""Runs a unittest.TestCase and ends with the lines tools/test reads."""

import unittest


def name_of(case):
  return case.id().split(".")[-1]


def run(test_case):
  """Returns the exit code."""
  suite = unittest.defaultTestLoader.loadTestsFromTestCase(test_case)
  result = unittest.TextTestRunner(verbosity=2).run(suite)
  broken = len(result.failures) + len(result.errors)
  skipped = len(result.skipped)
  for case, _ in result.failures + result.errors:
    print(f"FAILED: {name_of(case)}")
  for case, reason in result.skipped:
    print(f"skipped: {name_of(case)}: {reason}")
  tally = f"{result.testsRun - broken - skipped} passed, {broken} failed"
  if skipped:
    tally += f", {skipped} skipped"
  print(tally, flush=True)
  return 0 if result.wasSuccessful() else 1
