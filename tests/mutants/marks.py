# SPDX-License-Identifier: Apache-2.0
"""Finds the marks in C++ and the statement below each of them.

A statement runs from the line after the mark to the first of these:

  ;            that ends it
  {            that opens its block; a block that closes on the same line
               belongs to it
  ) ] or }     that closes the bracket which the statement stands in

It may begin with the "}" of the block before, as in "} else if (c) {".
"""

import collections
import re

# start, end: of the statement in the text; line: of the mark, from 1.
Mark = collections.namedtuple("Mark", "name line start end")

_MARK = re.compile(r"^[ \t]*// mutant: *(.*?)[ \t]*\n", re.MULTILINE)
_NAMES = re.compile(r"[A-Za-z]\w*(?:, [A-Za-z]\w*)*")
_COMMENT_OR_LITERAL = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"([^()\s\\]{0,16})\(.*?\)\1"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'
    """, re.DOTALL | re.VERBOSE)
_CONTROL = re.compile(r"(?:else\b|do\b|try\b|(?:if|while|for|switch)\b"
                      r"(?:\s+constexpr\b)?\s*(?=\()|catch\b\s*(?=\())\s*")
_ATTRIBUTE = re.compile(r"\[\[[^\]]*\]\]\s*")
_NO_BLOCK = re.compile(r"(?:return|co_return|co_await|co_yield|throw)\b|\[")
_ASSIGNMENT = re.compile(r"(?<![=!<>])=(?!=)")
_HEAD_OF_BLOCK = re.compile(
    r"(?:[)}]|\b(?:const|noexcept|override|final)|\)\s*->[^()]*)$")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def _blank(text):
  """The text, as long as before, without comments and what is in literals."""
  return _COMMENT_OR_LITERAL.sub(
      lambda m: re.sub(r"[^\n]", " " if m[0][0] == "/" else '"', m[0]), text)


def _end_of_bracket(code, at):
  """Behind the bracket that opens at `at`; the end of the code if it stays."""
  depth = 0
  for i in range(at, len(code)):
    if code[i] in "([{":
      depth += 1
    elif code[i] in ")]}":
      depth -= 1
      if depth == 0:
        return i + 1
  return len(code)


def _opens_block(head):
  """Whether a { behind `head` opens a block, and not a value or a lambda."""
  head = head.strip()
  while control := _CONTROL.match(head):
    rest = head[control.end():]
    if rest.startswith("("):
      rest = rest[_end_of_bracket(rest, 0):].lstrip()
    while attribute := _ATTRIBUTE.match(rest):
      rest = rest[attribute.end():]
    if not rest:
      return True
    head = rest
  if _NO_BLOCK.match(head):
    return False
  outside = ""
  at = 0
  while at < len(head):
    outside += head[at]
    if head[at] in _CLOSING:
      end = _end_of_bracket(head, at)
      outside += _CLOSING[head[at]]
      at = end
    else:
      at += 1
  return (not _ASSIGNMENT.search(outside) and
          _HEAD_OF_BLOCK.search(outside) is not None)


def _statement(code, start):
  """From and to where it goes; an empty range if there is none."""
  at = start + len(code[start:]) - len(code[start:].lstrip())
  if code.startswith("}", at):
    at += 1
    at += len(code[at:]) - len(code[at:].lstrip())
  i = at
  while i < len(code):
    if code[i] == ";":
      return at, i + 1
    if code[i] in ")]}":
      return at, i
    if code[i] == "{" and _opens_block(code[at:i]):
      end = _end_of_bracket(code, i)
      return at, end if "\n" not in code[i:end] else i + 1
    i = _end_of_bracket(code, i) if code[i] in _CLOSING else i + 1
  return at, at


def find(name, text):
  """The marks of the file `name`; a ValueError for one that is no mark."""
  code = _blank(text)
  marks = []
  for line in _MARK.finditer(text):
    number = text.count("\n", 0, line.start()) + 1
    if not _NAMES.fullmatch(line[1]):
      raise ValueError(f"{name}:{number}: a mark is \"// mutant: NAME, NAME\".")
    start, end = _statement(code, line.end())
    if not code[start:end].strip():
      raise ValueError(f"{name}:{number}: no statement follows this mark.")
    marks += [Mark(mutant, number, start, end)
              for mutant in line[1].split(", ")]
  return marks
