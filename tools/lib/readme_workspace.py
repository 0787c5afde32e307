#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the workspace that README.md prints, file by file, as it stands there.

usage: readme_workspace.py TROLLEYBUS FOLDER

FOLDER/trolleybus is a link to TROLLEYBUS, and FOLDER/hello gets the files: in
README.md a line that is nothing but the file's name in backticks and a colon,
an empty line, and the block. Beside them stands a package `check` with the test
that //:hello prints what README.md says it prints.
"""

import os
import re
import sys

# The line above what `bazel run :hello` prints.
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
  """What stands below each caption: {"WORKSPACE": "...", ...}."""
  return dict(_CAPTIONED.findall(markdown))


def workspace(markdown):
  """The files of FOLDER/hello, by their paths there."""
  files = captioned(markdown)
  printed = files.pop(RUN)
  # Only the four it takes: a caption elsewhere in the page is no file.
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
