# SPDX-License-Identifier: Apache-2.0
"""Which folder may include which header, and by which path."""

import posixpath
import re

from tree import line_of

LAYERS = {
    "poller": {"poller"},
    "bus": {"bus", "poller"},
    "proto": {"proto"},
    "actors": {"actors", "bus", "poller", "proto"},
    "tools": {"tools", "actors", "bus", "poller", "proto"},
    # Of tests, what is public there: the suites for an embedder's own parts.
    "examples": {"examples", "actors", "bus", "poller", "proto", "tests"},
}

# The core links Abseil and nothing else.
CORE = ("poller", "bus")
NOT_IN_CORE = re.compile(r"google/|grpc|nats")

_PRODUCT = ("poller/", "bus/", "proto/", "actors/")

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]',
                      re.MULTILINE)


def includes_follow_the_layers(tree):
  problems = []
  for path, text in tree.cpp(LAYERS):
    layer = path.split("/")[0]
    for match in _INCLUDE.finditer(text):
      included = match.group(2).split("/")
      if included[0] != "trolley" or included[1] in LAYERS[layer]:
        continue
      known = ", ".join(sorted(LAYERS[layer]))
      problems.append(
          f"{path}:{line_of(text, match.start())}: {layer} includes "
          f"{match.group(2)}, but knows only: {known}. Move the code up, or "
          f"what it needs down.")
  return problems


def core_includes_abseil_alone(tree):
  problems = []
  for path, text in tree.cpp(CORE):
    for match in _INCLUDE.finditer(text):
      if NOT_IN_CORE.match(match.group(2)):
        problems.append(
            f"{path}:{line_of(text, match.start())}: {match.group(2)} in the "
            f"core, which links Abseil and nothing else. Put it in actors/.")
  return problems


def own_headers_are_included_by_public_path(tree):
  """A test may include a header of its own folder by its bare name."""
  problems = []
  for path, text in tree.cpp():
    folder = posixpath.dirname(path)
    for match in _INCLUDE.finditer(text):
      name = match.group(2)
      for own in (name, posixpath.normpath(posixpath.join(folder, name))):
        if own in tree.files and own.startswith(_PRODUCT):
          problems.append(
              f"{path}:{line_of(text, match.start())}: include it as "
              f'"trolley/{own}", the path an embedder has.')
          break
  return problems
