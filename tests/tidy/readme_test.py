#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What README.md shows is what examples/embed builds and tests."""

import os
import re
import sys
import unittest

import cases


def blocks(markdown, language):
  """The code blocks of one language, in order."""
  return re.findall(rf"^```{language}\n(.*?)^```$", markdown,
                    re.DOTALL | re.MULTILINE)


def region(source, name):
  """What stands between `// [name]` and `// [/name]`."""
  found = re.search(rf"^// \[{name}\]\n(.*?)^// \[/{name}\]$", source,
                    re.DOTALL | re.MULTILINE)
  return found.group(1) if found else None


def differences(files):
  """One sentence for each thing that README.md shows and nobody tests."""
  readme = files["README.md"]
  shown = blocks(readme, "cpp")
  tested = region(files["examples/embed/hello.cc"], "README")
  problems = []
  if shown != [tested]:
    problems.append("README.md: its one cpp block is not the [README] region "
                    "of examples/embed/hello.cc; paste that.")
  workspace = files["examples/embed/WORKSPACE"]
  for block in blocks(readme, "python"):
    for part in block.strip().split("\n\n"):
      if part not in workspace:
        problems.append("README.md: this is not in examples/embed/WORKSPACE:\n"
                        + part)
  return problems


class ReadmeTest(unittest.TestCase):
  files = None

  def test_shows_what_is_tested(self):
    self.assertEqual(differences(self.files), [])

  def test_notices_a_changed_line_of_code(self):
    changed = dict(self.files)
    changed["README.md"] = changed["README.md"].replace("Deposit{25}",
                                                        "Deposit{26}")
    self.assertEqual(len(differences(changed)), 1)

  def test_notices_a_changed_line_of_the_workspace(self):
    changed = dict(self.files)
    changed["README.md"] = changed["README.md"].replace('path = "../.."',
                                                        'path = ".."')
    self.assertEqual(len(differences(changed)), 1)


def read(root):
  files = {}
  for path in ("README.md", "examples/embed/hello.cc",
               "examples/embed/WORKSPACE"):
    with open(os.path.join(root, path), encoding="utf-8") as file:
      files[path] = file.read()
  return files


if __name__ == "__main__":
  ReadmeTest.files = read(os.path.dirname(os.path.realpath(sys.argv[1])))
  sys.exit(cases.run(ReadmeTest))
