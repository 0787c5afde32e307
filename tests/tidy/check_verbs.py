# SPDX-License-Identifier: Apache-2.0
"""The verbs of an actor and of a Ref, against the table of tests/bus."""

import re

from tree import line_of

TABLE = "tests/bus/verbs_test.cc"

# Where verbs are declared, and in which part of the class.
_SOURCES = (
    ("actors/actor.h", "class Actor : ", " protected:", " private:"),
    ("actors/ref.h", "class Ref {", " public:", " private:"),
)

# A member function of the class itself: two blanks before its declaration.
_DECLARED = re.compile(r"^  (?! |static_assert|return|using|friend|//)"
                       r"(?:[\w:<>,&* ]+[ &*])?(\w+)\(", re.MULTILINE)

# No verbs: they look at a Ref and at nothing else.
_LOOKS = {"Ref", "address", "bool", "id"}


def verbs_have_rows(tree):
  """Each verb is called in the table of what it does at each moment."""
  table = tree.files.get(TABLE, "")
  problems = []
  for path, begin, part, end in _SOURCES:
    text = tree.files.get(path)
    if text is None:
      continue
    start = text.index(part, text.index(begin))
    for found in _DECLARED.finditer(text, start, text.index(end, start)):
      verb = found[1]
      if verb in _LOOKS or re.search(rf"\b{verb}(<\w+>)?\(", table):
        continue
      problems.append(f"{path}:{line_of(text, found.start(1))}: {verb}() has no "
                      f"row in {TABLE}.")
  return sorted(set(problems))
