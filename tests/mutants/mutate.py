# SPDX-License-Identifier: Apache-2.0
"""Copies sources, with every mistake of a table in its place.

usage: mutate.py TABLE {NAME SOURCE COPY}...   NAME is the path in the table.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import mutant as mutants  # noqa: E402

HEADER = '#include "trolley/tests/mutants/mutant.h"\n'


def mutate(table, name, text):
  """The text with its mistakes; a ValueError if one has no place there."""
  mistakes = [(number, mutant)
              for number, mutant in enumerate(table, start=1)
              if mutant.file == name]
  # Each place is looked for in what people wrote, not in another mistake.
  places = []
  for number, mutant in mistakes:
    if text.count(mutant.right) != 1:
      raise ValueError(
          f"{name} has {text.count(mutant.right)} times, not once, what "
          f"{mutant.name} of its table replaces:\n{mutant.right}")
    wrong = mutant.wrong.replace("MUTANT", f"::trolley::IsMutant({number})")
    places.append((text.index(mutant.right), mutant, wrong))
  end = len(text)
  for at, mutant, wrong in sorted(places, reverse=True, key=lambda p: p[0]):
    if at + len(mutant.right) > end:
      raise ValueError(f"{name}: {mutant.name} shares its place with another")
    text = text[:at] + wrong + text[at + len(mutant.right):]
    end = at
  return HEADER + text if mistakes else text


def main(arguments):
  table = mutants.load(arguments[0])
  triples = list(zip(arguments[1::3], arguments[2::3], arguments[3::3]))
  missing = ({mutant.file for mutant in table} -
             {name for name, _, _ in triples})
  if missing:
    sys.exit(f"mutate.py: not among the sources: {', '.join(sorted(missing))}")
  for name, source, copy in triples:
    with open(source, encoding="utf-8") as f:
      text = f.read()
    try:
      text = mutate(table, name, text)
    except ValueError as e:
      sys.exit(f"mutate.py: {e}")
    with open(copy, "w", encoding="utf-8") as f:
      f.write(text)


if __name__ == "__main__":
  main(sys.argv[1:])
