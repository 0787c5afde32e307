# SPDX-License-Identifier: Apache-2.0
"""The files that a check reads, and C++ code without its comments."""

import os
import re

_SKIPPED_FOLDERS = {".git", "__pycache__"}

_COMMENT_OR_LITERAL = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"([^()\s\\]{0,16})\(.*?\)\1"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'
    """, re.DOTALL | re.VERBOSE)


def _blank(match):
  """The same number of lines, and a literal still looks like one."""
  text = match.group(0)
  if text.startswith("/"):
    return re.sub(r"[^\n]", " ", text)
  quote = "'" if text.startswith("'") else '"'
  return quote + "\n" * text.count("\n") + quote


def code_of(text):
  """C++ with its comments blanked out and its literals emptied."""
  return _COMMENT_OR_LITERAL.sub(_blank, text)


def line_of(text, position):
  return text.count("\n", 0, position) + 1


class Tree:
  """Paths, relative to the root and with /, and the text of each."""

  def __init__(self, files, root=None):
    self.files = dict(files)
    self.root = root  # where they are, if they are real

  @classmethod
  def read(cls, root):
    files = {}
    for folder, folders, names in os.walk(root):
      here = os.path.relpath(folder, root).replace(os.sep, "/")
      prefix = "" if here == "." else here + "/"
      folders[:] = sorted(
          name for name in folders
          if prefix + name not in _SKIPPED_FOLDERS
          and name not in _SKIPPED_FOLDERS
          and not os.path.islink(os.path.join(folder, name)))
      for name in sorted(names):
        path = os.path.join(folder, name)
        # In a work tree of Git's, .git is a file.
        if os.path.islink(path) or name in _SKIPPED_FOLDERS:
          continue
        try:
          with open(path, encoding="utf-8") as f:
            files[prefix + name] = f.read()
        except (UnicodeDecodeError, OSError):
          continue  # a fuzzing corpus, or a file someone has just removed
    return cls(files, root)

  def below(self, folders, extensions):
    """(path, text) of what lies in one of the folders; "" is the root."""
    for path, text in sorted(self.files.items()):
      if (path.endswith(tuple(extensions)) and
          any(path.startswith(f + "/") or f == "" for f in folders)):
        yield path, text

  def cpp(self, folders=("",)):
    return self.below(folders, (".h", ".cc"))
