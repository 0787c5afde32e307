#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs benchmark programs side by side; tools/bench is what people call.

usage: run.py [--reps=5] [--quick] [--filter=TEXT] [--csv=FILE] [--runs=FILE]
              [--about=FILE] [--timeout=SECONDS] [--list] PROGRAM...

Each program, which may come with arguments, links tests/bench/lib or behaves as
if: it describes its cases and runs one. All programs run a workload once
before one of them runs it again, each in a process of its own. Another one is
first in each round. The distance of a cache line between CPU 0 and CPU 1 is
measured around each run, and figures at different distances stay apart. A
program that fails or hangs is reported, and the others go on.

  --runs   keeps each repetition in FILE, and goes on where FILE ends
  --about  writes what the figures depend on besides the code, as JSON

Exit code: 0 measured; 1 a case failed; 2 the command line was not understood.
"""

import argparse
import json
import os
import platform
import shlex
import struct
import subprocess
import sys
import time
from dataclasses import dataclass

import figures

# About 100 ns within one last-level cache, 380 to 750 beyond it.
FAR_NS = 250
HALTING = "_halting"


@dataclass
class Case:
  program: str
  workload: str
  who: str
  unit: str
  better: str
  flags: list

  @property
  def name(self):
    return f"{self.workload}/{self.who}"


class AwakeCpus:
  """Keeps idle CPUs polling instead of halting, where it may."""

  def __init__(self):
    self.fd = -1

  def __enter__(self):
    try:
      self.fd = os.open("/dev/cpu_dma_latency", os.O_WRONLY | os.O_CLOEXEC)
      os.write(self.fd, struct.pack("i", 0))
    except OSError:
      self.__exit__()
    return self

  @property
  def held(self):
    return self.fd >= 0

  def __exit__(self, *unused):
    if self.fd >= 0:
      os.close(self.fd)
    self.fd = -1


def describe(program):
  try:
    text = subprocess.run(shlex.split(program) + ["--describe"], capture_output=True,
                          text=True, timeout=60, check=True).stdout
  except (OSError, subprocess.SubprocessError) as error:
    print(f"run.py: {program} does not say what it measures: {error}",
          file=sys.stderr)
    return []
  cases = []
  for line in text.splitlines():
    workload, who, unit, better, flags = line.split("\t")
    cases.append(Case(program, workload, who, unit, better, flags.split()))
  return cases


def distance_of(before, after):
  if before == 0 or after == 0:
    return ""
  if (before < FAR_NS) != (after < FAR_NS):
    return "moved"
  return "near" if before < FAR_NS else "far"


def run_once(case, scale, timeout):
  """What it came to, as {suffix: (value, unit, better)}, and the two probes of
  the distance, 0 if it does not matter; or None, and why not."""
  command = shlex.split(case.program) + [f"--only={case.name}",
                                         f"--scale={scale}"]
  try:
    # A group of its own, so that what it started ends with it.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
  except OSError as error:
    return None, str(error)
  try:
    out, errors = process.communicate(timeout=timeout)
  except subprocess.TimeoutExpired:
    os.killpg(process.pid, 9)
    process.communicate()
    return None, f"did not end within {timeout:g} s"
  except BaseException:  # stopping this script stops the program, too
    os.killpg(process.pid, 9)
    raise
  try:
    if process.returncode != 0:
      raise ValueError
    value, p99, before, after = map(float, out.split()[:4])
    came = {"": (value, case.unit, case.better)}
    if "p99" in case.flags:
      came["_p99"] = (p99, case.unit, case.better)
    for extra in out.split()[4:]:
      name, rest = extra.split("=")
      value, unit, better = rest.split(":")
      came[f"_{name}"] = (float(value), unit, better)
  except ValueError:
    said = (errors.strip().splitlines() or ["it said nothing"])[-1]
    return None, f"exit code {process.returncode}: {said}"
  return came, (before, after)


def first_line(command):
  try:
    return subprocess.run(command, capture_output=True, text=True,
                          check=True).stdout.splitlines()[0]
  except (OSError, subprocess.SubprocessError, IndexError):
    return "unknown"


def line_of(path, begins):
  """What comes after `begins` in that file, without quotes."""
  try:
    with open(path, encoding="utf-8") as f:
      for line in f:
        if line.startswith(begins):
          return line[len(begins):].strip(" \t\n:=\"")
  except OSError:
    pass
  return "unknown"


class Others:
  """The CPU time that all other programs have used since this was made."""

  def __init__(self):
    self._began = self._seconds()

  @staticmethod
  def _seconds():
    """Of all CPUs: in all, and those that others worked."""
    with open("/proc/stat", encoding="ascii") as f:
      user, nice, system, idle, iowait, irq, softirq, steal = (
          int(word) / os.sysconf("SC_CLK_TCK")
          for word in f.readline().split()[1:9])
    busy = user + nice + system + irq + softirq + steal
    ours = os.times()
    return (busy + idle + iowait,
            busy - ours.user - ours.system - ours.children_user -
            ours.children_system)

  def percent(self):
    total, theirs = (now - then
                     for now, then in zip(self._seconds(), self._began))
    return max(0.0, 100 * theirs / total) if total > 0 else 0.0


def about(options, log, awake, others, minutes):
  distances = {r.workload: r.distance for r in log.figures() if r.distance}
  return {
      "cpu": line_of("/proc/cpuinfo", "model name"),
      "cpus": os.cpu_count(),
      "kernel": f"Linux {platform.release()}",
      "system": line_of("/etc/os-release", "PRETTY_NAME"),
      "compiler": first_line(["c++", "--version"]),
      "reps": options.reps,
      "quick": options.quick,
      "minutes": minutes,
      "ended": time.strftime("%Y-%m-%d"),
      "others_percent": others.percent(),
      "awake": awake,
      "distances": distances,
      "failures": failures(log),
  }


def failures(log):
  return sorted({f"{r['workload']}/{r['who']}: {r['failure']}"
                 for r in log.runs if r["failure"]})


class Runner:

  def __init__(self, options, log, awake):
    self.options = options
    self.log = log
    self.can_hold = awake
    self.terminal = sys.stderr.isatty()
    self.began = time.monotonic()
    self.tables = {}  # names of what came out, in order
    self.probes = []  # of this workload, in nanoseconds

  def progress(self, text):
    if self.terminal:
      took = int(time.monotonic() - self.began)
      print(f"\r\033[K{took // 60}:{took % 60:02} {text}", end="",
            file=sys.stderr, flush=True)

  def one(self, case, suffix):
    name = case.workload + suffix
    scale = self.options.scale
    if suffix:
      scale /= 4  # each trip takes ten times as long
    came, probes = run_once(case, scale, self.options.timeout)
    row = dict(who=case.who, unit=case.unit, better=case.better)
    if came is None:
      self.log.add(**row, workload=name, distance="", value="",
                   failure=probes)
      return
    distance = distance_of(*probes)
    if distance:
      self.probes += probes
    for more, (value, unit, better) in came.items():
      self.log.add(workload=name + more, who=case.who, unit=unit,
                   better=better, distance=distance, value=value, failure="")
    self.tables.update(dict.fromkeys(name + more for more in came))

  def runs_of(self, case, suffix, distance=None):
    """How many runs there are, or None once one has failed."""
    runs = self.log.of(case.workload + suffix, case.who)
    if any(r["failure"] for r in runs):
      return None
    return sum(1 for r in runs if distance in (None, r["distance"]))

  def rounds(self, cases, suffix):
    """Runs all cases once, then all of them again."""
    todo = len(cases)
    for rep in range(self.options.reps):
      first = rep % todo
      for case in cases[first:] + cases[:first]:
        done = self.runs_of(case, suffix)
        if done is None or done > rep:
          continue
        self.progress(f"{rep + 1} of {self.options.reps}: {case.name}{suffix}")
        self.one(case, suffix)
    self.catch_up(cases, suffix)

  def catch_up(self, cases, suffix):
    """Who has few runs at the distance that others have, gets a few more."""
    enough = min(figures.LEAST_RUNS, self.options.reps)
    if "two_cpus" not in cases[0].flags or self.options.reps == 1:
      return
    for more in range(self.options.reps):
      rows = self.log.rows(cases[0].workload + suffix)
      at = figures.most_at([r for r in rows if r.distance != "moved"])
      lacking = [c for c in cases
                 if self.runs_of(c, suffix, at) is not None and
                 self.runs_of(c, suffix, at) < enough]
      for case in lacking:
        self.progress(f"once more ({more + 1}): {case.name}{suffix}")
        self.one(case, suffix)
      if not lacking:
        return

  def workload(self, cases):
    with AwakeCpus():
      self.rounds(cases, "")
    blocking = [c for c in cases if "blocks" in c.flags]
    if blocking and self.can_hold:
      self.rounds(blocking, HALTING)
    if self.terminal:
      print("\r\033[K", end="", file=sys.stderr, flush=True)
    failed = [cases[0].workload, cases[0].workload + HALTING]
    for name in dict.fromkeys([*self.tables, *failed]):
      rows = self.log.rows(name)
      if rows:
        print("\n" + "\n".join(figures.table(name, rows)), flush=True)
    if self.probes:
      print(f"  a cache line's round trip: {min(self.probes):.0f} to "
            f"{max(self.probes):.0f} ns", flush=True)
    self.tables, self.probes = {}, []


def parse():
  parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
  parser.add_argument("--help", "-h", action="store_true")
  parser.add_argument("--reps", type=int, default=5)
  parser.add_argument("--quick", action="store_true")
  parser.add_argument("--filter", default="")
  parser.add_argument("--csv", default="")
  parser.add_argument("--runs", default="")
  parser.add_argument("--about", default="")
  parser.add_argument("--timeout", type=float, default=60)
  parser.add_argument("--list", action="store_true")
  parser.add_argument("programs", nargs="*")
  options = parser.parse_args()
  if options.help:
    print(__doc__)
    sys.exit(0)
  if not options.programs or options.reps < 1 or options.timeout <= 0:
    parser.error("name programs, and numbers above 0.")
  options.scale = 1
  if options.quick:
    options.reps, options.scale = 1, 0.01
  return options


def main():
  options = parse()
  cases = [c for program in options.programs for c in describe(program)]
  filters = [f for f in options.filter.split(",") if f]
  if filters:
    cases = [c for c in cases if any(f in c.name for f in filters)]
  if not cases:
    print("run.py: nothing there matches; see --list", file=sys.stderr)
    return 1
  if options.list:
    print("\n".join(c.name for c in cases))
    return 0
  by_workload = {}
  for case in cases:
    by_workload.setdefault(case.workload, []).append(case)

  with AwakeCpus() as awake:
    can_hold = awake.held
  others = Others()
  print(f"CPUs 0 and 1 of {os.cpu_count()}; idle CPUs " +
        (f"kept awake, but in rows named {HALTING}" if can_hold else
         "may halt: /dev/cpu_dma_latency needs root") +
        f"; load {os.getloadavg()[0]:.1f}", flush=True)
  log = figures.Log(options.runs)
  runner = Runner(options, log, can_hold)
  for of_it in by_workload.values():
    runner.workload(of_it)
  print(f"""
/ raw is the ratio to the first raw mechanism, / peer to the best peer.
~ marks what is no result: fewer than {figures.LEAST_RUNS} repetitions, or a spread, (max - min) / median,
above {100 * figures.MOST_SPREAD:.0f} %.""")
  if options.csv:
    figures.write_csv(options.csv, log.figures())
  if options.about:
    with open(options.about, "w", encoding="utf-8") as f:
      minutes = round((time.monotonic() - runner.began) / 60)
      json.dump(about(options, log, can_hold, others, minutes), f, indent=1)
      f.write("\n")
  failed = failures(log)
  for line in failed:
    print(f"{figures.FAILED}: {line}", file=sys.stderr)
  return 1 if failed else 0


if __name__ == "__main__":
  sys.exit(main())
