#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/lib/tally.py counts each test case once, and no other."""

import importlib.util
import json
import os
import sys
import tempfile
import unittest

import cases

GTEST_XML = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="5" failures="1" disabled="1" name="AllTests">
 <testsuite name="A">
  <testcase name="Good" status="run" result="completed" classname="A" />
  <testcase name="Bad" status="run" result="completed" classname="A">
   <failure message="x" type=""></failure></testcase>
  <testcase name="Away" status="run" result="skipped" classname="A">
   <skipped message="a_test.cc:9&#x0A;needs io_uring&#x0A;" /></testcase>
  <testcase name="DISABLED_Old" status="notrun" result="suppressed"
   classname="A" />
  <testcase name="Filtered" status="notrun" result="suppressed"
   classname="A" />
 </testsuite>
</testsuites>"""

# What Bazel writes for a test that writes no XML itself.
PLAIN_XML = """<testsuites><testsuite name="t" tests="1" failures="0"
 errors="0"><testcase name="t" status="run"></testcase></testsuite>
</testsuites>"""

CRASH_LOG = """[ RUN      ] A.One
[       OK ] A.One (0 ms)
[ RUN      ] A.Two
Segmentation fault
"""


class TallyTest(unittest.TestCase):
  tally = None

  def count(self, status, xml, log):
    count = self.tally.count_test("//t", status, xml, log)
    return count.passed, count.failed, count.skipped

  def events(self, *tests, unbuilt=(), exit_name="SUCCESS"):
    """The lines of an invocation in which `tests` = (label, status, log)."""
    with tempfile.TemporaryDirectory() as folder:
      lines = []
      for i, (label, status, log) in enumerate(tests):
        path = os.path.join(folder, f"log {i}")  # the URI escapes the space
        with open(path, "w", encoding="utf-8") as f:
          f.write(log)
        uri = "file://" + path.replace(" ", "%20")
        lines.append({
            "id": {"testResult": {"label": label, "run": 1, "shard": 1}},
            "testResult": {"status": status, "testActionOutput": [
                {"name": "test.log", "uri": uri}]}})
      for label in unbuilt:
        lines.append({"id": {"targetConfigured": {"label": label}},
                      "configured": {"targetKind": "cc_test rule"}})
        lines.append({"id": {"targetCompleted": {"label": label}},
                      "completed": {}})
      if exit_name:
        lines.append({"id": {"buildFinished": {}},
                      "finished": {"exitCode": {"name": exit_name}}})
      return self.tally.count_events(map(json.dumps, lines))

  def test_each_gtest_case_counts(self):
    passed, failed, skipped = self.count("FAILED", GTEST_XML, "")
    self.assertEqual(1, passed)
    self.assertEqual(["//t A.Bad"], failed)
    self.assertEqual(
        ["//t A.Away: needs io_uring", "//t A.DISABLED_Old: disabled"], skipped)

  def test_crash_counts_the_case_it_was_in(self):
    self.assertEqual((1, ["//t A.Two"], []),
                     self.count("FAILED", PLAIN_XML, CRASH_LOG))

  def test_failure_after_the_last_case_counts(self):
    xml = GTEST_XML.replace('<failure message="x" type=""></failure>', "")
    passed, failed, _ = self.count("FAILED", xml, "leak")
    self.assertEqual((2, 1), (passed, len(failed)))

  def test_script_is_one_case(self):
    self.assertEqual((1, [], []), self.count("PASSED", PLAIN_XML, "fine\n"))
    self.assertEqual((0, ["//t: TIMEOUT"], []), self.count("TIMEOUT", "", ""))

  def test_script_with_a_tally_is_believed(self):
    log = "FAILED: b\nskipped: c: no spin\n3 passed, 1 failed, 1 skipped\n"
    self.assertEqual((3, ["//t b"], ["//t c: no spin"]),
                     self.count("FAILED", PLAIN_XML, log))

  def test_script_that_fails_after_a_good_tally_fails(self):
    passed, failed, _ = self.count("FAILED", PLAIN_XML, "3 passed, 0 failed\n")
    self.assertEqual((3, 1), (passed, len(failed)))

  def test_only_the_last_attempt_counts(self):
    count = self.events(("//t", "FAILED", ""), ("//t", "PASSED", ""),
                        ("//u", "PASSED", "2 passed, 0 failed\n"))
    self.assertEqual((3, []), (count.passed, count.failed))

  def test_what_does_not_build_fails(self):
    count = self.events(("//t", "PASSED", ""), unbuilt=["//u"],
                        exit_name="BUILD_FAILURE")
    self.assertEqual((1, 1), (count.passed, len(count.failed)))

  def test_bazel_that_dies_fails(self):
    self.assertEqual(["bazel: ended too early"],
                     self.events(exit_name=None).failed)

  def test_nothing_ran_is_a_failure(self):
    self.assertEqual(1, self.tally.main([os.devnull]))


def load(path):
  spec = importlib.util.spec_from_file_location("tally", path)
  module = importlib.util.module_from_spec(spec)
  sys.modules["tally"] = module  # dataclasses look their module up
  spec.loader.exec_module(module)
  return module


if __name__ == "__main__":
  if len(sys.argv) != 2:
    sys.exit("usage: tally_test.py PATH/TO/tally.py")
  TallyTest.tally = load(sys.argv[1])
  sys.exit(cases.run(TallyTest))
