# SPDX-License-Identifier: Apache-2.0
"""Charts and page say what the figures say."""

import json
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

import chart
import figures
import report

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.join(HERE, "..", "..", "tidy"))
import cases  # noqa: E402

ABOUT = {
    "cpu": "x", "cpus": 2, "kernel": "k", "system": "s", "compiler": "c",
    "reps": 5, "quick": False, "minutes": 1, "ended": "today",
    "others_percent": 0, "awake": True,
    "distances": {"a": "near", "b": "far", "c": "near"}, "failures": [],
}


def row(workload, who, *values, better="lower"):
  return figures.Row(workload, who, "ns", better, list(values))


class ReportTest(unittest.TestCase):

  def setUp(self):
    self.folder = tempfile.mkdtemp()

  def page(self, template, rows, about=None):
    """What becomes of a template."""
    figures.write_csv(os.path.join(self.folder, "figures.csv"), rows)
    with open(os.path.join(self.folder, "machine.json"), "w",
              encoding="utf-8") as f:
      json.dump(dict(ABOUT, **(about or {})), f)
    paths = [os.path.join(self.folder, n) for n in ("template", "page")]
    with open(paths[0], "w", encoding="utf-8") as f:
      f.write(template)
    report.write_all(self.folder, *paths)
    with open(paths[1], encoding="utf-8") as f:
      return f.read()

  def test_ratios_are_to_the_first_raw_one_and_to_the_best_peer(self):
    page = self.page("{{summary w}}", [
        row("w", "raw.one", 90, 100, 110), row("w", "raw.other", 5, 5, 5),
        row("w", "trolley", 190, 200, 210), row("w", "a-1", 390, 400, 410),
        row("w", "b-1", 790, 800, 810), row("w2", "trolley", 1, 1, 1)])
    self.assertIn("| 200 | 10 % | one 100 | 2.00 | a-1 400 | 0.50 |", page)
    self.assertNotIn("w2", page)

  def test_a_wide_spread_is_marked(self):
    page = self.page("{{summary w}}", [
        row("w", "raw.one", 100, 100, 100), row("w", "trolley", 10, 20, 30)])
    self.assertIn("| ~20 | 100 % | one 100 | ~0.20 |", page)

  def test_one_repetition_is_no_result(self):
    page = self.page("{{everybody w}}", [row("w", "trolley", 7)],
                     {"reps": 1})
    self.assertIn("| ~7 |", page)

  def test_other_work_and_failures_are_told(self):
    page = self.page("{{machine}}", [row("w", "trolley", 1)],
                     {"others_percent": 30, "failures": ["w/x: it hung"]})
    self.assertIn("did other things", page)
    self.assertIn("Failed: w/x: it hung.", page)
    self.assertIn("*near* for 2 workloads", page)
    self.assertIn("The *far* ones: `b`", page)

  def test_a_chart_has_a_series_for_each_poller_and_peer(self):
    self.page("", [
        row("poller_epoll_n10_k1", "trolley", 900),
        row("poller_epoll_n1000_k1", "trolley", 905),
        row("poller_epoll_n10_k1", "libx-1", 1000),
        row("poller_poll_n10_k1", "libx-1", 1100),
        row("poller_poll_n10_k1", "trolley", 1200),
        row("poller_epoll_n1000_k10", "trolley", 300)])
    with open(os.path.join(self.folder, "pollers_n.svg"),
              encoding="utf-8") as f:
      texts = [t.text for t in ElementTree.fromstring(f.read()).iter(
          "{http://www.w3.org/2000/svg}text")]
    for text in ("trolley epoll", "trolley poll", "libx-1",
                 "descriptors watched", "ns for each wait"):
      self.assertEqual(1, texts.count(text), text)

  def test_ten_times_as_much_is_as_far_on_both_axes(self):
    svg = ElementTree.fromstring(chart.draw("t", "x", "y", [
        chart.Series("s", [(1, 10), (10, 100), (100, 1000)])]))
    line = svg.find("{http://www.w3.org/2000/svg}polyline")
    points = [tuple(map(float, p.split(",")))
              for p in line.get("points").split()]
    for axis in (0, 1):
      steps = [points[i + 1][axis] - points[i][axis] for i in (0, 1)]
      self.assertAlmostEqual(steps[0], steps[1], delta=0.2)

  def test_the_committed_page_is_what_the_figures_give(self):
    root = os.path.dirname(os.path.realpath(sys.argv[1]))
    charts = os.path.join(root, "docs", "charts")
    for name in os.listdir(charts):
      with open(os.path.join(charts, name), encoding="utf-8") as f:
        text = f.read()
      with open(os.path.join(self.folder, name), "w", encoding="utf-8") as f:
        f.write(text)
    page = os.path.join(self.folder, "page.md")
    report.write_all(
        self.folder, os.path.join(HERE, "performance.template.md"), page)
    with open(page, encoding="utf-8") as f:
      made = f.read().replace("(./", "(charts/")
    with open(os.path.join(root, "docs", "performance.md"),
              encoding="utf-8") as f:
      self.assertEqual(made, f.read(), "run tools/bench --redraw")
    for name in os.listdir(charts):
      with open(os.path.join(charts, name), encoding="utf-8") as f, \
          open(os.path.join(self.folder, name), encoding="utf-8") as g:
        self.assertEqual(f.read(), g.read(),
                         f"{name}: run tools/bench --redraw")


if __name__ == "__main__":
  sys.exit(cases.run(ReportTest))
