# SPDX-License-Identifier: Apache-2.0
"""Each promise in docs/guarantees.md has a test with its number."""

import re

GUARANTEES = "docs/guarantees.md"

_PROMISE = re.compile(r"\bP([1-9]\d*)\b")
_TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*\w+,\s*P([1-9]\d*)_\w+\s*\)|"
                   r"\bTYPED_TEST(?:_P)?\(\s*\w+,\s*P([1-9]\d*)_\w+\s*\)")
# A test without GoogleTest, such as a model, prints the names of its cases.
_SCRIPT_CASE = re.compile(r"\bP([1-9]\d*)_[A-Za-z]\w*")


def promises_are_written_down(tree):
  """True if the page exists."""
  return GUARANTEES in tree.files


def promises_and_tests_match(tree):
  promised = set(map(int, _PROMISE.findall(tree.files[GUARANTEES])))
  shown = {}
  for path, text in tree.cpp(("tests",)):
    for numbers in _TEST.findall(text):
      shown.setdefault(int(numbers[0] or numbers[1]), path)
  for path, text in tree.below(("tests",), (".sh", ".py")):
    if path.startswith("tests/tidy/"):
      continue
    for number in _SCRIPT_CASE.findall(text):
      shown.setdefault(int(number), path)
  problems = [
      f"{GUARANTEES}: no test is named P{n}_...; show it or do not promise it."
      for n in sorted(promised - set(shown))]
  problems += [
      f"{shown[n]}: a test is named P{n}_..., which {GUARANTEES} does not "
      f"promise; promise it or rename the test."
      for n in sorted(set(shown) - promised)]
  return problems
