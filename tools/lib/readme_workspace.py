#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the workspace that README.md prints, file by file.

usage: readme_workspace.py TROLLEYBUS FOLDER

FOLDER/trolleybus becomes a link to TROLLEYBUS. The files go to FOLDER/hello. In
README.md a file is a line with its name in backticks and a colon, an empty
line, and a block. A package `check` is added. Its test compares the output of
//:hello with the output that README.md shows.
"""

import os
import re
import sys

# The caption of the block with the output of the program.
RUN = "bazel run :hello"

_CAPTIONED = re.compile(
    r"^`([^`\n]+)`[^`\n]*:\n\n```\w*\n(.*?)^```$", re.DOTALL | re.MULTILINE)

CHECK_BUILD = """sh_test(
    name = "hello_test",
    size = "small",
    srcs = ["hello_test.sh"],
    args = ["$(location //:hello)"],
    data = [
        "printed",
        "//:hello",
    ],
)
"""

CHECK_SCRIPT = """#!/usr/bin/env bash
"$1" | diff "$(dirname "$0")/printed" - &&
  ((PIPESTATUS[0] == 0))
"""


def captioned(markdown):
  """The block below each caption: {"WORKSPACE": "...", ...}."""
  return dict(_CAPTIONED.findall(markdown))


def workspace(markdown):
  """The files of FOLDER/hello, by their paths there."""
  files = captioned(markdown)
  printed = files.pop(RUN)
  # A caption with a path belongs to another block of the page, not to a file.
  return {
      **{name: text for name, text in files.items() if "/" not in name},
      "check/BUILD": CHECK_BUILD,
      "check/hello_test.sh": CHECK_SCRIPT,
      "check/printed": printed,
  }


def write(folder, files):
  for name, text in files.items():
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
      file.write(text)
    if name.endswith(".sh"):
      os.chmod(path, 0o755)


def main(root, folder):
  with open(os.path.join(root, "README.md"), encoding="utf-8") as file:
    files = workspace(file.read())
  os.makedirs(folder, exist_ok=True)
  link = os.path.join(folder, "trolleybus")
  if os.path.islink(link):
    os.unlink(link)
  os.symlink(os.path.realpath(root), link)
  write(os.path.join(folder, "hello"), files)
  return 0


if __name__ == "__main__":
  if len(sys.argv) != 3:
    sys.exit(__doc__)
  sys.exit(main(sys.argv[1], sys.argv[2]))
