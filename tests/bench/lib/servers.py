#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The server models of examples/echo_models, as a program for run.py.

usage: servers.py SERVER CLIENT --describe
       servers.py SERVER CLIENT --only=WORKLOAD/WHO [--scale=S]

Each is driven at 1, 10, 100 and 1000 clients, which have one message of 64
bytes under way each: the server on CPU 1, the client on CPU 0.
"""

import csv
import io
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time

CLIENTS = (1, 10, 100, 1000)
POLLERS = ("epoll", "io_uring", "poll", "select", "busy", "sigio")
MODELS = {"process": ["--model=process"], "thread": ["--model=thread"]}
MODELS.update({f"loop_{p}": ["--model=loop", f"--poller={p}"]
               for p in POLLERS})
WHO = "trolley"
SECONDS = 0.5
PATIENCE = 10  # seconds, for a server to start


def describe():
  for model in MODELS:
    for clients in CLIENTS:
      print(f"echo_{model}_c{clients}", WHO, "M echo/s", "higher", "",
            sep="\t")


def on_cpu(cpu):
  return lambda: os.sched_setaffinity(0, {cpu})


def wait_for(path, server):
  until = time.monotonic() + PATIENCE
  while time.monotonic() < until and server.poll() is None:
    with socket.socket(socket.AF_UNIX) as probe:
      try:
        probe.connect(path)
        return
      except OSError:
        time.sleep(0.002)
  sys.exit("the server did not start")


def measure(server, client, name, scale):
  model, clients = name.split("/")[0].removeprefix("echo_").rsplit("_c", 1)
  limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
  resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
  with tempfile.TemporaryDirectory(prefix="trolley-") as folder:
    path = os.path.join(folder, "s")
    process = subprocess.Popen([server, f"--socket={path}", *MODELS[model]],
                               preexec_fn=on_cpu(1))
    try:
      wait_for(path, process)
      answer = subprocess.run(
          [client, f"--socket={path}", f"--clients={clients}",
           f"--duration={max(0.05, SECONDS * scale):.3f}s", "--output=csv"],
          stdout=subprocess.PIPE, text=True, check=True,
          preexec_fn=on_cpu(0)).stdout
    finally:
      process.send_signal(signal.SIGTERM)
      process.wait()
  row = next(csv.DictReader(io.StringIO(answer)))
  if int(row["messages"]) == 0:
    sys.exit("no message came back")
  out = [float(row["messages_per_second"]) / 1e6, 0, 0, 0,
         f"p99={row['p99_us']}:us:lower"]
  if int(row["server_bytes_per_client"]) >= 0:
    out.append(f"memory={row['server_bytes_per_client']}:B:lower")
  print(*out)


def main():
  if len(sys.argv) < 4:
    print(__doc__, file=sys.stderr)
    return 2
  server, client, what, *rest = sys.argv[1:]
  if what == "--describe":
    describe()
    return 0
  scale = float(rest[0].removeprefix("--scale=")) if rest else 1
  measure(server, client, what.removeprefix("--only="), scale)
  return 0


if __name__ == "__main__":
  sys.exit(main())
