# SPDX-License-Identifier: Apache-2.0
"""Every mutant of a table must fail its test. Without a mutant all must pass.

usage: mutants_test.py TABLE PROGRAM [ARGUMENT]...

PROGRAM has the tests, linked with the copy that contains the mistakes.
"""

import os
import subprocess
import sys
import unittest

sys.path.append(
    os.path.join(os.path.dirname(os.path.realpath(__file__)), "../tidy"))
import cases  # noqa: E402
import mutant as mutants  # noqa: E402

PROGRAM = []


def start(number, tests):
  """Starts the program as this mutant, without a test report."""
  return subprocess.Popen(
      PROGRAM + ["--gtest_filter=" + ":".join(tests)],
      env={"TROLLEY_MUTANT": str(number)}, text=True, stdout=subprocess.PIPE,
      stderr=subprocess.STDOUT, errors="replace")


class MutantsTest(unittest.TestCase):

  table = []

  def test_no_mistake_passes_every_test(self):
    tests = sorted({mutant.test for mutant in self.table})
    run = start(0, tests)
    output, _ = run.communicate()
    self.assertEqual(run.returncode, 0, output)
    # All of them, and none skipped.
    self.assertIn(f"[  PASSED  ] {len(tests)} test", output)

  # The test must fail by a check of its own. What it does after that, with a
  # bus that is broken, is of no interest.
  def is_caught(self, number, mutant):
    # In case the time of this test ends meanwhile.
    print(f"== {mutant.name}", flush=True)
    run = start(number, [mutant.test])
    lines = []
    caught = False
    for line in run.stdout:
      lines.append(line)
      if ": Failure" in line:
        caught = True
        break
    run.kill()
    run.wait()
    run.stdout.close()
    self.assertTrue(
        caught, f"{mutant.test} did not catch it:\n{''.join(lines[-40:])}")


def _case(number, mutant):
  return lambda self: self.is_caught(number, mutant)


if __name__ == "__main__":
  MutantsTest.table = mutants.load(sys.argv[1])
  PROGRAM = [os.path.abspath(sys.argv[2])] + sys.argv[3:]
  for _number, _mutant in enumerate(MutantsTest.table, start=1):
    setattr(MutantsTest, f"test_{_mutant.name}", _case(_number, _mutant))
  sys.exit(cases.run(MutantsTest))
