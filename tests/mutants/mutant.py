# SPDX-License-Identifier: Apache-2.0
"""A table of mutants: one mistake each, and the test that must turn red.

To add one: name the promise and the mistake, the file, what is right there (it
occurs once) and what is wrong, in which MUTANT is true for this mutant alone;
and the test. It must fail by a check of its own, and soon: prefer what shows a
message that is lost at once, such as a simulated bus ("/sim2"), to a wait.
"""

import collections
import runpy

# name: P<promise>_<what it does wrong>.
Mutant = collections.namedtuple("Mutant", "name file right wrong test")


def load(path):
  """The MUTANTS of a table.py, which has the name Mutant."""
  return runpy.run_path(path, {"Mutant": Mutant})["MUTANTS"]
