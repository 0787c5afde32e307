#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Charts and docs/performance.md from figures.csv and machine.json.

usage: report.py FOLDER TEMPLATE PAGE

FOLDER holds figures.csv and machine.json, as run.py writes them, and gets a
CSV and an SVG for each chart. PAGE is TEMPLATE with these lines replaced:

  {{machine}}           where and when it was measured
  {{summary A B...}}    a row for each workload: us, the bare mechanism, the
                        best peer
  {{everybody A B...}}  a row for each workload and program
  {{chart NAME}}        the picture, and a link to its figures
"""

import csv
import json
import os
import re
import sys
from dataclasses import dataclass

import chart
import figures


def read_rows(folder, reps):
  """As rows with as many values as say what the CSV says."""
  rows = []
  with open(os.path.join(folder, "figures.csv"), newline="",
            encoding="utf-8") as f:
    for r in csv.DictReader(f):
      middle = [float(r["median"])] * max(1, reps - 2)
      values = [float(r["min"])] + middle + [float(r["max"])]
      rows.append(figures.Row(r["workload"], r["who"], r["unit"], r["better"],
                              values if reps > 1 else middle))
  return rows


# Charts ----------------------------------------------------------------------


def _kind(who):
  if who.startswith("trolley"):
    return chart.OURS
  return chart.RAW if figures.is_raw(who) else chart.PEER


def _poller_series(match, row):
  """Ours by the name of the poller; peers with their best, which is epoll."""
  poller = match.group("poller")
  if row.who == "trolley":
    return f"trolley {poller}"
  if figures.is_raw(row.who):
    return row.who
  return row.who if poller == "epoll" else None


def _who(unused_match, row):
  return row.who


def _transport_series(match, row):
  if row.who == "trolley":
    return f"trolley {match.group('transport')}"
  return row.who


@dataclass
class Chart:
  """Workloads that match `pattern`, whose group x is where they lie."""
  name: str
  title: str
  x: str
  y: str
  pattern: str
  series: object = _who
  times: float = 1  # what a figure is worth
  times_x: bool = False  # and for each of x
  note: str = ""


POLLER = r"poller_(?P<poller>[a-z_]+)"
CHARTS = [
    Chart("pollers_n", "A wait with 1 descriptor ready",
          "descriptors watched", "ns for each wait",
          POLLER + r"_n(?P<x>\d+)_k1$", _poller_series),
    Chart("pollers_k", "Waits with more descriptors ready, of 1000",
          "descriptors ready", "ns for each event",
          POLLER + r"_n1000_k(?P<x>\d+)$", _poller_series),
    Chart("pollers_register", "Watching a descriptor, and no longer",
          "descriptors watched", "ns for each",
          POLLER + r"_register_n(?P<x>\d+)$", _poller_series,
          note="libev leaves it with the kernel until its number is reused"),
    Chart("frames_rtt", "A frame to another process and back",
          "bytes of the frame", "ns, median",
          r"frames_(?P<transport>pipe|unix)_rtt_(?P<x>\d+)$",
          _transport_series, note="CPUs kept awake"),
    Chart("frames_oneway", "Frames to another process, as fast as they go",
          "bytes of the frame", "bytes each second",
          r"frames_(?P<transport>pipe|unix)_oneway_(?P<x>\d+)$",
          _transport_series, times=1e6, times_x=True),
    Chart("scale_actors", "A hop in a ring of actors, in no order of memory",
          "actors", "ns for each hop", r"scale_actors_(?P<x>\d+)$"),
    Chart("scale_loops", "Loops that send to each other, all together",
          "loops, on 2 CPUs", "messages each second",
          r"scale_loops_(?P<x>\d+)$", times=1e6),
    Chart("scale_message", "A string to another loop, made and looked at",
          "bytes of the string", "ns for each message",
          r"scale_message_(?P<x>\d+)$"),
    Chart("servers_throughput", "An echo server, by its model",
          "clients", "echoes each second",
          r"echo_(?P<model>\w+?)_c(?P<x>\d+)$", times=1e6,
          note="64 bytes; the server on one CPU, the clients on the other"),
    Chart("servers_p99", "An echo server: the slowest of a hundred",
          "clients", "us, 99th percentile",
          r"echo_(?P<model>\w+?)_c(?P<x>\d+)_p99$"),
    Chart("servers_memory", "An echo server: memory",
          "clients", "bytes for each client",
          r"echo_(?P<model>\w+?)_c(?P<x>\d+)_memory$"),
]


def _model_series(match, unused_row):
  return match.group("model").replace("_", " ")


def rows_of(of_chart, rows):
  """(series, kind, x, y, row) for each row of the chart."""
  found = []
  for row in rows:
    match = re.match(of_chart.pattern, row.workload)
    if not match:
      continue
    name_it = (_model_series if "model" in match.groupdict() else
               of_chart.series)
    name = name_it(match, row)
    if name is None:
      continue
    x = int(match.group("x"))
    y = row.median * of_chart.times * (x if of_chart.times_x else 1)
    kind = (chart.OURS if name.startswith(("trolley", "loop")) else
            _kind(row.who))
    found.append((name, kind, x, y, row))
  return found


def write_chart(of_chart, rows, folder):
  """False: there is nothing to draw."""
  found = rows_of(of_chart, rows)
  if not found:
    return False
  series = {}
  for name, kind, x, y, row in found:
    one = series.setdefault(name, chart.Series(name, [], kind))
    one.points.append((x, y, row.is_result))
  path = os.path.join(folder, of_chart.name)
  chart.write(path + ".svg", of_chart.title, of_chart.x, of_chart.y,
              list(series.values()), note=of_chart.note)
  figures.write_csv(path + ".csv", list({id(f[4]): f[4] for f in found}
                                        .values()))
  return True


# The page --------------------------------------------------------------------


def _plain(value):
  """Four digits, and no exponent."""
  if value < 1000:
    return f"{value:.4g}"
  return f"{int(float(f'{value:.4g}')):,}"


def _cell(row):
  if row is None:
    return "-"
  return ("" if row.is_result else "~") + _plain(row.median)


def wanted(names, rows):
  """Workloads that begin with one of the names, in the order of the rows."""
  return [w for w in dict.fromkeys(r.workload for r in rows)
          if any(re.fullmatch(n, w) for n in names)]


def summary(names, rows):
  lines = ["| workload | trolley | spread | bare mechanism | ratio | "
           "best peer | ratio |", "| --- " * 7 + "|"]
  for workload in wanted(names, rows):
    of_it = [r for r in rows if r.workload == workload]
    us = next((r for r in of_it if r.who == "trolley"), None)
    if us is None:
      continue
    raw, peer = figures.reference(of_it), figures.best_peer(of_it)
    named = lambda r: "-" if r is None else f"{r.who} {_cell(r)}"
    better = "" if us.better == "higher" else ", less is better"
    lines.append(
        f"| {workload}, {us.unit}{better} | {_cell(us)} | "
        f"{100 * us.spread:.0f} % | "
        f"{named(raw).removeprefix('raw.')} | {figures.ratio(us, raw)} | "
        f"{named(peer)} | {figures.ratio(us, peer)} |")
  return lines


def everybody(names, rows):
  lines = ["| workload | who | median | least | most | spread | / bare | "
           "/ best peer |", "| --- " * 8 + "|"]
  for workload in wanted(names, rows):
    of_it = [r for r in rows if r.workload == workload]
    raw, peer = figures.reference(of_it), figures.best_peer(of_it)
    for i, r in enumerate(of_it):
      what = f"{workload}, {r.unit}" if i == 0 else ""
      lines.append(
          f"| {what} | {r.who} | {_cell(r)} | {_plain(min(r.values))} | "
          f"{_plain(max(r.values))} | {100 * r.spread:.0f} % | "
          f"{figures.ratio(r, raw)} | {figures.ratio(r, peer)} |")
  return lines


# The most per cent of the CPUs that other programs may have used while it was
# measured, with the interrupts that belong to no program.
MOST_OTHERS = 5


def machine(about):
  reps = ("1 repetition" if about["reps"] == 1 else
          f"{about['reps']} interleaved repetitions")
  lines = [f"- {about['cpu']}, {about['cpus']} CPUs; {about['kernel']}; "
           f"{about['system']}; {about['compiler']} -O2.",
           f"- {reps}, {about['minutes']} "
           f"minutes, ended {about['ended']}; others used "
           f"{about['others_percent']:.1f} % of the CPUs meanwhile.",
           "- Idle CPUs were " +
           ("kept awake, but in rows named `_halting`."
            if about["awake"] else
            "free to halt: every round trip that blocks has that in it.")]
  near = about["distances"]
  if near:
    count = {d: sum(1 for v in near.values() if v == d)
             for d in sorted(set(near.values()))}
    lines.append("- A cache line's distance between the CPUs: " + ", ".join(
        f"*{d}* for {n} workloads" for d, n in count.items()) + ".")
    if len(count) > 1:
      few = min(count, key=count.get)
      lines.append(f"- The *{few}* ones: " + ", ".join(
          f"`{w}`" for w, d in near.items() if d == few) + ".")
  for failure in about["failures"]:
    lines.append(f"- Failed: {failure}.")
  if about["others_percent"] > MOST_OTHERS:
    lines.insert(0, "- **The machine did other things meanwhile: believe no "
                 "more than the ratios.**")
  if about["quick"]:
    lines.insert(0, "- **A quick look, one repetition at a hundredth of the "
                 "size: that it works, and no figure of it means anything.**")
  return lines


HEAD = ("<!-- Written by tools/bench --report from the figures and\n"
        "     tests/bench/lib/performance.template.md: edit that. -->\n")


def page(template, about, rows, drawn, folder):
  lines = []
  for line in template.splitlines():
    match = re.fullmatch(r"\{\{(\w+) ?(.*)\}\}", line)
    if not match:
      lines.append(line)
      continue
    what, names = match.group(1), match.group(2).split()
    if what == "machine":
      lines += machine(about)
    elif what == "summary":
      lines += summary(names, rows)
    elif what == "everybody":
      lines += everybody(names, rows)
    elif what == "chart":
      for name in names:
        if name in drawn:
          lines += [f"![{drawn[name]}]({folder}/{name}.svg)", "",
                    f"[The figures]({folder}/{name}.csv)"]
        else:
          lines.append(f"({name}: not measured yet.)")
    else:
      raise ValueError(f"the template asks for {{{{{what}}}}}, which is not "
                       "known; see report.py")
  return HEAD + "\n".join(lines) + "\n"


def write_all(folder, template, target):
  """How many figures and charts there are."""
  with open(os.path.join(folder, "machine.json"), encoding="utf-8") as f:
    about = json.load(f)
  rows = read_rows(folder, about["reps"])
  drawn = {c.name: c.title for c in CHARTS if write_chart(c, rows, folder)}
  with open(template, encoding="utf-8") as f:
    text = f.read()
  beside = os.path.relpath(folder, os.path.dirname(target) or ".")
  with open(target, "w", encoding="utf-8") as f:
    f.write(page(text, about, rows, drawn, beside))
  return len(rows), len(drawn)


def main():
  if len(sys.argv) != 4:
    print(__doc__, file=sys.stderr)
    return 2
  rows, drawn = write_all(*sys.argv[1:])
  print(f"{sys.argv[3]}: {rows} figures, {drawn} charts")
  return 0


if __name__ == "__main__":
  sys.exit(main())
