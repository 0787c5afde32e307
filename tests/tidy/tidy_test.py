#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the tree against the house rules of CONTRIBUTING.md."""

import os
import sys
import unittest

import cases
import check_code
import check_files
import check_format
import check_layers
import check_mutants
import check_options
import check_promises
import check_public_labels
import check_rooms
import check_times
import check_verbs
import check_words
from tree import Tree

# unittest leaves out of its traces the frames of a module that says so: what a
# check found is all there is to see.
__unittest = True


class TidyTest(unittest.TestCase):
  """One case for each rule, over every file."""

  maxDiff = None
  tree = None

  def hold(self, check):
    problems = check(self.tree)
    if problems:
      self.fail("\n".join(["breaks a house rule:"] + problems))

  def test_includes_follow_the_layers(self):
    self.hold(check_layers.includes_follow_the_layers)

  def test_core_includes_abseil_alone(self):
    self.hold(check_layers.core_includes_abseil_alone)

  def test_own_headers_are_included_by_public_path(self):
    self.hold(check_layers.own_headers_are_included_by_public_path)

  def test_names_stand_where_they_belong(self):
    self.hold(check_rooms.names_stand_where_they_belong)

  def test_users_name_no_internals(self):
    self.hold(check_rooms.users_name_no_internals)

  def test_users_include_public_headers(self):
    self.hold(check_rooms.users_include_public_headers)

  def test_units_need_each_other_one_way(self):
    self.hold(check_rooms.units_need_each_other_one_way)

  def test_the_bus_knows_no_actors(self):
    self.hold(check_rooms.the_bus_knows_no_actors)

  def test_public_headers_have_a_page(self):
    self.hold(check_rooms.public_headers_have_a_page)

  def test_words_are_those_of_the_page(self):
    self.hold(check_words.words_are_those_of_the_page)

  def test_fences_are_banned(self):
    self.hold(check_code.fences_are_banned)

  def test_weak_memory_orders_have_few_homes(self):
    self.hold(check_code.weak_memory_orders_have_few_homes)

  def test_tests_do_not_sleep(self):
    self.hold(check_code.tests_do_not_sleep)

  def test_tests_do_not_spin(self):
    self.hold(check_code.tests_do_not_spin)

  def test_waits_follow_the_monotonic_clock(self):
    self.hold(check_code.waits_follow_the_monotonic_clock)

  def test_times_are_tested_at_their_ends(self):
    self.hold(check_times.times_are_tested_at_their_ends)

  def test_options_are_tested_at_their_extremes(self):
    self.hold(check_options.options_are_tested_at_their_extremes)

  def test_skips_give_a_reason(self):
    self.hold(check_code.skips_give_a_reason)

  def test_system_calls_live_in_the_poller(self):
    self.hold(check_code.system_calls_live_in_the_poller)

  def test_marks_and_tables_of_mutants_match(self):
    self.hold(check_mutants.marks_and_tables_match)

  def test_verbs_have_rows(self):
    self.hold(check_verbs.verbs_have_rows)

  def test_sources_name_their_license(self):
    self.hold(check_files.sources_name_their_license)

  def test_include_guards_follow_the_path(self):
    self.hold(check_files.include_guards_follow_the_path)

  def test_headers_fit_in_the_head(self):
    self.hold(check_files.headers_fit_in_the_head)

  def test_todos_name_an_issue(self):
    self.hold(check_files.todos_name_an_issue)

  def test_no_path_of_one_machine(self):
    self.hold(check_files.no_path_of_one_machine)

  def test_public_labels_are_tried_from_outside(self):
    self.hold(check_public_labels.public_labels_are_tried_from_outside)

  def test_public_headers_are_listed(self):
    self.hold(check_public_labels.public_headers_are_listed)

  def test_comments_fit(self):
    self.hold(check_format.comments_fit)

  def test_files_are_formatted(self):
    if not check_format.formatter_is_there():
      self.skipTest(f"there is no {check_format.FORMATTER} here: Debian 13 has "
                    "another, which breaks lines elsewhere")
    if not check_format.ENFORCED:
      problems = check_format.files_are_formatted(self.tree)
      self.skipTest("not enforced yet; " + (" ".join(problems) or "all are"))
    self.hold(check_format.files_are_formatted)

  def test_promises_and_tests_match(self):
    if not check_promises.promises_are_written_down(self.tree):
      self.skipTest(f"there is no {check_promises.GUARANTEES} yet")
    self.hold(check_promises.promises_and_tests_match)


def root_of_the_tree(argument):
  """The folder of the real WORKSPACE behind Bazel's link to it."""
  root = os.path.dirname(os.path.realpath(argument))
  if not os.path.exists(os.path.join(root, "tests", "tidy", "tidy_test.py")):
    sys.exit(f"tidy_test: {root} is not the Trolleybus tree; pass the path of "
             f"its WORKSPACE file.")
  return root


if __name__ == "__main__":
  if len(sys.argv) != 2:
    sys.exit("usage: tidy_test.py PATH/TO/WORKSPACE")
  TidyTest.tree = Tree.read(root_of_the_tree(sys.argv[1]))
  sys.exit(cases.run(TidyTest))
