#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""README.md prints a complete workspace, which tools/test builds and runs.

This test checks that it is complete, and that examples/embed has the same
program.
"""

import importlib.util
import os
import sys
import unittest

import cases

FILES = {".bazelrc", "BUILD", "WORKSPACE", "hello.cc"}


def load(path):
  spec = importlib.util.spec_from_file_location("readme_workspace", path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module


class ReadmeTest(unittest.TestCase):
  root = None

  def read(self, path):
    with open(os.path.join(self.root, path), encoding="utf-8") as file:
      return file.read()

  def setUp(self):
    self.readme_workspace = load(
        os.path.join(self.root, "tools/lib/readme_workspace.py"))
    self.readme = self.read("README.md")
    self.files = self.readme_workspace.workspace(self.readme)

  def test_prints_every_file_of_a_workspace(self):
    shown = {name for name in self.files if not name.startswith("check/")}
    self.assertEqual(FILES, shown)

  def test_every_block_of_code_belongs_to_a_file(self):
    code = [text for text in self.files.values()]
    for language in ("cpp", "python"):
      for block in self.readme.split(f"```{language}\n")[1:]:
        self.assertIn(block.split("```\n")[0], code)

  def test_says_what_the_program_prints(self):
    self.assertIn("25 cents\n", self.files["check/printed"])

  def test_is_the_program_of_the_example(self):
    self.assertTrue(
        self.read("examples/embed/hello.cc").endswith(
            "\n\n" + self.files["hello.cc"]),
        "examples/embed/hello.cc is not the hello.cc of README.md; paste that")

  def test_a_block_is_taken_as_it_stands(self):
    page = "a\n\n`x.cc`:\n\n```cpp\nint x;\n\n```\n\n`y`, so:\n\n```\nz\n```\n"
    self.assertEqual({"x.cc": "int x;\n\n", "y": "z\n"},
                     self.readme_workspace.captioned(page))


if __name__ == "__main__":
  ReadmeTest.root = os.path.dirname(os.path.realpath(sys.argv[1]))
  sys.exit(cases.run(ReadmeTest))
