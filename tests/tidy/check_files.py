# SPDX-License-Identifier: Apache-2.0
"""Rules for the text of every file of a kind."""

import re

from tree import line_of

SPDX = "SPDX-License-Identifier: Apache-2.0"
_SOURCE = (".h", ".cc", ".proto", ".py", ".sh", ".bzl", ".pml", ".BUILD",
           "BUILD.bazel", "WORKSPACE", ".bazelrc")

MOST_HEADER_LINES = 250
# Headers that wait to be cut into parts: no line more than now.
LONGER_HEADERS = {"bus/loop/loop.h": 271}
_LAYERS = ("poller", "bus", "actors", "proto")

_TODO = re.compile(r"\b(?:TO" r"DO(?!\(#\d+\))|FIX" r"ME|XX" r"X)\b")
_MACHINE_PATH = re.compile(r"(?<![\w.$}~/-])/(?:work|root|home)/")


def _sources(tree):
  for path, text in sorted(tree.files.items()):
    if path.endswith(_SOURCE) or text.startswith("#!"):
      yield path, text


def sources_name_their_license(tree):
  return [f"{path}:1: put '{SPDX}' in a comment at the top."
          for path, text in _sources(tree)
          if SPDX not in "\n".join(text.split("\n")[:3])]


def include_guards_follow_the_path(tree):
  problems = []
  for path, text in tree.below(("",), (".h",)):
    guard = "TROLLEY_" + re.sub(r"\W", "_", path.upper()) + "_"
    lines = [line.strip() for line in text.strip().split("\n")]
    if (f"#ifndef {guard}" not in lines or f"#define {guard}" not in lines or
        lines[-1] != f"#endif  // {guard}"):
      problems.append(
          f"{path}:1: guard it with {guard}: #ifndef, #define and, as its last "
          f"line, '#endif  // {guard}'.")
  return problems


def headers_fit_in_the_head(tree):
  problems = []
  for path, text in tree.below(_LAYERS, (".h",)):
    lines = text.count("\n")
    most = LONGER_HEADERS.get(path, MOST_HEADER_LINES)
    if lines > most:
      problems.append(f"{path}:{lines}: {lines} lines, of {most} "
                      f"at most. It holds two ideas: split it.")
  return problems


def todos_name_an_issue(tree):
  problems = []
  for path, text in _sources(tree):
    for match in _TODO.finditer(text):
      problems.append(
          f"{path}:{line_of(text, match.start())}: {match.group(0)}: finish "
          f"it, or open an issue and write TO" + "DO(#its number).")
  return problems


def no_path_of_one_machine(tree):
  problems = []
  for path, text in sorted(tree.files.items()):
    for match in _MACHINE_PATH.finditer(text):
      problems.append(
          f"{path}:{line_of(text, match.start())}: {match.group(0)}... exists "
          f"on one machine only; make it relative, or $HOME.")
  return problems
