# SPDX-License-Identifier: Apache-2.0
"""run.py over programs that lose, crash, hang and come out differently."""

import csv
import os
import stat
import subprocess
import sys
import tempfile
import unittest

import figures

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "tidy"))
import cases  # noqa: E402

# A benchmark program: what it describes, and what it does when asked for one.
PROGRAM = """#!/bin/sh
case $1 in
  --describe) printf '%b' '{described}' ;;
  --only=*) name=${{1#--only=}}; {does} ;;
esac
"""


class RunTest(unittest.TestCase):

  def setUp(self):
    self.folder = tempfile.mkdtemp()

  def path(self, name):
    return os.path.join(self.folder, name)

  def program(self, name, described, does):
    with open(self.path(name), "w", encoding="utf-8") as f:
      f.write(PROGRAM.format(described=described, does=does))
    os.chmod(self.path(name), stat.S_IRWXU)
    return self.path(name)

  def run_py(self, *arguments):
    return subprocess.run(
        [sys.executable, os.path.join(HERE, "run.py"), *arguments],
        capture_output=True, text=True, check=False)

  def rows(self, *arguments):
    self.result = self.run_py(f"--csv={self.path('f.csv')}", *arguments)
    with open(self.path("f.csv"), newline="", encoding="utf-8") as f:
      return list(csv.DictReader(f))

  def test_everybody_takes_turns_and_the_middle_one_counts(self):
    order = self.path("order")
    count = f'n=$(cat {order} | wc -l); echo "$name" >>{order}; '
    open(order, "w", encoding="utf-8").close()
    one = self.program("one", "w\\traw.x\\tns\\tlower\\t\\n",
                       count + 'echo "$((100 + n)) 0 0 0"')
    other = self.program("other", "w\\ttrolley\\tns\\tlower\\t\\n",
                         count + 'echo "$((200 + n)) 0 0 0"')
    rows = self.rows("--reps=3", one, other)
    with open(order, encoding="utf-8") as f:
      self.assertEqual(["w/raw.x", "w/trolley", "w/trolley", "w/raw.x",
                        "w/raw.x", "w/trolley"], f.read().split())
    self.assertEqual(["workload", "who", "unit", "better", "median", "min",
                      "max"], list(rows[0]))
    self.assertEqual(["103", "100", "104"],
                     [rows[0][k] for k in ("median", "min", "max")])
    self.assertEqual("202", rows[1]["median"])
    self.assertEqual(0, self.result.returncode)

  def test_who_crashes_or_hangs_is_named_and_the_rest_goes_on(self):
    good = self.program("good", "w\\ttrolley\\tns\\tlower\\t\\n",
                        "echo 1 0 0 0")
    bad = self.program("bad", "w\\tpeer-1\\tns\\tlower\\t\\n",
                       "echo it lost one >&2; exit 3")
    hung = self.program("hung", "w\\tpeer-2\\tns\\tlower\\t\\n",
                        "tail -f /dev/null")
    rows = self.rows("--reps=3", "--timeout=1", good, bad, hung)
    self.assertEqual(["trolley"], [r["who"] for r in rows])
    self.assertEqual(1, self.result.returncode)
    self.assertIn("w/peer-1: exit code 3: it lost one", self.result.stderr)
    self.assertIn("w/peer-2: did not end within 1 s", self.result.stderr)

  def test_figures_of_different_distances_stay_apart(self):
    # Far in every other run.
    count = self.path("count")
    open(count, "w", encoding="utf-8").close()
    does = (f'echo >>{count}; n=$(cat {count} | wc -l); '
            'far=$((n % 2 * 500 + 100)); echo "$far 0 $far $far"')
    moving = self.program("moving", "w\\ttrolley\\tns\\tlower\\ttwo_cpus \\n",
                          does)
    rows = self.rows("--reps=5", moving)
    self.assertEqual([("600", "600", "600")],
                     [(r["median"], r["min"], r["max"]) for r in rows])
    self.assertIn("near", self.result.stdout)
    self.assertIn("round trip: 100 to 600 ns", self.result.stdout)

  def test_a_wide_spread_is_no_result(self):
    def row(*values):
      return figures.Row("w", "trolley", "ns", "lower", list(values))
    self.assertTrue(row(100, 110, 129).is_result)
    self.assertFalse(row(100, 110, 143.1).is_result)
    self.assertFalse(row(100, 100).is_result)
    self.assertTrue(row(0, 0, 0).is_result)

  def test_it_goes_on_where_the_runs_end(self):
    good = self.program("good", "w\\ttrolley\\tns\\tlower\\t\\n",
                        f"echo >>{self.path('ran')}; echo 1 0 0 0")
    runs = f"--runs={self.path('runs.csv')}"
    self.run_py(runs, "--reps=2", good)
    self.run_py(runs, "--reps=5", good)
    with open(self.path("ran"), encoding="utf-8") as f:
      self.assertEqual(5, len(f.readlines()))

  def test_the_99th_percentile_is_a_workload_of_its_own(self):
    good = self.program("good", "w\\ttrolley\\tns\\tlower\\tp99 \\n",
                        "echo 1 7 0 0")
    self.assertEqual([("w", "1"), ("w_p99", "7")],
                     [(r["workload"], r["median"])
                      for r in self.rows("--quick", good)])

  def test_what_else_a_run_came_to_has_its_own_unit(self):
    good = self.program("good", "w\\ttrolley\\tM/s\\thigher\\t\\n",
                        "echo 5 0 0 0 memory=4096:B:lower")
    self.assertEqual([("w", "M/s", "5"), ("w_memory", "B", "4096")],
                     [(r["workload"], r["unit"], r["median"])
                      for r in self.rows("--quick", good)])


if __name__ == "__main__":
  sys.exit(cases.run(RunTest))
