#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/lib/setup.sh knows two releases, and names both on any other."""

import os
import subprocess
import sys
import tempfile
import unittest

import cases

RELEASES = {"12": "bookworm", "13": "trixie"}


class SetupTest(unittest.TestCase):
  lib = None

  def bash(self, script, os_release="", packages=""):
    """What a script says that has sourced setup.sh on such a machine."""
    with tempfile.TemporaryDirectory() as folder:
      for name, text in (("os-release", os_release), ("packages", packages)):
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
          file.write(text)
      return subprocess.run(
          ["bash", "-uc",
           f". {self.lib}/say.sh; . {self.lib}/setup.sh; cd {folder}; "
           f"os_release={folder}/os-release; {script}"],
          capture_output=True, text=True, check=False)

  def on(self, os_release):
    return self.bash("require_debian; echo release $debian_release",
                     f"PRETTY_NAME=Here\n{os_release}\n")

  def test_both_releases_are_known(self):
    for number in RELEASES:
      ran = self.on(f"ID=debian\nVERSION_ID={number}")
      self.assertEqual((0, f"release {number}\n"), (ran.returncode, ran.stdout),
                       ran.stderr)

  def test_any_other_is_told_of_both(self):
    for other in ("ID=debian\nVERSION_ID=11", "ID=debian\nVERSION_ID=14",
                  "ID=debian", "ID=ubuntu\nVERSION_ID=12", ""):
      ran = self.on(other)
      self.assertEqual(1, ran.returncode, other)
      for words in [f"{n} ({name})" for n, name in RELEASES.items()] + ["Here"]:
        self.assertIn(words, ran.stderr)

  def test_a_package_of_one_release_is_left_out_elsewhere(self):
    packages = "# Some\na\nb  # only 12: why\nc  # for d\n"
    for number, wanted in (("12", "a b c"), ("13", "a c")):
      ran = self.bash(f"packages_in packages {number}", packages=packages)
      self.assertEqual(wanted, " ".join(ran.stdout.split()), ran.stderr)

  def test_another_release_is_one_of_them(self):
    ran = self.bash(f". {self.lib}/release.sh; test_on_release sid /")
    self.assertEqual(2, ran.returncode)
    for name in RELEASES.values():
      self.assertIn(name, ran.stderr)


if __name__ == "__main__":
  SetupTest.lib = os.path.join(
      os.path.dirname(os.path.realpath(sys.argv[1])), "tools/lib")
  sys.exit(cases.run(SetupTest))
