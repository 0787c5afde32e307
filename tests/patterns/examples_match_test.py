#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each line of code in the head comment of a pattern's header is a line of
examples_test.cc, which is compiled and run.

Arguments: examples_test.cc, and the headers.
"""

import os
import re
import sys
import unittest

sys.path.append(
    os.path.join(os.path.dirname(os.path.realpath(__file__)), "../tidy"))
import cases  # noqa: E402

# A comment line with code is indented by three or more spaces.
_INDENTED = re.compile(r"^//   +(\S.*)$")
# What ends a line of code, and no line of a table.
_CODE = re.compile(r"[;{}=(]$")
_COMMENT = re.compile(r"\s*//.*$")


def squeezed(code):
  """Without comments and white space, so that a formatter may break lines."""
  lines = [_COMMENT.sub("", line) for line in code.split("\n")]
  return re.sub(r"\s", "", "".join(lines))


def code_of_head(header):
  """The lines of code in the comment before the include guard."""
  found = []
  for line in header.split("#ifndef")[0].split("\n"):
    match = _INDENTED.match(line)
    if match:
      code = _COMMENT.sub("", match.group(1)).strip()
      if _CODE.search(code):
        found.append(code)
  return found


class ExamplesMatchTest(unittest.TestCase):
  program = None
  headers = []

  def test_every_line_of_an_example_is_compiled(self):
    with open(self.program, encoding="utf-8") as file:
      program = squeezed(file.read())
    missing = []
    for path in self.headers:
      with open(path, encoding="utf-8") as file:
        missing += [f"{path}: {line}" for line in code_of_head(file.read())
                    if squeezed(line) not in program]
    self.assertEqual(missing, [])

  def test_every_pattern_has_an_example(self):
    self.assertGreater(len(self.headers), 10)
    for path in self.headers:
      with open(path, encoding="utf-8") as file:
        self.assertTrue(code_of_head(file.read()), path)


if __name__ == "__main__":
  ExamplesMatchTest.program = sys.argv[1]
  ExamplesMatchTest.headers = [
      path for path in sys.argv[2:] if not path.endswith("_options.h")]
  sys.exit(cases.run(ExamplesMatchTest))
