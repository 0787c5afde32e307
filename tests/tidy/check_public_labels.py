# SPDX-License-Identifier: Apache-2.0
"""The public labels of //BUILD.bazel, and the headers that come with them."""

import ast
import re

from tree import line_of

TABLE = "examples/embed/public_labels.bzl"
USES = "examples/embed/uses/"

_ALIAS = re.compile(r"^alias\((.*?)^\)", re.DOTALL | re.MULTILINE)
_NAME = re.compile(r'^    name = "([^"]+)"', re.MULTILINE)
_ROWS = re.compile(r"^PUBLIC_LABELS = (\{.*?^\})", re.DOTALL | re.MULTILINE)
_INCLUDE = re.compile(
    r'#[ \t]*include[ \t]*"(trolley/(?:poller|bus|actors|proto)/[^"]+)"')


def public_labels(tree):
  """The aliases with public visibility."""
  return {
      _NAME.search(alias).group(1)
      for alias in _ALIAS.findall(tree.files["BUILD.bazel"])
      if '"//visibility:public"' in alias}


def table(tree):
  """{label: [header, ...]}, from the rows of the .bzl file."""
  return ast.literal_eval(_ROWS.search(tree.files[TABLE]).group(1))


def public_labels_are_tried_from_outside(tree):
  public = public_labels(tree)
  tried = set(table(tree))
  problems = [f"BUILD.bazel: {label} is public; give it a row in {TABLE}."
              for label in sorted(public - tried)]
  problems += [f"{TABLE}: BUILD.bazel has no public {label}; take the row out."
               for label in sorted(tried - public)]
  problems += [f"{USES}{label}.cc is not there: a program that uses {label}."
               for label in sorted(tried)
               if f"{USES}{label}.cc" not in tree.files]
  return problems


def public_headers_are_listed(tree):
  """What a page or an example says to include is a header of some label."""
  listed = {header for headers in table(tree).values() for header in headers}
  problems = [f"{TABLE}: there is no {header}."
              for header in sorted(listed)
              if not header.endswith(".pb.h")
              and header[len("trolley/"):] not in tree.files]
  for path, text in tree.below(("",), (".md", ".cc", ".h")):
    if not path.endswith(".md") and not path.startswith("examples/"):
      continue
    for match in _INCLUDE.finditer(text):
      if match.group(1) not in listed:
        problems.append(
            f"{path}:{line_of(text, match.start())}: {match.group(1)} is of no "
            f"public label; give it one, and a row in {TABLE}.")
  return problems
