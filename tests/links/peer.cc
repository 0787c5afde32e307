// SPDX-License-Identifier: Apache-2.0
//
// The other process of two_processes_test: a bus that listens at a path, with
// a Sink named "sink", until its standard input ends.
//
//   peer PATH

#include <unistd.h>

#include <cstdio>

#include "tests/links/actors.h"
#include "trolley/actors/unix_listener.h"

int main(int argc, char** argv) {
  using trolley::links_test::Sink;
  if (argc != 2) {
    std::fprintf(stderr, "usage: peer PATH\n");
    return 2;
  }
  absl::StatusOr<trolley::UnixListenSocket> socket =
      trolley::ListenUnix(trolley::RealSys(), argv[1]);
  if (!socket.ok()) {
    std::fprintf(stderr, "%s\n", socket.status().ToString().c_str());
    return 1;
  }
  trolley::Bus bus({.loops = {{}, {}}});
  auto sink = bus.Spawn<Sink>({.name = "sink", .loop = 1});
  auto listener = bus.Spawn<trolley::UnixListener>({.name = "uds", .loop = 0},
                                                   *std::move(socket));
  if (!sink.ok() || !listener.ok()) return 1;
  std::puts("ready");
  std::fflush(stdout);
  char byte;
  while (::read(0, &byte, 1) > 0) {
  }
  const trolley::ShutdownReport report = bus.Shutdown(absl::Seconds(5));
  std::printf("%s\n", report.ToString().c_str());
  return report.ledger.Balances() ? 0 : 1;
}
