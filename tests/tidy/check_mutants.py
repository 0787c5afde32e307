# SPDX-License-Identifier: Apache-2.0
"""The marks of mutants in the code, against the tables of all mutants."""

import re

from tree import line_of

_TABLE = re.compile(r"^tests/\w+/mutants/\w*table\.py$")
_MUTANT = re.compile(r'^ *Mutant\(\s*"(\w+)"', re.MULTILINE)
_MARK = re.compile(r"^[ \t]*// mutant: *(.*)$", re.MULTILINE)


def _add(found, name, where):
  found.setdefault(name, []).append(where)


def marks_and_tables_match(tree):
  """Each mark has one row in one table, and each row one mark.

  mutate.py sees one table and the sources of its copy; this sees all of them.
  """
  marks = {}
  for path, text in tree.cpp():
    for line in _MARK.finditer(text):
      for name in line[1].split(", "):
        _add(marks, name, f"{path}:{line_of(text, line.start())}")
  rows = {}
  for path, text in sorted(tree.files.items()):
    if _TABLE.match(path):
      for row in _MUTANT.finditer(text):
        _add(rows, row[1], f"{path}:{line_of(text, row.start(1))}")
  problems = []
  for name, places in sorted(marks.items()):
    if name not in rows:
      problems.append(f"{places[0]}: no table has {name}, which is marked here.")
    if len(places) > 1:
      problems.append(f"{places[1]}: {name} is marked here and in {places[0]}.")
  for name, places in sorted(rows.items()):
    if name not in marks:
      problems.append(f"{places[0]}: no statement is marked "
                      f'"// mutant: {name}".')
    if len(places) > 1:
      problems.append(f"{places[1]}: {places[0]} has {name}, too.")
  return problems
