# SPDX-License-Identifier: Apache-2.0
"""What benchmarks come to: runs, rows of a table, and the CSV of both.

A run is one repetition: workload, who, value, and how far apart the two CPUs
were. A row is the median, least and most of the runs at one distance.
"""

import csv
import os
import statistics
from collections import Counter
from dataclasses import dataclass, field

# Beyond it a figure says more about the machine than about the code.
MOST_SPREAD = 0.3
LEAST_RUNS = 3

COLUMNS = ["workload", "who", "unit", "better", "median", "min", "max"]
FAILED = "failed"


@dataclass
class Row:
  workload: str
  who: str
  unit: str
  better: str
  values: list = field(default_factory=list)
  distance: str = ""
  failure: str = ""

  @property
  def median(self):
    return statistics.median(self.values)

  @property
  def spread(self):
    low, high = min(self.values), max(self.values)
    return 0 if low == high else (high - low) / abs(self.median or high)

  @property
  def is_result(self):
    return len(self.values) >= LEAST_RUNS and self.spread <= MOST_SPREAD

  @property
  def is_raw(self):
    return is_raw(self.who)

  @property
  def is_peer(self):
    return is_peer(self.who)


def is_raw(who):
  return who.startswith("raw.")


def is_peer(who):
  return not is_raw(who) and who != "trolley"


def number(value):
  """Five digits, as much as any of it means."""
  return f"{value:.5g}"


def most_at(rows):
  """The distance at which most was run."""
  count = Counter()
  for row in rows:
    count[row.distance] += len(row.values)
  return count.most_common(1)[0][0] if count else ""


def reference(rows):
  """The raw mechanism that the others are compared with: the first."""
  return next((r for r in rows if r.is_raw and r.values), None)


def best_peer(rows):
  peers = [r for r in rows if r.is_peer and r.values]
  if not peers:
    return None
  pick = max if peers[0].better == "higher" else min
  return pick(peers, key=lambda r: r.median)


def ratio(row, to):
  if to is None or not to.median:
    return "-"
  mark = "" if row.is_result and to.is_result else "~"
  return f"{mark}{row.median / to.median:.2f}"


def table(workload, rows):
  """Lines to print, for the rows of one workload."""
  first = rows[0]
  lines = [
      f"{workload}, {first.unit}, {first.better} is better",
      f"  {'who':<28} {'cpus':<5} {'median':>11} {'min':>11} {'max':>11} "
      f"{'spread':>6} {'of':>2} {'/ raw':>7} {'/ peer':>7}"
  ]
  for distance in sorted({r.distance for r in rows if r.values}):
    there = [r for r in rows if r.distance == distance and r.values]
    raw, peer = reference(there), best_peer(there)
    for r in there:
      lines.append(
          f"{' ' if r.is_result else '~'} {r.who:<28} {distance:<5} "
          f"{r.median:>11.4g} {min(r.values):>11.4g} {max(r.values):>11.4g} "
          f"{100 * r.spread:>5.0f}% {len(r.values):>2} "
          f"{ratio(r, raw):>7} {ratio(r, peer):>7}")
  for r in rows:
    if r.failure:
      lines.append(f"~ {r.who:<28} {FAILED}: {r.failure}")
  return lines


def write_csv(path, rows):
  with open(path, "w", newline="", encoding="utf-8") as f:
    out = csv.writer(f, lineterminator="\n")
    out.writerow(COLUMNS)
    for r in rows:
      if r.values:
        out.writerow([r.workload, r.who, r.unit, r.better, number(r.median),
                      number(min(r.values)), number(max(r.values))])


class Log:
  """Every repetition, written as it ends, so that a broken run goes on."""

  FIELDS = ["workload", "who", "unit", "better", "distance", "value", "failure"]

  def __init__(self, path):
    self.path = path
    self.runs = []
    if path and os.path.exists(path):
      with open(path, newline="", encoding="utf-8") as f:
        self.runs = [r for r in csv.DictReader(f) if r.get("failure") is not None]

  def add(self, **run):
    self.runs.append({k: str(run[k]) for k in self.FIELDS})
    if not self.path:
      return
    new = not os.path.exists(self.path)
    with open(self.path, "a", newline="", encoding="utf-8") as f:
      out = csv.DictWriter(f, self.FIELDS, lineterminator="\n")
      if new:
        out.writeheader()
      out.writerow(self.runs[-1])

  def of(self, workload, who):
    return [r for r in self.runs if r["workload"] == workload and
            r["who"] == who]

  def rows(self, workload=None):
    """One for each workload, who and distance; failures come without values."""
    rows = {}
    for run in self.runs:
      if workload is not None and run["workload"] != workload:
        continue
      key = (run["workload"], run["who"], run["distance"])
      row = rows.setdefault(key, Row(run["workload"], run["who"], run["unit"],
                                     run["better"], [], run["distance"]))
      if run["failure"]:
        row.failure = run["failure"]
      else:
        row.values.append(float(run["value"]))
    return list(rows.values())

  def workloads(self):
    return list(dict.fromkeys(r["workload"] for r in self.runs))

  def figures(self):
    """For each workload, its rows at the distance at which most was run."""
    rows = []
    for workload in self.workloads():
      of_it = self.rows(workload)
      distance = most_at([r for r in of_it if r.distance != "moved"])
      rows += [r for r in of_it if r.values and r.distance == distance]
    return rows
