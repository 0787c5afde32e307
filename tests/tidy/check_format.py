# SPDX-License-Identifier: Apache-2.0
"""Line lengths, and the check of clang-format, for every file."""

import re
import subprocess

# False: what is not formatted is a skipped case, not a failure.
ENFORCED = True

# Another version of it breaks lines elsewhere.
FORMATTER = "clang-format-14"

# Its program is README.md's, which is shorter than the style allows.
FREE = {"examples/embed/hello.cc"}

MOST_COLUMNS = 80

_WARNING = re.compile(r"^(\S+?):(\d+):\d+: (?:error|warning): ", re.MULTILINE)


def formatter_is_there():
  try:
    subprocess.run([FORMATTER, "--version"], check=True,
                   stdout=subprocess.DEVNULL)
  except (OSError, subprocess.CalledProcessError):
    return False
  return True


def formatted_files(tree):
  return [path for path, _ in tree.cpp() if path not in FREE]


def files_are_formatted(tree):
  """One sentence for each file; tree.root is where they are."""
  said = subprocess.run(
      [FORMATTER, "--dry-run", "--Werror", "--style=file",
       *formatted_files(tree)],
      cwd=tree.root, capture_output=True, text=True, check=False)
  first_line = {}
  for path, line in _WARNING.findall(said.stderr):
    first_line.setdefault(path, line)
  if said.returncode != 0 and not first_line:
    return [f"{FORMATTER}: {said.stderr.strip()}"]
  return [f"{path}:{line}: not as {FORMATTER} has it; run tools/format."
          for path, line in sorted(first_line.items())]


def comments_fit(tree):
  """The formatter leaves comments as they are: it would tear their tables."""
  problems = []
  for path in formatted_files(tree):
    for number, line in enumerate(tree.files[path].split("\n"), 1):
      if "//" in line and len(line) > MOST_COLUMNS:
        problems.append(f"{path}:{number}: a comment ends in column {len(line)}"
                        f", of {MOST_COLUMNS} at most; break it by hand.")
  return problems
