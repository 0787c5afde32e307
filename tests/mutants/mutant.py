# SPDX-License-Identifier: Apache-2.0
"""A table of mutants: one mistake each, and the test that must turn red.

The place of a mistake is a mark in the code, a comment line above a statement:

  // mutant: P2_ADeadLetterIsNotCounted
  if (e->lane() != Lane::kControl) ledger.dead_lettered.Increment();

The table says how that statement changes, and names the test:

  Mutant("P2_ADeadLetterIsNotCounted", Skip(), "ConservationTest.Books")

The test must fail by a check of its own, and soon. Prefer a check that sees a
lost message at once, such as one on a simulated bus ("/sim2"), to a wait.

  change                   what the mutant does
  Skip()                   leaves the statement out
  Skip(unless="c")         leaves it out where the expression c is false
  Instead("code")          runs the code in its place
  Before("code")           runs the code first
  After("code")            runs the code next; behind a "{", first in the block
  Swap("token", "wrong")   evaluates the expression `wrong` for the token

The token is an expression that occurs once in the statement; where it has a
space, the statement may have a line break. A line may mark several mutants,
with ", " between their names, and several such lines may follow each other.
"""

import collections
import runpy

# name: P<promise>_<what it does wrong>, once in the whole tree.
Mutant = collections.namedtuple("Mutant", "name change test")

Skip = collections.namedtuple("Skip", "unless", defaults=[None])
Instead = collections.namedtuple("Instead", "code")
Before = collections.namedtuple("Before", "code")
After = collections.namedtuple("After", "code")
Swap = collections.namedtuple("Swap", "token wrong")

_WORDS = {word.__name__: word
          for word in (Mutant, Skip, Instead, Before, After, Swap)}


def load(path):
  """The MUTANTS of a table, which needs no import for these words."""
  return runpy.run_path(path, _WORDS)["MUTANTS"]
