#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the test cases that ran in the given Bazel invocations.

usage: tally.py EVENTS.json...

Each file was written by --build_event_json_file. Only the tests in these files
are counted, not results of earlier runs. The last line is

    N passed, N failed[, N skipped]

The exit code is 1 if a case failed, a target did not build, or no test ran.
"""

import json
import re
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

TALLY_LINE = re.compile(
    r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.MULTILINE)
FAILED_LINE = re.compile(r"^FAILED: (.+)$", re.MULTILINE)
SKIPPED_LINE = re.compile(r"^skipped: (.+)$", re.MULTILINE)
GTEST_OK = re.compile(r"^\[       OK \] (\S+)", re.MULTILINE)
GTEST_SKIPPED = re.compile(r"^\[  SKIPPED \] (\S+) \(", re.MULTILINE)
GTEST_RUN = re.compile(r"^\[ RUN      \] (\S+)", re.MULTILINE)


@dataclass
class Count:
  passed: int = 0
  failed: list = field(default_factory=list)  # names
  skipped: list = field(default_factory=list)  # "name: reason"

  def add(self, other):
    self.passed += other.passed
    self.failed += other.failed
    self.skipped += other.skipped


def read(path):
  try:
    with open(path, encoding="utf-8", errors="replace") as f:
      return f.read()
  except OSError:
    return ""


def count_gtest_xml(root, label):
  """One case for each TEST(), as GoogleTest wrote them itself."""
  count = Count()
  for case in root.iter("testcase"):
    name = f"{label} {case.get('classname')}.{case.get('name')}"
    if case.get("status") == "notrun":
      # A name that starts with DISABLED_; a filtered one is "suppressed" too.
      if "DISABLED_" in name:
        count.skipped.append(f"{name}: disabled")
    elif case.find("failure") is not None:
      count.failed.append(name)
    elif case.get("result") == "skipped":
      skipped = case.find("skipped")
      message = (skipped.get("message") or "") if skipped is not None else ""
      # The message begins with "file:line"; the reason is what follows.
      reason = " ".join(message.split("\n")[1:]).strip()
      count.skipped.append(f"{name}: {reason or 'no reason given'}")
    else:
      count.passed += 1
  return count


def count_gtest_log(log, label):
  """What a GoogleTest that crashed or hung had done until then."""
  ok = set(GTEST_OK.findall(log))
  skipped = set(GTEST_SKIPPED.findall(log))
  started = set(GTEST_RUN.findall(log))
  return Count(
      passed=len(ok),
      failed=[f"{label} {name}" for name in sorted(started - ok - skipped)],
      skipped=[f"{label} {name}: see its log" for name in sorted(skipped)])


def name_each(number, label, names):
  """`number` entries: the names a script printed, then a hint."""
  entries = [f"{label} {name}" for name in names[:number]]
  return entries + [f"{label}: see its log"] * (number - len(entries))


def count_plain_log(log, label, status):
  """A script: its own tally if it printed one, else one case."""
  tallies = TALLY_LINE.findall(log)
  if tallies:
    passed, failed, skipped = (int(n or 0) for n in tallies[-1])
    return Count(
        passed=passed,
        failed=name_each(failed, label, FAILED_LINE.findall(log)),
        skipped=name_each(skipped, label, SKIPPED_LINE.findall(log)))
  if status == "PASSED":
    return Count(passed=1)
  return Count(failed=[f"{label}: {status}"])


def count_test(label, status, xml, log):
  """The cases of one test target, from its test.xml and test.log."""
  try:
    root = ElementTree.fromstring(xml)
  except ElementTree.ParseError:
    root = None
  if root is not None and root.get("name") == "AllTests":
    count = count_gtest_xml(root, label)
  elif GTEST_RUN.search(log):
    count = count_gtest_log(log, label)
  else:
    count = count_plain_log(log, label, status)
  if status != "PASSED" and not count.failed:
    # Each case passed, yet the program did not: a leak found at exit, say.
    count.failed.append(f"{label}: {status} after its last case")
  return count


def local_path(outputs, name):
  for output in outputs:
    if output.get("name") == name and "uri" in output:
      return urllib.parse.unquote(urllib.parse.urlparse(output["uri"]).path)
  return None


def count_events(lines):
  """The cases of one Bazel invocation, from its events."""
  results = {}  # (label, run, shard) -> the result of the last attempt
  unbuilt = set()
  tests = set()
  exit_name = None
  for line in lines:
    event = json.loads(line)
    ident = event["id"]
    if "targetConfigured" in ident:
      if event.get("configured", {}).get("targetKind", "").endswith(
          "_test rule"):
        tests.add(ident["targetConfigured"]["label"])
    elif "targetCompleted" in ident:
      if not event.get("completed", {}).get("success"):
        unbuilt.add(ident["targetCompleted"]["label"])
    elif "testResult" in ident:
      who = ident["testResult"]
      results[who["label"], who.get("run"), who.get("shard")] = (
          event.get("testResult", {}))
    elif "buildFinished" in ident:
      exit_name = event.get("finished", {}).get("exitCode", {}).get("name")

  count = Count()
  for (label, _, _), result in sorted(results.items(), key=lambda r: r[0][0]):
    outputs = result.get("testActionOutput", [])
    count.add(count_test(
        label,
        result.get("status", "NO_STATUS"),
        read(local_path(outputs, "test.xml") or ""),
        read(local_path(outputs, "test.log") or "")))
  ran = {label for label, _, _ in results}
  for label in sorted(unbuilt - ran):
    kind = "test" if label in tests else "target"
    count.failed.append(f"{label}: this {kind} does not build")
  if exit_name != "SUCCESS" and not count.failed:
    count.failed.append(f"bazel: {exit_name or 'ended too early'}")
  return count


def format_tally(count):
  text = f"{count.passed} passed, {len(count.failed)} failed"
  if count.skipped:
    text += f", {len(count.skipped)} skipped"
  return text


def main(paths):
  total = Count()
  for path in paths:
    total.add(count_events(read(path).splitlines()))
  if total.passed == 0 and not total.failed and not total.skipped:
    total.failed.append("nothing ran: no test matches what was asked for")
  for name in total.skipped:
    print(f"skipped: {name}")
  for name in total.failed:
    print(f"FAILED: {name}")
  print(format_tally(total))
  return 1 if total.failed or total.passed == 0 else 0


if __name__ == "__main__":
  sys.exit(main(sys.argv[1:]))
