# SPDX-License-Identifier: Apache-2.0
"""The vocabulary of docs/architecture.md and the code agree, both ways."""

import re

from tree import code_of, line_of

PAGE = "docs/architecture.md"
PRODUCT = ("poller", "bus", "proto", "actors")

_TABLE = re.compile(r"^\| word \| meaning \| in the code \|\n\|[ -|]*\n"
                    r"((?:\|.*\|\n)+)", re.MULTILINE)
_RETIRED = re.compile(r"^\| not \| but \|\n\|[ -|]*\n((?:\|.*\|\n)+)",
                      re.MULTILINE)
_CODE = re.compile(r"`(\w+)`")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


def _identifiers(tree):
  """{identifier: the first place it stands in}."""
  found = {}
  for path, text in tree.cpp(PRODUCT):
    code = code_of(text)
    for match in _IDENTIFIER.finditer(code):
      if match.group(0) not in found:
        found[match.group(0)] = f"{path}:{line_of(code, match.start())}"
  return found


def words_are_those_of_the_page(tree):
  page = tree.files.get(PAGE, "")
  table, retired = _TABLE.search(page), _RETIRED.search(page)
  if not table or not retired:
    return [f"{PAGE}: the tables 'word, meaning, in the code' and 'not, but' "
            f"are not there."]
  found = _identifiers(tree)
  problems = []
  for number, row in enumerate(table.group(1).splitlines()):
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    where = f"{PAGE}:{line_of(page, table.start(1)) + number}"
    names = _CODE.findall(cells[-1])
    if not names:
      problems.append(f"{where}: say what '{cells[0]}' is called in the code.")
    problems += [f"{where}: the code has no {name}." for name in names
                 if name not in found]
  for number, row in enumerate(retired.group(1).splitlines()):
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    where = f"{PAGE}:{line_of(page, retired.start(1)) + number}"
    problems += [f"{found[name]}: {name} is a word that {where} has retired: "
                 f"say {cells[1]}." for name in _CODE.findall(cells[0])
                 if name in found]
    problems += [f"{where}: the code has no {name}."
                 for name in _CODE.findall(cells[1]) if name not in found]
  return problems
