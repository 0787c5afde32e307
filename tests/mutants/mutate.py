# SPDX-License-Identifier: Apache-2.0
"""Copies sources, with every mistake of a table at its mark.

usage: mutate.py TABLE {NAME SOURCE COPY}...   NAME is the path to show.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True
import marks  # noqa: E402
import mutant as mutants  # noqa: E402

HEADER = '#include "trolley/tests/mutants/mutant.h"\n'

# What is put in at the same place: first the code that always runs on.
_FIRST, _GUARD, _SWAP, _LAST = range(4)


def _pattern(token):
  """Finds the token as whole words, however it is broken into lines."""
  pattern = r"\s*".join(re.escape(part) for part in token.split())
  if re.match(r"\w", token):
    pattern = r"(?<!\w)" + pattern
  if re.search(r"\w$", token):
    pattern += r"(?!\w)"
  return re.compile(pattern)


def _swap(where, mutant, text, mark, on):
  places = list(_pattern(mutant.change.token).finditer(
      text, mark.start, mark.end))
  if len(places) != 1:
    raise ValueError(
        f"{where}: the statement of {mutant.name} has \"{mutant.change.token}\""
        f" {len(places)} times, not once.")
  start, end = places[0].span()
  return (start, _SWAP, end,
          f"({on} ? ({mutant.change.wrong}) : ({text[start:end]}))")


def _edit(where, mutant, text, mark, on):
  """(from, order, to, text): what stands there instead."""
  change = mutant.change
  if isinstance(change, mutants.Swap):
    return _swap(where, mutant, text, mark, on)
  if isinstance(change, mutants.Skip):
    unless = f" || ({change.unless})" if change.unless else ""
    return mark.start, _GUARD, mark.start, f"if (!{on}{unless}) "
  code = f"if ({on}) {{ {change.code} }} "
  if isinstance(change, mutants.Instead):
    return mark.start, _GUARD, mark.start, code + "else "
  if isinstance(change, mutants.Before):
    return mark.start, _FIRST, mark.start, code
  return mark.end, _LAST, mark.end, " " + code


def _places(table, sources):
  """(mark, file) of each mutant."""
  known = {mutant.name for mutant in table}
  places = {}
  for name, text in sources.items():
    for mark in marks.find(name, text):
      if mark.name not in known:
        raise ValueError(f"{name}:{mark.line}: no table has {mark.name}, which "
                         f"is marked here.")
      if mark.name in places:
        before, where = places[mark.name]
        raise ValueError(f"{name}:{mark.line}: {mark.name} is marked here and "
                         f"in {where}:{before.line}.")
      places[mark.name] = mark, name
  return places


def mutate(table, sources):
  """The text of each source with its mistakes.

  A ValueError says what does not fit: a mark that is missing, there twice or in
  no table, or a token that the statement does not have once.
  """
  places = _places(table, sources)
  edits = {name: [] for name in sources}
  seen = set()
  for number, mutant in enumerate(table, start=1):
    if mutant.name in seen:
      raise ValueError(f"the table has {mutant.name} twice.")
    seen.add(mutant.name)
    if mutant.name not in places:
      raise ValueError(f"no source marks {mutant.name}; write \"// mutant: "
                       f"{mutant.name}\" above the statement that it changes.")
    mark, name = places[mutant.name]
    edits[name].append(
        _edit(f"{name}:{mark.line}", mutant, sources[name], mark,
              f"::trolley::IsMutant({number})") + (mutant.name,))
  copies = {}
  for name, text in sources.items():
    copy, at, last = "", 0, None
    for start, _, end, wrong, mutant in sorted(edits[name]):
      if start < at:
        raise ValueError(f"{name}: {last} and {mutant} change the same code.")
      copy += text[at:start] + wrong
      at, last = end, mutant
    copy += text[at:]
    copies[name] = HEADER + copy if edits[name] else copy
  return copies


def main(arguments):
  table = mutants.load(arguments[0])
  triples = list(zip(arguments[1::3], arguments[2::3], arguments[3::3]))
  sources = {}
  for name, source, _ in triples:
    with open(source, encoding="utf-8") as f:
      sources[name] = f.read()
  try:
    copies = mutate(table, sources)
  except ValueError as e:
    sys.exit(f"mutate.py: {e}")
  for name, _, copy in triples:
    with open(copy, "w", encoding="utf-8") as f:
      f.write(copies[name])


if __name__ == "__main__":
  main(sys.argv[1:])
